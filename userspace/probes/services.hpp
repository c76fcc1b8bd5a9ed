// SPDX-License-Identifier: Apache-2.0
// What processes answered on inbound connections, as records of the stream.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "probes/probes.hpp"

struct bpf_map;

namespace connleak {

// Tells the sums of the kernel side that changed since the last time.
class Services {
 public:
  // One record for each such process; `map` is the kernel side's `services`.
  void tell(const bpf_map* map, ByteSink& sink, std::uint64_t now_ns);

 private:
  struct Told {
    std::uint64_t start_ns = 0;
    std::uint64_t answered = 0;
  };
  std::unordered_map<std::uint32_t, Told> told_;
};

}  // namespace connleak
