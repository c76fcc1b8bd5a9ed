// SPDX-License-Identifier: Apache-2.0
// Raw records to checked events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "events/event.hpp"
#include "events/source.hpp"

namespace connleak {

// Takes events one by one; may move from the event, which otherwise is valid only during the call.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(Event&& event) = 0;
};

struct DecodeCounts {
  std::uint64_t events = 0;  // handed on
  std::uint64_t errors = 0;  // malformed records, each counted once; the report's decode_errors
};

// Trusts nothing: sizes against type and bounds, enumerations, terminated strings, counts against sizes. A
// malformed record is counted and skipped by its size; where the size itself cannot be true, the rest of the
// span is given up as one error. Reserved bits of `flags` and padding are not looked at. Makes no heap
// allocation for edges and levels.
class Decoder final : public ByteSink {
 public:
  explicit Decoder(EventSink& next) : next_(next) {}  // `next` must outlive the decoder
  void records(std::span<const std::byte> bytes) override;
  [[nodiscard]] const DecodeCounts& counts() const { return counts_; }

 private:
  EventSink& next_;
  DecodeCounts counts_;
  Event event_;  // reused, so that an edge is copied once
};

}  // namespace connleak
