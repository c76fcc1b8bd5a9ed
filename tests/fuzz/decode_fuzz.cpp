// SPDX-License-Identifier: Apache-2.0
// Any bytes decode, and what came out encodes to records that decode to the same.
#include <cstdlib>
#include <span>

#include "events/reorder.hpp"
#include "fuzz.hpp"
#include "wire_builder.hpp"

using namespace connleak;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::Collector collector;
  Decoder decoder(collector);
  decoder.records(std::as_bytes(std::span(data, size)));
  if (decoder.counts().events != collector.events.size()) std::abort();

  test::Collector again;
  Decoder decoder_again(again);
  const std::vector<std::byte> bytes = test::bytes_of(collector.events);
  decoder_again.records(bytes);
  if (decoder_again.counts().errors != 0 || test::bytes_of(again.events) != bytes) std::abort();

  test::Collector ordered;
  Reorder reorder(ordered);
  for (Event& event : again.events) reorder.event(std::move(event));
  reorder.flush();
  if (ordered.events.size() != collector.events.size()) std::abort();
  std::uint64_t descents = 0;
  for (std::size_t i = 1; i < ordered.events.size(); ++i) {
    if (ordered.events[i].time_ns < ordered.events[i - 1].time_ns) ++descents;
  }
  if (descents > reorder.late()) std::abort();
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  const auto add = [&](const std::vector<std::byte>& bytes) {
    auto& seed = seeds.emplace_back();
    for (const std::byte byte : bytes) seed.push_back(static_cast<std::uint8_t>(byte));
  };
  const std::vector<Event> events = test::one_of_each();
  for (const Event& event : events) add(encode(event));
  add(test::bytes_of(events));
  return seeds;
}
