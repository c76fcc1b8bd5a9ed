// SPDX-License-Identifier: Apache-2.0
// Seam 2: the records of bpf/wire.h as checked values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wire.h"

namespace connleak {

// Edges and levels carry the whole record; `type` says which edge it is.
struct ConnectionEvent {
  wire_type type = WIRE_LEVEL;
  wire_thread actor{};
  std::string actor_comm;
  wire_connection connection{};
};

// WIRE_FORK, WIRE_EXEC, WIRE_EXIT, WIRE_THREAD_EXIT.
struct ProcessEvent {
  wire_type type = WIRE_FORK;
  wire_thread thread{};
  wire_thread parent{};
  std::string comm;
};

struct GapsEvent {
  std::uint64_t cookie = 0;
  std::uint64_t opened_ns = 0;
  std::uint16_t counts[WIRE_GAP_BUCKETS]{};
};

struct StackEvent {
  std::uint64_t cookie = 0;
  std::uint64_t opened_ns = 0;
  wire_thread thread{};
  wire_stack_kind kind = WIRE_STACK_OPEN;
  std::vector<std::uint64_t> addresses;      // innermost first
  std::optional<std::uint64_t> goroutine{};  // of a Go program: the id of whose stack it is
};

struct HolderEvent {
  std::uint64_t cookie = 0;
  std::uint64_t opened_ns = 0;
  wire_thread holder{};
  std::uint32_t fd = 0;
  std::string comm;
};

struct SessionEvent {
  wire_thread owner{};
  std::uint64_t cookie = 0;
  std::uint64_t accepted_ns = 0;
  std::uint64_t last_receive_ns = 0;
};

struct RequestsEvent {
  wire_thread process{};
  std::uint64_t cpu_ns = 0;
  std::array<std::uint32_t, WIRE_WAIT_BUCKETS> answered{}, alone{}, failed{};
};

// Headers are empty.
struct LeaseEvent {
  wire_lease lease{};
};

struct PoolEvent {
  wire_pool pool{};
};

struct ScanEvent {
  bool ended = false;  // WIRE_SCAN_END: also the tick
  wire_scan_kind kind = WIRE_SCAN_LEVELS;
  std::uint64_t began_ns = 0;
};

struct LossEvent {
  std::string hook;
  std::uint64_t hits = 0;
  std::uint64_t dropped = 0;
  std::uint64_t missed = 0;
  bool attached = false;
};

struct ProcessInfoEvent {
  wire_thread process{};
  wire_thread parent{};
  std::uint64_t cgroup_id = 0;
  std::uint32_t uid = 0;
  std::string comm;
  std::optional<std::string> exe;
  std::optional<std::string> cgroup;
  std::optional<std::string> frames_note;
};

struct SymbolEvent {
  wire_thread process{};
  std::uint64_t address = 0;
  std::uint32_t index = 0;
  std::uint32_t count = 0;
  std::uint64_t offset = 0;
  std::optional<std::uint32_t> line;
  std::optional<std::string> function;
  std::optional<std::string> file;
  std::optional<std::string> module;
  wire_language language = WIRE_LANGUAGE_UNKNOWN;
  bool application = false;
  bool housekeeping = false;
};

struct Event {
  std::uint64_t time_ns = 0;  // boot-time clock
  std::uint32_t cpu = 0;
  std::variant<ConnectionEvent, ProcessEvent, GapsEvent, StackEvent, HolderEvent, SessionEvent, RequestsEvent,
               LeaseEvent, PoolEvent, ScanEvent, LossEvent, ProcessInfoEvent, SymbolEvent>
      body;
};

}  // namespace connleak
