// SPDX-License-Identifier: Apache-2.0
// A source for tests: records from memory.
#include "events/memory_source.hpp"

#include <utility>

#include "events/encode.hpp"

namespace connleak {

MemorySource::MemorySource(Preamble preamble, SourceState last) : preamble_(std::move(preamble)), last_(last) {}

void MemorySource::add(const Event& event) { spans_.push_back(encode(event)); }

void MemorySource::add(std::vector<std::byte> bytes) { spans_.push_back(std::move(bytes)); }

Result<SourceState> MemorySource::poll(ByteSink& sink, std::chrono::milliseconds /*timeout*/) {
  if (next_ == spans_.size()) return last_;
  sink.records(spans_[next_++]);
  return SourceState::more;
}

}  // namespace connleak
