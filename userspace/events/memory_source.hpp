// SPDX-License-Identifier: Apache-2.0
// A source for tests: records from memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "events/event.hpp"
#include "events/source.hpp"

namespace connleak {

class MemorySource final : public EventSource {
 public:
  // `last` is what poll() says when nothing is left.
  explicit MemorySource(Preamble preamble, SourceState last = SourceState::ended);
  void add(const Event& event);            // a span of its own
  void add(std::vector<std::byte> bytes);  // whole records, or what a test calls so
  [[nodiscard]] const Preamble& preamble() const override { return preamble_; }
  // One span at each call; never waits.
  [[nodiscard]] Result<SourceState> poll(ByteSink& sink, std::chrono::milliseconds timeout) override;

 private:
  Preamble preamble_;
  SourceState last_;
  std::vector<std::vector<std::byte>> spans_;
  std::size_t next_ = 0;
};

}  // namespace connleak
