// SPDX-License-Identifier: Apache-2.0
// Which programs this kernel gets, and loading them; private to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "probes/probes.hpp"

struct connleak_bpf;  // the skeleton
struct bpf_program;

namespace connleak {

struct SkeletonDeleter {
  void operator()(connleak_bpf* skeleton) const;
};
using Skeleton = std::unique_ptr<connleak_bpf, SkeletonDeleter>;

// A captured stack takes a slab object of so many bytes; a connection has two.
inline constexpr std::uint64_t kCapturePage = 4096;

enum class SendHook { tracepoint, fexit, none };

struct Loaded {
  Skeleton skeleton;
  SendHook send = SendHook::tracepoint;
  bool receive = true;                   // the receive tracepoint is there
  SendHook data = SendHook::tracepoint;  // what is said on unix sockets; fexit: by fentry
  bool drivers = true;                   // drivers and pools may be probed
  bool uprobe_multi = true;              // many sites hang on one link
  bool unix_release = false;             // their end is seen when it happens
};

// Silences libbpf, or lets it speak to standard error.
void set_libbpf_log(bool verbose);

// Loads everything that this kernel has; the send hook is chosen by trying.
[[nodiscard]] Result<Loaded> load_programs(const ProbeOptions& options);

// Whether the program called `name` loads (and, if asked, attaches) here; nothing of it stays. 0 or an errno.
[[nodiscard]] int try_program(const std::string& name, bool attach);

// Whether the kernel's BTF knows the helper function: "BPF_FUNC_task_pt_regs".
[[nodiscard]] bool has_helper(const std::string& name);

// Whether the kernel's BTF knows the structure.
[[nodiscard]] bool has_struct(const std::string& name);

// Whether the kernel's BTF knows the tracepoint.
[[nodiscard]] bool has_tracepoint(const std::string& name);

}  // namespace connleak
