// SPDX-License-Identifier: Apache-2.0
// What identifies processes, threads, connections and addresses.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "base/text.hpp"
#include "wire.h"

namespace connleak::model {

// A process is pid plus start time of its group leader (boot-time clock). tgid 0: unknown.
struct ProcessKey {
  std::uint32_t tgid = 0;
  std::uint64_t start_ns = 0;
  auto operator<=>(const ProcessKey&) const = default;
};

struct ThreadKey {
  std::uint32_t tid = 0;
  std::uint64_t start_ns = 0;
  auto operator<=>(const ThreadKey&) const = default;
};

// A socket cookie alone is not enough: a retried connect reuses it.
struct ConnectionKey {
  std::uint64_t cookie = 0;
  std::uint64_t opened_ns = 0;
  auto operator<=>(const ConnectionKey&) const = default;
};

// Network order; IPv4 in the first four bytes, the rest zero. Of a unix socket the server's path alone.
struct Address {
  std::uint16_t family = 0;
  std::uint16_t port = 0;
  std::array<std::uint8_t, 16> bytes{};
  std::string path;
  auto operator<=>(const Address&) const = default;
};

[[nodiscard]] inline ProcessKey process_key(const wire_thread& thread) {
  return {thread.tgid, thread.process_start_ns};
}
[[nodiscard]] inline ThreadKey thread_key(const wire_thread& thread) {
  return {thread.tid, thread.thread_start_ns};
}
[[nodiscard]] inline Address remote_address(const wire_connection& record) {
  Address address{record.family, record.remote_port, {}, std::string(fixed_text(record.path))};
  std::memcpy(address.bytes.data(), record.remote, address.bytes.size());
  return address;
}

struct ConnectionKeyHash {
  std::size_t operator()(const ConnectionKey& key) const noexcept {
    return std::hash<std::uint64_t>{}((key.cookie * 0x9e3779b97f4a7c15ULL) ^ key.opened_ns);
  }
};

}  // namespace connleak::model
