/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The shared maps, the shared variables and the licence. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "closing.h"
#include "leases.h"
#include "maps.h"

const volatile bool scoped = false;
const volatile bool keep_all = false;
const volatile __u64 idle_after_ns = 30ull * 1000 * 1000 * 1000;

__u32 next_scan = 1;
__u32 any_session = 0;
__u32 any_layout = 0;
__u32 any_driver = 0;
__u32 captures_held = 0;
const volatile __u32 captures_limit = 0;

struct connections_map connections SEC(".maps");
struct stacks_map stacks SEC(".maps");
struct captures_map captures_a SEC(".maps");
struct captures_map captures_b SEC(".maps");
struct layouts_map layouts SEC(".maps");
struct sessions_map sessions SEC(".maps");
struct users_map users SEC(".maps");
struct met_map met SEC(".maps");
struct paces_map paces SEC(".maps");
struct services_map services SEC(".maps");
struct scope_map scope_pids SEC(".maps");
struct leases_map leases SEC(".maps");
struct owners_map owners SEC(".maps");
struct connecting_map connecting SEC(".maps");
struct closing_stacks_map closing_stacks SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
