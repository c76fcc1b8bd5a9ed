// SPDX-License-Identifier: Apache-2.0
// What a story is told with.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "model/culprit_rules.hpp"
#include "wire.h"

namespace connleak::test {

using namespace std::chrono_literals;

// A place that is a pool looking after its members.
inline constexpr auto kPing = "pool_ping";

struct StoryOptions {
  std::chrono::nanoseconds idle_after = 300ms;
  std::chrono::nanoseconds hold_after = 5s;
  std::optional<std::chrono::nanoseconds> max_age = std::nullopt;
  std::chrono::nanoseconds scan_every = 1s;
  bool frames = true;  // stacks have frames of the application
  bool go = false;     // in Go: each thread is a goroutine whose id is its tid
  CulpritRules culprit_rules{};
};

// One connection as the kernel's record has it.
struct Wire {
  wire_connection record{};
  std::uint16_t gaps[WIRE_GAP_BUCKETS]{};
  std::string place;  // of the last use
  bool place_sent = false;
  bool open = true;
};

struct OpenOptions {
  std::uint32_t process = 100;
  std::uint32_t thread = 0;  // 0: the main thread
  std::string user = "app";
  std::string database = "shop";
  bool tls = false;
  bool handshake = true;
};

// The connection's owner of a request: thread and place (the function that sent it).
struct UseOptions {
  std::uint32_t thread = 0;
  std::string place = "handle_order";
  std::chrono::nanoseconds takes = 2ms;
  bool opens_transaction = false;
};

// How a connection is taken out of its pool, as a probe tells it.
struct TakeOptions {
  wire_object object = WIRE_OBJECT_ROWS;
  std::string place = "find_order";
  bool owner_gone = false;
};

}  // namespace connleak::test
