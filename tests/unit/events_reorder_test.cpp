// SPDX-License-Identifier: Apache-2.0
// events/reorder.hpp: order of time within the window, late arrivals counted.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

#include "events/reorder.hpp"
#include "wire_builder.hpp"

using namespace connleak;
using namespace std::chrono_literals;
using test::Collector;

namespace {

constexpr std::uint64_t ms = 1'000'000;

struct Order {
  Collector collector;
  Reorder reorder{collector};

  void edge(std::uint64_t time_ns, std::uint64_t cookie = 0) {
    reorder.event(test::edge(WIRE_OPENED, time_ns, cookie));
  }
  std::vector<std::uint64_t> times() const {
    std::vector<std::uint64_t> out;
    for (const Event& event : collector.events) out.push_back(event.time_ns);
    return out;
  }
  std::vector<std::uint64_t> cookies() const {
    std::vector<std::uint64_t> out;
    for (const Event& event : collector.events) {
      if (const auto* edge = std::get_if<ConnectionEvent>(&event.body)) out.push_back(edge->connection.cookie);
    }
    return out;
  }
};

using Times = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("swapped neighbours are put in order", "[events]") {
  Order order;
  order.edge(1003 * ms);
  order.edge(1001 * ms);
  order.edge(1002 * ms);
  CHECK(order.times().empty());  // held
  order.edge(1022 * ms);
  CHECK(order.times() == Times{1001 * ms, 1002 * ms});
  order.reorder.flush();
  CHECK(order.times() == Times{1001 * ms, 1002 * ms, 1003 * ms, 1022 * ms});
  CHECK(order.reorder.late() == 0);
}

TEST_CASE("equal stamps keep the order of arrival", "[events]") {
  Order order;
  order.edge(5 * ms, 1);
  order.edge(5 * ms, 2);
  order.edge(4 * ms, 3);
  order.edge(5 * ms, 4);
  order.edge(4 * ms, 5);
  order.reorder.flush();
  CHECK(order.cookies() == Times{3, 5, 1, 2, 4});
}

TEST_CASE("the end of a scan releases what is not younger, and itself", "[events]") {
  Order order;
  order.edge(1002 * ms);
  order.edge(1001 * ms);
  order.edge(1004 * ms);
  order.reorder.event(test::scan_end(1003 * ms));
  CHECK(order.times() == Times{1001 * ms, 1002 * ms, 1003 * ms});
  CHECK(order.reorder.held() == 1);
  order.reorder.event(test::at(1005 * ms, ScanEvent{false, WIRE_SCAN_LEVELS, 1005 * ms}));
  CHECK(order.reorder.held() == 2);  // a beginning releases nothing
}

TEST_CASE("what comes after its time is counted and still handed on", "[events]") {
  Order order;
  order.edge(1000 * ms, 1);
  order.edge(1100 * ms, 2);  // releases the first
  CHECK(order.cookies() == Times{1});
  order.edge(999 * ms, 3);
  CHECK(order.reorder.late() == 1);
  CHECK(order.cookies() == Times{1, 3});
  order.edge(1000 * ms, 4);  // as old as the last one released: in order
  CHECK(order.reorder.late() == 1);
  CHECK(order.cookies() == Times{1, 3, 4});
  order.edge(1050 * ms, 5);  // late for the window, but nothing younger has left
  CHECK(order.reorder.late() == 1);
  order.reorder.flush();
  CHECK(order.cookies() == Times{1, 3, 4, 5, 2});
}

TEST_CASE("a shuffled storm comes out sorted, with nothing lost", "[events]") {
  Order order;
  std::mt19937_64 random(3);
  Times expected;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    // Each 10 us, up to 15 ms old on arrival.
    const std::uint64_t time_ns = 1000 * ms + i * 10'000 - random() % (15 * ms);
    expected.push_back(time_ns);
    order.edge(time_ns);
  }
  order.reorder.flush();
  std::sort(expected.begin(), expected.end());
  CHECK(order.times() == expected);
  CHECK(order.reorder.late() == 0);
}

TEST_CASE("a stream without progress cannot hold everything", "[events]") {
  struct Counter final : EventSink {
    void event(Event&&) override { ++count; }
    std::size_t count = 0;
  } counter;
  Reorder reorder(counter);
  for (std::size_t i = 0; i < Reorder::max_held + 10; ++i) reorder.event(test::at(5 * ms, SessionEvent{}));
  CHECK(reorder.held() == Reorder::max_held);
  CHECK(counter.count == 10);
}
