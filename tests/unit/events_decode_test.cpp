// SPDX-License-Identifier: Apache-2.0
// events/decode.hpp: malformed bytes are counted and skipped, and nothing of them gets through.
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <functional>
#include <string>

#include "events/decode.hpp"
#include "wire_builder.hpp"

using namespace connleak;
using test::Collector;

namespace {

struct Outcome {
  std::size_t events = 0;
  std::uint64_t errors = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << o.events << " events, " << o.errors << " errors";
}

Outcome decode(std::span<const std::byte> bytes) {
  // A copy of its own size, so that the sanitizer sees a read past it.
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  Collector collector;
  Decoder decoder(collector);
  decoder.records(exact);
  CHECK(decoder.counts().events == collector.events.size());
  return {collector.events.size(), decoder.counts().errors};
}

// The record of `event`, changed, between two good ones: only those come through, and one error is counted.
template <class Record>
void check_skipped(const char* what, const Event& event, const std::function<void(Record&)>& change) {
  const auto good = encode(test::edge(WIRE_OPENED, 1, 1));
  auto bad = encode(event);
  Record record{};
  REQUIRE(bad.size() <= sizeof record);
  std::memcpy(&record, bad.data(), bad.size());
  change(record);
  const std::size_t size = record.header.size;
  std::vector<std::byte> all = good;
  all.resize(all.size() + size);
  std::memcpy(all.data() + good.size(), &record, std::min(size, sizeof record));
  all.insert(all.end(), good.begin(), good.end());
  INFO(what);
  CHECK(decode(all) == Outcome{2, 1});
}

const Event edge = test::edge(WIRE_LEVEL, 1, 1);
const Event process = test::at(1, ProcessEvent{WIRE_EXEC, test::thread_of(1), {}, "x"});
const Event stack = test::at(1, StackEvent{1, 1, {}, WIRE_STACK_OPEN, {1, 2, 3}});
const Event scan = test::at(1, ScanEvent{false, WIRE_SCAN_LEVELS, 1});
const Event loss = test::at(1, LossEvent{"hook", 1, 2, 3, true});
const Event info = test::at(1, ProcessInfoEvent{test::thread_of(1), {}, 1, 1, "x", "/exe", "/cgroup", "why"});
const Event symbol =
    test::at(1, SymbolEvent{test::thread_of(1), 1, 0, 1, 1, 1, "f", "g", "h", WIRE_LANGUAGE_GO, true});

template <std::size_t N>
void fill(char (&field)[N]) {
  std::memset(field, 'x', N);
}

}  // namespace

TEST_CASE("no bytes are no error", "[events]") { CHECK(decode({}) == Outcome{0, 0}); }

TEST_CASE("records cut at any byte give up the rest as one error", "[events]") {
  for (const Event& event : test::one_of_each()) {
    const auto whole = encode(event);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      INFO("kind " << event.body.index() << " cut to " << size);
      CHECK(decode(std::span(whole).first(size)) == Outcome{0, 1});
    }
  }
}

TEST_CASE("a size that cannot be true gives up the rest of the span", "[events]") {
  const auto good = encode(edge);
  const int whole = static_cast<int>(sizeof(wire_edge));
  for (const int value : {0, 1, 8, 15, 17, whole - 1, whole + 1, whole + 8, 65528, 65535}) {
    const auto size = static_cast<std::uint16_t>(value);
    auto bytes = good;
    std::memcpy(bytes.data() + offsetof(wire_header, size), &size, sizeof size);
    INFO("size " << size);
    CHECK(decode(bytes) == Outcome{0, 1});
    bytes.insert(bytes.begin(), good.begin(), good.end());
    CHECK(decode(bytes) == Outcome{1, 1});
  }
}

TEST_CASE("unknown types are skipped by their size", "[events]") {
  for (const int value : {0, int{WIRE_TYPE_END}, 255, 65535}) {
    const auto type = static_cast<std::uint16_t>(value);
    check_skipped<wire_edge>("type", edge, [&](wire_edge& r) { r.header.type = type; });
  }
}

TEST_CASE("a type with another type's size is malformed", "[events]") {
  for (std::uint16_t type = 1; type < WIRE_TYPE_END; ++type) {
    wire_header header{type, sizeof(wire_header), 0, 1};
    INFO("type " << type);
    CHECK(decode(std::as_bytes(std::span(&header, 1))) == Outcome{0, 1});
  }
  check_skipped<wire_edge>("exec", edge, [](wire_edge& r) { r.header.type = WIRE_EXEC; });
  check_skipped<wire_process>("edge", process, [](wire_process& r) { r.header.type = WIRE_CLOSED; });
}

TEST_CASE("values outside their enumerations are malformed", "[events]") {
  check_skipped<wire_edge>("family", edge, [](wire_edge& r) { r.connection.family = 16; });
  check_skipped<wire_edge>("path", edge, [](wire_edge& r) { fill(r.connection.path); });
  check_skipped<wire_edge>("state", edge, [](wire_edge& r) { r.connection.tcp_state = 16; });
  check_skipped<wire_edge>("turn", edge, [](wire_edge& r) { r.connection.turn = WIRE_TURN_END; });
  check_skipped<wire_edge>("transaction", edge,
                           [](wire_edge& r) { r.connection.transaction = WIRE_TRANSACTION_END; });
  check_skipped<wire_edge>("protocol", edge, [](wire_edge& r) { r.connection.protocol = WIRE_PROTOCOL_END; });
  check_skipped<wire_stack>("stack kind", stack, [](wire_stack& r) { r.kind = WIRE_STACK_KIND_END; });
  check_skipped<wire_scan>("scan kind", scan, [](wire_scan& r) { r.kind = WIRE_SCAN_KIND_END; });
  check_skipped<wire_scan>("a final scan that begins", scan, [](wire_scan& r) { r.kind = WIRE_SCAN_FINAL; });
  check_skipped<wire_loss>("attached", loss, [](wire_loss& r) { r.attached = 2; });
  check_skipped<wire_symbol>("language", symbol, [](wire_symbol& r) { r.language = WIRE_LANGUAGE_END; });
  check_skipped<wire_symbol>("application", symbol, [](wire_symbol& r) { r.application = 2; });
  check_skipped<wire_symbol>("housekeeping", symbol, [](wire_symbol& r) { r.housekeeping = 2; });
}

TEST_CASE("text without its NUL is malformed", "[events]") {
  check_skipped<wire_edge>("comm", edge, [](wire_edge& r) { fill(r.connection.comm); });
  check_skipped<wire_edge>("user", edge, [](wire_edge& r) { fill(r.connection.user); });
  check_skipped<wire_edge>("database", edge, [](wire_edge& r) { fill(r.connection.database); });
  check_skipped<wire_process>("comm", process, [](wire_process& r) { fill(r.comm); });
  check_skipped<wire_loss>("hook", loss, [](wire_loss& r) { fill(r.hook); });
  check_skipped<wire_process_info>("comm", info, [](wire_process_info& r) { fill(r.comm); });
  check_skipped<wire_process_info>("exe", info, [](wire_process_info& r) { r.text[4] = 'x'; });
  check_skipped<wire_symbol>("function", symbol, [](wire_symbol& r) { r.text[1] = 'x'; });
  check_skipped<wire_symbol>("two strings in one", symbol, [](wire_symbol& r) { r.text[0] = '\0'; });
}

TEST_CASE("counts must agree with the size", "[events]") {
  check_skipped<wire_stack>("more frames than bytes", stack, [](wire_stack& r) { r.frames = 4; });
  check_skipped<wire_stack>("more frames than a stack has", stack, [](wire_stack& r) { r.frames = UINT32_MAX; });
  check_skipped<wire_process_info>("exe", info, [](wire_process_info& r) { r.exe_size = 65535; });
  check_skipped<wire_process_info>("cgroup", info, [](wire_process_info& r) { r.cgroup_size = 4096; });
  check_skipped<wire_symbol>("module", symbol, [](wire_symbol& r) { r.module_size = 2048; });
  check_skipped<wire_symbol>("index", symbol, [](wire_symbol& r) { r.index = 1; });
  check_skipped<wire_symbol>("no frames", symbol, [](wire_symbol& r) { r.count = 0; });
}

TEST_CASE("a stack sent at full size counts its frames only", "[events]") {
  wire_stack record{};
  record.header = {WIRE_STACK, sizeof record, 0, 1};
  record.frames = 2;
  Collector collector;
  Decoder decoder(collector);
  decoder.records(std::as_bytes(std::span(&record, 1)));
  REQUIRE(collector.events.size() == 1);
  CHECK(std::get<StackEvent>(collector.events[0].body).addresses.size() == 2);
  CHECK_FALSE(std::get<StackEvent>(collector.events[0].body).goroutine);
}

TEST_CASE("an edge after another kind of record is whole", "[events]") {
  Collector collector;
  Decoder decoder(collector);
  decoder.records(test::bytes_of({edge, info, edge, symbol, edge}));
  REQUIRE(collector.events.size() == 5);
  CHECK(encode(collector.events[2]) == encode(edge));
  CHECK(encode(collector.events[4]) == encode(edge));
}
