// SPDX-License-Identifier: Apache-2.0
// Edges per second through decoding and reordering on one core, from memory and from a recording: the median of
// five runs. The bar is 5 million a second in a release build.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "events/recording.hpp"
#include "events/reorder.hpp"
#include "wire_builder.hpp"

using namespace connleak;

namespace {

constexpr std::size_t edges = 2'000'000;
constexpr std::size_t block = 4096;  // 1.9 MB of records, restamped for each use: more than the second cache
constexpr std::size_t recorded_edges = 400'000;

class Counter final : public EventSink {
 public:
  void event(Event&& event) override {
    ++count;
    sum += std::get<ConnectionEvent>(event.body).connection.cookie;
  }
  std::size_t count = 0;
  std::uint64_t sum = 0;
};

// A storm of 50,000 connections a second, each stamp up to 50 us off its place: about seven edges.
class Storm {
 public:
  Storm() {
    constexpr wire_type types[] = {WIRE_OPENED, WIRE_ESTABLISHED, WIRE_CLOSED};
    for (std::size_t i = 0; i < block; ++i) encode(test::edge(types[i % 3], 0, i / 3), bytes_);
    for (std::uint32_t& jitter : jitter_) jitter = static_cast<std::uint32_t>(random_() % 50'000);
  }
  std::span<const std::byte> next() {
    for (std::size_t i = 0; i < block; ++i) {
      time_ns_ += 1'000'000'000 / 150'000;
      const std::uint64_t stamp = time_ns_ + jitter_[i];
      std::memcpy(bytes_.data() + i * sizeof(wire_edge) + offsetof(wire_header, time_ns), &stamp, sizeof stamp);
    }
    return bytes_;
  }

 private:
  std::mt19937_64 random_{1};
  std::vector<std::byte> bytes_;
  std::array<std::uint32_t, block> jitter_{};
  std::uint64_t time_ns_ = 1'000'000'000;
};

template <class Feed>
void measure(const char* name, std::size_t expected, const Feed& feed) {
  std::array<double, 5> rates{};
  for (double& rate : rates) {
    Counter counter;
    Reorder reorder(counter);
    Decoder decoder(reorder);
    const auto begin = std::chrono::steady_clock::now();
    feed(decoder);
    reorder.flush();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (counter.count != expected || decoder.counts().errors != 0 || reorder.late() != 0) std::abort();
    rate = static_cast<double>(counter.count) / seconds.count() / 1e6;
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%-10s %6.2f million edges/s (%.2f to %.2f)\n", name, rates[2], rates.front(), rates.back());
}

}  // namespace

int main() {
  measure("memory", edges / block * block, [](Decoder& decoder) {
    Storm storm;
    for (std::size_t i = 0; i < edges / block; ++i) decoder.records(storm.next());
  });

  const Fd file(::memfd_create("recording", MFD_CLOEXEC));
  auto writer = RecordingWriter::create(Fd(::dup(file.get())), "recording", Preamble{});
  if (!writer) std::abort();
  Storm storm;
  for (std::size_t i = 0; i < recorded_edges / block; ++i) (*writer)->records(storm.next());
  if (!(*writer)->finish()) std::abort();
  measure("recording", recorded_edges / block * block, [&](Decoder& decoder) {
    if (::lseek(file.get(), 0, SEEK_SET) != 0) std::abort();
    auto source = RecordingSource::open(Fd(::dup(file.get())), "recording");
    if (!source) std::abort();
    for (;;) {
      const auto state = (*source)->poll(decoder, std::chrono::milliseconds(0));
      if (!state) std::abort();
      if (*state != SourceState::more) break;
    }
  });
  return 0;
}
