// SPDX-License-Identifier: Apache-2.0
// What an open Probes owns; private to this folder.
#pragma once

#include <bpf/libbpf.h>

#include <map>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "probes/cgroups.hpp"
#include "probes/leases.hpp"
#include "probes/loading.hpp"
#include "probes/losses.hpp"
#include "probes/probes.hpp"
#include "probes/services.hpp"

namespace connleak {

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using Ring = std::unique_ptr<ring_buffer, RingDeleter>;

// Members are destroyed from the last to the first: links before the programs.
struct Probes::State {
  Loaded loaded;
  CgroupRoot cgroup;
  Ring ring;
  Fd wakeups;  // epoll
  std::vector<Link> links;
  Link connections, sessions, holders;  // iterators
  Losses losses;
  Services services;
  Leases leases;
  std::uint64_t stack_idle_ns = 0;
  std::map<std::uint32_t, std::vector<Link>> drivers;  // by process
  Preamble preamble;
  bool scoped = false;
  bool told_all = false;
  ByteSink* sink = nullptr;  // only while the ring is drained

  [[nodiscard]] Result<void> attach_all();
  [[nodiscard]] Result<void> attach(bpf_program* program);
  [[nodiscard]] bool attach_packets();
  [[nodiscard]] Result<Link> attach_iterator(bpf_program* program, bpf_map* map);
  [[nodiscard]] Result<void> open_ring();
  [[nodiscard]] Result<void> drain(ByteSink& to);
};

}  // namespace connleak
