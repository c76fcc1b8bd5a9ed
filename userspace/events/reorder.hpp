// SPDX-License-Identifier: Apache-2.0
// Events in the order in which they happened.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "events/decode.hpp"
#include "events/event.hpp"

namespace connleak {

// Processors stamp an event before they get room for it in the ring, so neighbours may be swapped. Holds each
// event back until one is seen that is `hold` younger, and hands them on by stamp; equal stamps keep the order
// of arrival. A SCAN_END releases all up to its own stamp at once: whoever scans drains the ring first. An
// event older than one already handed on is counted as late and handed on at once. What is released, and
// when, depends only on the sequence of events, never on how it was cut into spans.
class Reorder final : public EventSink {
 public:
  // Softirqs and interrupts between stamp and submission take microseconds; 20 ms also covers a virtual
  // processor that was descheduled in between.
  static constexpr std::chrono::nanoseconds default_hold = std::chrono::milliseconds(20);
  // 64 MB of edges, ten times what a storm of 50,000 connections a second puts into the window. Above it the
  // oldest is released early, so that no recording can exhaust memory.
  static constexpr std::size_t max_held = std::size_t{1} << 17;

  // `next` must outlive this.
  explicit Reorder(EventSink& next, std::chrono::nanoseconds hold = default_hold);
  void event(Event&& event) override;
  void flush();  // hands on everything: at the end of a stream
  [[nodiscard]] std::uint64_t late() const { return late_; }
  [[nodiscard]] std::size_t held() const { return order_.size(); }

 private:
  struct Held {
    std::uint64_t time_ns;
    std::uint32_t slot;
  };

  std::deque<Held>::iterator place_of(std::uint64_t time_ns);
  std::uint32_t store(Event&& event);
  void release_oldest();

  EventSink& next_;
  std::uint64_t hold_ns_;
  std::uint64_t horizon_ns_ = 0;   // everything up to here may go
  std::uint64_t released_ns_ = 0;  // the youngest handed on
  std::uint64_t late_ = 0;
  std::deque<Held> order_;  // by time; events are big, so these are what is moved
  std::vector<Event> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace connleak
