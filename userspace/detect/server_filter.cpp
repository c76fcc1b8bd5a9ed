// SPDX-License-Identifier: Apache-2.0
// The filter for the server's own tables.
#include "detect/server_filter.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace connleak::detect {

std::optional<std::string> server_filter(const std::vector<const model::Connection*>& members) {
  constexpr std::size_t kPorts = 50;  // a line that still fits a terminal's paste buffer and a reader's patience
  std::map<std::string, std::vector<std::uint16_t>> by_address;
  std::size_t listed = 0;
  for (const model::Connection* member : members) {
    const bool there = member->liveness == model::Liveness::open;
    if (!there || member->protocol != WIRE_PROTOCOL_POSTGRESQL || member->record.local_port == 0) continue;
    if (++listed > kPorts) break;
    by_address[format_address(member->record.family, member->record.local)].push_back(member->record.local_port);
  }
  if (by_address.empty()) return std::nullopt;
  std::string filter;
  for (auto& [address, ports] : by_address) {
    std::sort(ports.begin(), ports.end());
    std::string list;
    for (const std::uint16_t port : ports) list += fmt::format("{}{}", list.empty() ? "" : ", ", port);
    const std::string one = fmt::format("client_addr = '{}' and client_port in ({})", address, list);
    filter += filter.empty() ? one : " or " + one;
  }
  return filter;
}

}  // namespace connleak::detect
