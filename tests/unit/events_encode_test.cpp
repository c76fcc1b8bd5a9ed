// SPDX-License-Identifier: Apache-2.0
// events/encode.hpp: encoding and decoding are each other's inverse, and what does not fit is cut.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "events/encode.hpp"
#include "wire_builder.hpp"

using namespace connleak;
using test::Collector;

namespace {

Event round_trip(const Event& event) {
  Collector collector;
  Decoder decoder(collector);
  decoder.records(encode(event));
  CHECK(decoder.counts().errors == 0);
  REQUIRE(collector.events.size() == 1);
  return std::move(collector.events.front());
}

}  // namespace

TEST_CASE("every kind of event survives encoding and decoding", "[events]") {
  for (const Event& event : test::one_of_each()) {
    INFO("kind " << event.body.index() << " at " << event.time_ns);
    const Event back = round_trip(event);
    CHECK(back.time_ns == event.time_ns);
    CHECK(back.cpu == event.cpu);
    CHECK(back.body.index() == event.body.index());
    CHECK(encode(back) == encode(event));
  }
}

TEST_CASE("decoded fields are the encoded ones", "[events]") {
  const auto edge = std::get<ConnectionEvent>(round_trip(test::edge(WIRE_CLOSED, 5, 77, 3)).body);
  CHECK(edge.type == WIRE_CLOSED);
  CHECK(edge.actor.tgid == 100);
  CHECK(edge.connection.cookie == 77);
  CHECK(edge.connection.opened_ns == 3);
  CHECK(std::string(edge.connection.database) == "shop");

  const StackEvent stack{7, 1, test::thread_of(9), WIRE_STACK_CLOSE, {3, 2, 1}, 18};
  const auto stack_back = std::get<StackEvent>(round_trip(test::at(5, stack)).body);
  CHECK(stack_back.kind == WIRE_STACK_CLOSE);
  CHECK(stack_back.addresses == stack.addresses);
  CHECK(stack_back.goroutine == 18u);

  const ProcessInfoEvent process{test::thread_of(9), {}, 4, 5, "x", std::nullopt, "/a", "why"};
  const auto process_back = std::get<ProcessInfoEvent>(round_trip(test::at(5, process)).body);
  CHECK_FALSE(process_back.exe);
  CHECK(process_back.cgroup == "/a");
  CHECK(process_back.uid == 5);
  CHECK(process_back.frames_note == "why");

  const SymbolEvent symbol{test::thread_of(9), 1,    2,   3, 4, 5, "f", std::nullopt, "m",
                           WIRE_LANGUAGE_RUST, true, true};
  const auto symbol_back = std::get<SymbolEvent>(round_trip(test::at(5, symbol)).body);
  CHECK(symbol_back.function == "f");
  CHECK_FALSE(symbol_back.file);
  CHECK(symbol_back.module == "m");
  CHECK(symbol_back.line == 5u);
  CHECK(symbol_back.language == WIRE_LANGUAGE_RUST);
  CHECK(symbol_back.application);
  CHECK(symbol_back.housekeeping);
}

TEST_CASE("text that does not fit is cut, and the rest of the record stands", "[events]") {
  const std::string huge(70'000, 'f');
  const SymbolEvent symbol{test::thread_of(9), 1, 0, 1, 4, 5, huge, "main.cpp", huge, WIRE_LANGUAGE_NATIVE, true};
  const auto back = std::get<SymbolEvent>(round_trip(test::at(5, symbol)).body);
  CHECK(back.file == "main.cpp");
  REQUIRE(back.function);
  REQUIRE(back.module);
  CHECK(back.function->size() + back.file->size() + back.module->size() + 3 == sizeof(wire_symbol::text));
  CHECK(back.function->size() > 500);
  CHECK(back.module->size() > 500);

  const ProcessInfoEvent process{test::thread_of(9), {}, 4, 5, huge, huge, "/a", std::nullopt};
  const auto process_back = std::get<ProcessInfoEvent>(round_trip(test::at(5, process)).body);
  CHECK(process_back.comm == std::string(WIRE_COMM - 1, 'f'));
  CHECK(process_back.cgroup == "/a");
  CHECK(process_back.exe->size() == sizeof(wire_process_info::text) - 4);

  const StackEvent deep{7, 1, {}, WIRE_STACK_OPEN, std::vector<std::uint64_t>(WIRE_FRAMES + 5, 1)};
  CHECK(std::get<StackEvent>(round_trip(test::at(5, deep)).body).addresses.size() == WIRE_FRAMES);

  const ProcessInfoEvent inner{test::thread_of(9), {}, 4, 5, "x", std::string("/a\0b", 4), "/c", std::nullopt};
  CHECK(std::get<ProcessInfoEvent>(round_trip(test::at(5, inner)).body).exe == "/a");
}
