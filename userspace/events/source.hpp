// SPDX-License-Identifier: Apache-2.0
// Seam 1: where raw records come from, and where they go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"

namespace connleak {

// Takes whole wire records, one or more in each span; the bytes are valid only during the call.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void records(std::span<const std::byte> bytes) = 0;
};

// What a reader must know that no record says. Travels at the head of a recording.
struct Preamble {
  std::string tool_version;
  std::string hostname;
  std::string kernel;
  std::int64_t boot_to_unix_ns = 0;  // add to a boot-time stamp to get Unix time
  std::uint64_t started_ns = 0;      // boot-time stamp at which observation began
  bool attached_late = true;         // processes were there before the observer (false: under `run`)
};

enum class SourceState { more, ended, truncated };

// The kernel (probes), a recording or memory.
class EventSource {
 public:
  virtual ~EventSource() = default;
  [[nodiscard]] virtual const Preamble& preamble() const = 0;
  // Hands what is there to the sink, in the order in which it was produced; waits for at most `timeout`
  // where there is nothing. `ended`: nothing will follow. `truncated`: the same, but the recording was cut.
  [[nodiscard]] virtual Result<SourceState> poll(ByteSink& sink, std::chrono::milliseconds timeout) = 0;
};

}  // namespace connleak
