// SPDX-License-Identifier: Apache-2.0
// Raw records to checked events.
#include "events/decode.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/text.hpp"

namespace connleak {
namespace {

using Bytes = std::span<const std::byte>;

// The kernel has 13 states now and keeps them in a nibble of several tables; later ones are let in.
constexpr std::uint8_t max_tcp_state = 15;

// Records are 8-aligned only relative to their span.
template <class T>
T copy_of(Bytes bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <std::size_t N>
bool terminated(const char (&field)[N]) {
  return field[N - 1] == '\0' || std::memchr(field, '\0', N) != nullptr;
}

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return std::string(fixed_text(field));
}

// The next string of a text area. False: it is not there whole, or is not one string.
bool take_text(std::string_view& area, std::size_t size, std::optional<std::string>& out) {
  out.reset();
  if (size == 0) return true;
  if (size > area.size() || area.find('\0') != size - 1) return false;
  out.emplace(area.substr(0, size - 1));
  area.remove_prefix(size);
  return true;
}

// A record whose size is cut to its text: the fixed part, then what there is of the text, then zeros.
template <class T>
bool copy_cut(Bytes bytes, std::size_t fixed, T& record) {
  if (bytes.size() < fixed || bytes.size() > sizeof record) return false;
  std::memcpy(&record, bytes.data(), bytes.size());
  return true;
}

// Reuses the alternative that is there: after an edge comes, nearly always, an edge.
template <class T>
T& alternative(Event& event) {
  T* body = std::get_if<T>(&event.body);
  return body != nullptr ? *body : event.body.emplace<T>();
}

bool is_valid(const wire_connection& c) {
  return (c.family == AF_INET || c.family == AF_INET6 || c.family == AF_UNIX) && c.tcp_state <= max_tcp_state &&
         c.turn < WIRE_TURN_END && c.transaction < WIRE_TRANSACTION_END && c.protocol < WIRE_PROTOCOL_END &&
         terminated(c.comm) && terminated(c.user) && terminated(c.database) && terminated(c.path) &&
         terminated(c.peer_comm);
}

bool decode_connection(wire_type type, Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_edge)) return false;
  auto& body = alternative<ConnectionEvent>(event);
  body.type = type;
  std::memcpy(&body.actor, bytes.data() + offsetof(wire_edge, actor), sizeof body.actor);
  std::memcpy(&body.connection, bytes.data() + offsetof(wire_edge, connection), sizeof body.connection);
  char comm[WIRE_COMM];
  std::memcpy(comm, bytes.data() + offsetof(wire_edge, actor_comm), sizeof comm);
  if (!terminated(comm)) return false;
  body.actor_comm = fixed_text(comm);
  return is_valid(body.connection);
}

bool decode_process(wire_type type, Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_process)) return false;
  const auto record = copy_of<wire_process>(bytes);
  if (!terminated(record.comm)) return false;
  event.body = ProcessEvent{type, record.thread, record.parent, text_of(record.comm)};
  return true;
}

bool decode_gaps(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_gaps)) return false;
  const auto record = copy_of<wire_gaps>(bytes);
  auto& body = alternative<GapsEvent>(event);
  body.cookie = record.cookie;
  body.opened_ns = record.opened_ns;
  static_assert(sizeof body.counts == sizeof record.counts);
  std::memcpy(body.counts, record.counts, sizeof body.counts);
  return true;
}

bool decode_stack(Bytes bytes, Event& event) {
  wire_stack record{};
  if (!copy_cut(bytes, offsetof(wire_stack, addresses), record)) return false;
  const std::size_t present = (bytes.size() - offsetof(wire_stack, addresses)) / sizeof record.addresses[0];
  if (record.kind >= WIRE_STACK_KIND_END || record.frames > present) return false;
  event.body = StackEvent{record.cookie,
                          record.opened_ns,
                          record.thread,
                          static_cast<wire_stack_kind>(record.kind),
                          {record.addresses, record.addresses + record.frames},
                          record.goroutine != 0 ? std::optional(record.goroutine) : std::nullopt};
  return true;
}

bool decode_holder(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_holder)) return false;
  const auto record = copy_of<wire_holder>(bytes);
  if (!terminated(record.comm)) return false;
  event.body = HolderEvent{record.cookie, record.opened_ns, record.holder, record.fd, text_of(record.comm)};
  return true;
}

bool decode_requests(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_requests)) return false;
  const auto record = copy_of<wire_requests>(bytes);
  RequestsEvent body{record.process, record.cpu_ns, {}, {}, {}};
  std::copy(std::begin(record.answered), std::end(record.answered), body.answered.begin());
  std::copy(std::begin(record.alone), std::end(record.alone), body.alone.begin());
  std::copy(std::begin(record.failed), std::end(record.failed), body.failed.begin());
  event.body = body;
  return true;
}

bool decode_lease(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_lease)) return false;
  auto record = copy_of<wire_lease>(bytes);
  if (record.object >= WIRE_OBJECT_END || record.driver >= WIRE_DRIVER_END || record.owner_gone > 1) return false;
  record.header = {};
  event.body = LeaseEvent{record};
  return true;
}

bool decode_pool(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_pool)) return false;
  auto record = copy_of<wire_pool>(bytes);
  if (record.driver >= WIRE_DRIVER_END) return false;
  record.header = {};
  event.body = PoolEvent{record};
  return true;
}

bool decode_session(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_session)) return false;
  const auto record = copy_of<wire_session>(bytes);
  event.body = SessionEvent{record.owner, record.cookie, record.accepted_ns, record.last_receive_ns};
  return true;
}

bool decode_scan(wire_type type, Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_scan)) return false;
  const auto record = copy_of<wire_scan>(bytes);
  const bool ended = type == WIRE_SCAN_END;
  if (record.kind >= WIRE_SCAN_KIND_END || (record.kind == WIRE_SCAN_FINAL && !ended)) return false;
  event.body = ScanEvent{ended, static_cast<wire_scan_kind>(record.kind), record.began_ns};
  return true;
}

bool decode_loss(Bytes bytes, Event& event) {
  if (bytes.size() != sizeof(wire_loss)) return false;
  const auto record = copy_of<wire_loss>(bytes);
  if (!terminated(record.hook) || record.attached > 1) return false;
  event.body = LossEvent{text_of(record.hook), record.hits, record.dropped, record.missed, record.attached == 1};
  return true;
}

bool decode_process_info(Bytes bytes, Event& event) {
  constexpr std::size_t fixed = offsetof(wire_process_info, text);
  wire_process_info record{};
  if (!copy_cut(bytes, fixed, record) || !terminated(record.comm)) return false;
  std::string_view area(record.text, bytes.size() - fixed);
  auto& body = event.body.emplace<ProcessInfoEvent>();
  body.process = record.process;
  body.parent = record.parent;
  body.cgroup_id = record.cgroup_id;
  body.uid = record.uid;
  body.comm = text_of(record.comm);
  return take_text(area, record.exe_size, body.exe) && take_text(area, record.cgroup_size, body.cgroup) &&
         take_text(area, record.frames_note_size, body.frames_note);
}

bool decode_symbol(Bytes bytes, Event& event) {
  constexpr std::size_t fixed = offsetof(wire_symbol, text);
  wire_symbol record{};
  if (!copy_cut(bytes, fixed, record)) return false;
  if (record.index >= record.count || record.language >= WIRE_LANGUAGE_END || record.application > 1 ||
      record.housekeeping > 1)
    return false;
  std::string_view area(record.text, bytes.size() - fixed);
  auto& body = event.body.emplace<SymbolEvent>();
  body.process = record.process;
  body.address = record.address;
  body.index = record.index;
  body.count = record.count;
  body.offset = record.offset;
  if (record.line != 0) body.line = record.line;
  body.language = static_cast<wire_language>(record.language);
  body.application = record.application == 1;
  body.housekeeping = record.housekeeping == 1;
  return take_text(area, record.function_size, body.function) && take_text(area, record.file_size, body.file) &&
         take_text(area, record.module_size, body.module);
}

bool decode_body(wire_type type, Bytes bytes, Event& event) {
  switch (type) {
    case WIRE_OPENED:
    case WIRE_ESTABLISHED:
    case WIRE_FAILED:
    case WIRE_PEER_CLOSED:
    case WIRE_ABORTED:
    case WIRE_CLOSED:
    case WIRE_DISMISSED:
    case WIRE_LEVEL:
      return decode_connection(type, bytes, event);
    case WIRE_FORK:
    case WIRE_EXEC:
    case WIRE_EXIT:
    case WIRE_THREAD_EXIT:
      return decode_process(type, bytes, event);
    case WIRE_GAPS:
      return decode_gaps(bytes, event);
    case WIRE_STACK:
      return decode_stack(bytes, event);
    case WIRE_HOLDER:
      return decode_holder(bytes, event);
    case WIRE_SESSION:
      return decode_session(bytes, event);
    case WIRE_REQUESTS:
      return decode_requests(bytes, event);
    case WIRE_LEASE:
      return decode_lease(bytes, event);
    case WIRE_POOL:
      return decode_pool(bytes, event);
    case WIRE_SCAN_BEGIN:
    case WIRE_SCAN_END:
      return decode_scan(type, bytes, event);
    case WIRE_LOSS:
      return decode_loss(bytes, event);
    case WIRE_PROCESS:
      return decode_process_info(bytes, event);
    case WIRE_SYMBOL:
      return decode_symbol(bytes, event);
    case WIRE_TYPE_END:
      break;
  }
  return false;
}

}  // namespace

void Decoder::records(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(wire_header)) {
      ++counts_.errors;
      return;
    }
    const auto header = copy_of<wire_header>(bytes);
    if (header.size < sizeof header || header.size > bytes.size() || header.size % 8 != 0) {
      ++counts_.errors;
      return;
    }
    const Bytes record = bytes.first(header.size);
    bytes = bytes.subspan(header.size);
    const bool known = header.type > 0 && header.type < WIRE_TYPE_END;
    if (!known || !decode_body(static_cast<wire_type>(header.type), record, event_)) {
      ++counts_.errors;
      continue;
    }
    event_.time_ns = header.time_ns;
    event_.cpu = header.cpu;
    ++counts_.events;
    next_.event(std::move(event_));
  }
}

}  // namespace connleak
