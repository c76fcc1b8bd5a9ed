// SPDX-License-Identifier: Apache-2.0
// What probes on drivers and pools noted, as records of the stream.
#pragma once

#include <cstdint>
#include <map>

#include "probes/probes.hpp"

struct bpf_map;

namespace connleak {

// Tells each handle once, and then when it was taken out and is out still, and when it is back. The stack of who
// took it follows once it is out for longer than `stack_idle_ns`.
class Leases {
 public:
  // `map` is the kernel side's `leases`: what the end of its socket does not remove is removed
  // from it: of processes that are gone, and what was given back without having been used.
  void tell(const bpf_map* map, ByteSink& sink, std::uint64_t now_ns, std::uint64_t stack_idle_ns);

 private:
  struct Told {
    std::uint64_t acquired_ns = 0;
    bool released = false;
    bool stack = false;
  };
  // By process and handle.
  std::map<std::pair<std::uint32_t, std::uint64_t>, Told> told_;
};

}  // namespace connleak
