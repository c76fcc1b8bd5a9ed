// SPDX-License-Identifier: Apache-2.0
// The filter for the server's own tables.
#include "detect/server_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace connleak::detect {

std::optional<std::string> server_filter(const std::vector<const model::Connection*>& members) {
  constexpr std::size_t kPorts = 50;  // a line that still fits a terminal's paste buffer and a reader's patience
  std::map<std::string, std::vector<std::uint16_t>> by_address;
  std::vector<std::uint32_t> pids;  // of backends behind a unix socket
  std::size_t listed = 0;
  for (const model::Connection* member : members) {
    const wire_connection& record = member->record;
    const bool there = member->liveness == model::Liveness::open;
    if (!there || member->protocol != WIRE_PROTOCOL_POSTGRESQL || (record.local_port == 0 && record.peer_pid == 0))
      continue;
    if (++listed > kPorts) break;
    if (record.peer_pid != 0) {
      pids.push_back(record.peer_pid);
      continue;
    }
    by_address[format_address(member->record.family, member->record.local)].push_back(member->record.local_port);
  }
  std::string filter;
  std::sort(pids.begin(), pids.end());
  if (!pids.empty()) filter = fmt::format("pid in ({})", fmt::join(pids, ", "));
  for (auto& [address, ports] : by_address) {
    std::sort(ports.begin(), ports.end());
    std::string list;
    for (const std::uint16_t port : ports) list += fmt::format("{}{}", list.empty() ? "" : ", ", port);
    const std::string one = fmt::format("client_addr = '{}' and client_port in ({})", address, list);
    filter += filter.empty() ? one : " or " + one;
  }
  if (filter.empty()) return std::nullopt;
  return filter;
}

}  // namespace connleak::detect
