// SPDX-License-Identifier: Apache-2.0
#include "report/convert.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace connleak {

double seconds(std::uint64_t ns) {
  const std::uint64_t us = ns / 1'000;
  return static_cast<double>(us) / 1e6;
}

Endpoint to_endpoint(const model::Address& address) {
  Endpoint endpoint;
  if (address.family == AF_UNIX) {
    endpoint.family = "unix";
    endpoint.path = address.path;
    return endpoint;
  }
  endpoint.family = address.family == AF_INET6 ? "inet6" : "inet";
  std::uint8_t bytes[16];
  std::copy(address.bytes.begin(), address.bytes.end(), bytes);
  endpoint.address = format_address(address.family, bytes);
  endpoint.port = address.port;
  return endpoint;
}

std::string to_protocol(wire_protocol protocol) {
  switch (protocol) {
    case WIRE_PROTOCOL_POSTGRESQL:
      return "postgresql";
    case WIRE_PROTOCOL_MYSQL:
      return "mysql";
    case WIRE_PROTOCOL_REDIS:
      return "redis";
    case WIRE_PROTOCOL_MONGODB:
      return "mongodb";
    case WIRE_PROTOCOL_TDS:
      return "tds";
    case WIRE_PROTOCOL_ORACLE:
      return "oracle";
    case WIRE_PROTOCOL_CASSANDRA:
      return "cassandra";
    case WIRE_PROTOCOL_MEMCACHED:
      return "memcached";
    case WIRE_PROTOCOL_UNKNOWN:
    case WIRE_PROTOCOL_OTHER:
    case WIRE_PROTOCOL_END:
      break;
  }
  return "unknown";
}

std::string to_state(model::State state) {
  switch (state) {
    case model::State::opening:
      return "opening";
    case model::State::in_use:
      return "in_use";
    case model::State::idle:
      return "idle";
    case model::State::in_transaction:
      return "in_transaction";
    case model::State::half_closed:
      return "half_closed";
    case model::State::closed:
      break;
  }
  return "closed";
}

std::optional<Lease> to_lease(const model::Connection& connection, std::uint64_t now_ns) {
  if (connection.lease == nullptr || !connection.lease->held()) return std::nullopt;
  const wire_lease& record = connection.lease->record;
  Lease out;
  switch (record.object) {
    case WIRE_OBJECT_CALL:
      out.object = "call";
      break;
    case WIRE_OBJECT_ROWS:
      out.object = "rows";
      break;
    case WIRE_OBJECT_TRANSACTION:
      out.object = "transaction";
      break;
    case WIRE_OBJECT_STATEMENT:
      out.object = "statement";
      break;
    case WIRE_OBJECT_CONNECTION:
      out.object = "connection";
      break;
    default:
      out.object = "unknown";
  }
  out.held_s = seconds(now_ns - std::min<std::uint64_t>(now_ns, record.acquired_ns));
  if (record.goroutine != 0) out.goroutine = record.goroutine;
  if (record.owner_gone != 0) out.owner_alive = false;
  return out;
}

Pool to_pool(const model::Pool& pool) {
  const wire_pool& record = pool.record;
  Pool out;
  out.id = fmt::format("{:#x}", std::uint64_t{record.pool});
  out.driver = to_driver(record.driver).value_or("unknown");
  if (record.max_open != 0) out.max_open = record.max_open;
  out.open = record.open;
  out.in_use = record.in_use;
  out.idle = record.idle;
  out.waiting = record.waiting;
  out.wait_count = record.wait_count;
  if (record.wait_ns != ~std::uint64_t{0}) out.wait_seconds = seconds(record.wait_ns);
  return out;
}

std::string pool_line(const Pool& pool) {
  std::string text = fmt::format("{}: {}{} in use, {} idle, {} waiting; {} waits", pool.driver, pool.in_use,
                                 pool.max_open ? fmt::format(" of {}", *pool.max_open) : "", pool.idle,
                                 pool.waiting, pool.wait_count);
  if (pool.wait_seconds) text += fmt::format(", {:.3g} s in all", *pool.wait_seconds);
  if (pool.starved == Starved::slots_leaked)
    text += fmt::format(". Slots are leaked: {} of {} never came back", pool.lost, pool.in_use);
  if (pool.starved == Starved::too_small)
    text += ". The pool is too small: every connection that was taken out comes back, later than others want it";
  return text;
}

std::optional<std::string> to_driver(std::uint8_t driver) {
  switch (driver) {
    case WIRE_DRIVER_LIBPQ:
      return "libpq";
    case WIRE_DRIVER_MYSQL_C:
      return "libmysqlclient";
    case WIRE_DRIVER_HIREDIS:
      return "hiredis";
    case WIRE_DRIVER_GO_SQL:
      return "database/sql";
    case WIRE_DRIVER_PGXPOOL:
      return "pgxpool";
    default:
      return std::nullopt;
  }
}

StackKind stack_kind_of(detect::StackOf kind) {
  switch (kind) {
    case detect::StackOf::open:
      return StackKind::open;
    case detect::StackOf::acquire:
      return StackKind::acquire;
    case detect::StackOf::last_use:
      break;
  }
  return StackKind::last_use;
}

std::optional<std::uint64_t> to_goroutine(const model::Connection& connection, detect::StackOf kind) {
  switch (kind) {
    case detect::StackOf::last_use:
      return connection.last_use_goroutine;
    case detect::StackOf::open:
      return connection.open_goroutine;
    case detect::StackOf::acquire:
      break;
  }
  if (connection.lease == nullptr || connection.lease->record.goroutine == 0) return std::nullopt;
  return connection.lease->record.goroutine;
}

std::optional<std::string> to_transaction(const model::Connection& connection) {
  switch (static_cast<wire_transaction>(connection.record.transaction)) {
    case WIRE_TRANSACTION_NONE:
      return "none";
    case WIRE_TRANSACTION_OPEN:
      return "open";
    case WIRE_TRANSACTION_FAILED:
      return "failed";
    case WIRE_TRANSACTION_UNKNOWN:
    case WIRE_TRANSACTION_END:
      break;
  }
  return std::nullopt;
}

namespace {

std::optional<std::string> to_language(wire_language language) {
  switch (language) {
    case WIRE_LANGUAGE_NATIVE:
      return "native";
    case WIRE_LANGUAGE_GO:
      return "go";
    case WIRE_LANGUAGE_RUST:
      return "rust";
    case WIRE_LANGUAGE_PYTHON:
      return "python";
    case WIRE_LANGUAGE_RUBY:
      return "ruby";
    case WIRE_LANGUAGE_PHP:
      return "php";
    case WIRE_LANGUAGE_JAVASCRIPT:
      return "javascript";
    case WIRE_LANGUAGE_JAVA:
      return "java";
    case WIRE_LANGUAGE_UNKNOWN:
    case WIRE_LANGUAGE_END:
      break;
  }
  return std::nullopt;
}

}  // namespace

Frame to_frame(const model::StackFrame& frame) {
  Frame result;
  result.function = frame.function;
  result.file = frame.file;
  result.line = frame.line;
  result.module = frame.module;
  result.language = to_language(frame.language);
  result.address = frame.address;
  result.application = frame.application;
  return result;
}

std::optional<std::string> to_local(const model::Connection& connection) {
  const wire_connection& record = connection.record;
  if (record.local_port == 0) return std::nullopt;
  const std::string address = format_address(record.family, record.local);
  return record.family == AF_INET6 ? fmt::format("[{}]:{}", address, record.local_port)
                                   : fmt::format("{}:{}", address, record.local_port);
}

std::optional<std::string> container_id(const std::string& cgroup) {
  constexpr std::size_t kDigits = 64;
  constexpr std::size_t kShown = 12;  // what docker ps shows
  std::size_t run = 0;
  for (std::size_t i = cgroup.size(); i-- > 0;) {
    run = std::isxdigit(static_cast<unsigned char>(cgroup[i])) != 0 ? run + 1 : 0;
    if (run == kDigits) return cgroup.substr(i, kShown);
  }
  return std::nullopt;
}

}  // namespace connleak
