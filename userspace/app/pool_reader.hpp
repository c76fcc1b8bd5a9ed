// SPDX-License-Identifier: Apache-2.0
// The numbers of the pools that leases told of, read at each scan.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "events/event.hpp"
#include "pools/go_pools.hpp"
#include "symbols/symbolizer.hpp"

namespace connleak {

class PoolReader {
 public:
  // The symbolizer is borrowed.
  explicit PoolReader(Symbolizer& symbolizer) : symbolizer_(symbolizer) {}

  // The pool of the lease is read from now on, while it can be.
  void note(const wire_lease& lease);
  void process_gone(std::uint32_t pid);

  // One event for each pool that could be read, stamped `now_ns`.
  [[nodiscard]] std::vector<Event> read(std::uint64_t now_ns);

 private:
  struct Pool {
    PoolKind kind = PoolKind::sql;
    int failures = 0;  // in a row
  };
  struct Process {
    wire_thread key{};
    std::shared_ptr<Module> program;
    std::map<std::uint64_t, Pool> pools;  // by address
  };
  const GoPools* layouts(Process& process);

  Symbolizer& symbolizer_;
  std::map<std::uint32_t, Process> processes_;
  std::map<std::weak_ptr<Module>, GoPools, std::owner_less<>> layouts_;
};

}  // namespace connleak
