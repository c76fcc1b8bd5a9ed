// SPDX-License-Identifier: Apache-2.0
// Connections as drivers and pools have them, where probes tell.
#pragma once

#include <cstdint>

#include "model/stack.hpp"
#include "wire.h"

namespace connleak::model {

struct Connection;

// The latest that is known of one handle.
struct Lease {
  wire_lease record{};
  const Stack* acquire_stack = nullptr;
  Connection* connection = nullptr;  // nullptr: nothing was sent on it since, or it is closed

  // Taken out of a pool and not given back. A driver's own connection is in no pool.
  [[nodiscard]] bool held() const {
    return record.object != WIRE_OBJECT_HANDLE && record.acquired_ns != 0 && record.released_ns == 0;
  }
};

struct Pool {
  static constexpr std::uint64_t kCurrent = 3'000'000'000;  // scans are a second apart at most
  wire_pool record{};
  std::uint64_t read_ns = 0;  // at this instant
  // Read at every scan; one that can be read no more is closed, and its numbers are old.
  [[nodiscard]] bool is_current(std::uint64_t now_ns) const { return now_ns < read_ns + kCurrent; }
  // Full, with somebody waiting.
  [[nodiscard]] bool exhausted() const {
    return record.max_open != 0 && record.in_use >= record.max_open && record.waiting != 0;
  }
};

}  // namespace connleak::model
