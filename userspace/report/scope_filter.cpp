// SPDX-License-Identifier: Apache-2.0
#include "report/scope_filter.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "base/text.hpp"

namespace connleak {
namespace {

// One of them, or nothing asked for.
template <class T, class Matches>
bool any(const std::vector<T>& wanted, Matches matches) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), matches);
}

bool below(const std::string& path, std::string root) {
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  return path == root || root == "/" || path.starts_with(root + "/");
}

}  // namespace

ScopeFilter::ScopeFilter(const ScopeOptions& options, bool follow_pids)
    : options_(options),
      follow_pids_(follow_pids && !options.pids.empty()),
      by_connection_(!options.comms.empty() || !options.exes.empty() || !options.cgroups.empty() ||
                     !options.endpoints.empty() || !options.ports.empty()),
      pids_(options.pids.begin(), options.pids.end()) {}

bool ScopeFilter::matches(const ConnectionEvent& event) const {
  const wire_connection& connection = event.connection;
  const auto found = processes_.find(connection.opener.tgid);
  const ProcessFacts facts = found == processes_.end() ? ProcessFacts{} : found->second;
  const std::string comm(fixed_text(connection.comm));
  const std::string address = format_address(connection.family, connection.remote);
  return (!follow_pids_ || pids_.contains(connection.opener.tgid)) &&
         any(options_.comms, [&](const std::string& wanted) { return wanted == comm; }) &&
         any(options_.exes, [&](const std::string& wanted) { return wanted == facts.exe; }) &&
         any(options_.cgroups, [&](const std::string& wanted) { return below(facts.cgroup, wanted); }) &&
         any(options_.ports, [&](std::uint16_t wanted) { return wanted == connection.remote_port; }) &&
         any(options_.endpoints, [&](const EndpointPattern& wanted) {
           if (connection.family == AF_UNIX) return !wanted.port && wanted.host == fixed_text(connection.path);
           return wanted.host == address && (!wanted.port || *wanted.port == connection.remote_port);
         });
}

bool ScopeFilter::admits(const Event& event) {
  if (!by_connection_ && !follow_pids_) return true;
  if (const auto* info = std::get_if<ProcessInfoEvent>(&event.body)) {
    processes_[info->process.tgid] = {info->exe.value_or(""), info->cgroup.value_or("")};
    return true;
  }
  if (const auto* process = std::get_if<ProcessEvent>(&event.body)) {
    if (process->type == WIRE_FORK && pids_.contains(process->parent.tgid)) pids_.insert(process->thread.tgid);
    return !follow_pids_ || pids_.contains(process->thread.tgid);
  }
  if (const auto* connection = std::get_if<ConnectionEvent>(&event.body)) {
    const std::uint64_t cookie = connection->connection.cookie;
    const bool admitted = matches(*connection);
    if (!admitted && connection->type != WIRE_CLOSED) rejected_.insert(cookie);
    if (admitted || connection->type == WIRE_CLOSED) rejected_.erase(cookie);
    return admitted;
  }
  const auto known = [&](std::uint64_t cookie) { return !rejected_.contains(cookie); };
  if (const auto* gaps = std::get_if<GapsEvent>(&event.body)) return known(gaps->cookie);
  if (const auto* stack = std::get_if<StackEvent>(&event.body)) {
    if (stack->kind == WIRE_STACK_FORK) return !follow_pids_ || pids_.contains(stack->thread.tgid);
    if (stack->kind == WIRE_STACK_ACQUIRE) return !follow_pids_ || pids_.contains(stack->thread.tgid);
    return known(stack->cookie);
  }
  if (const auto* lease = std::get_if<LeaseEvent>(&event.body))
    return !follow_pids_ || pids_.contains(lease->lease.thread.tgid);
  if (const auto* pool = std::get_if<PoolEvent>(&event.body))
    return !follow_pids_ || pids_.contains(pool->pool.process.tgid);
  if (const auto* holder = std::get_if<HolderEvent>(&event.body)) return known(holder->cookie);
  if (const auto* requests = std::get_if<RequestsEvent>(&event.body))
    return !follow_pids_ || pids_.contains(requests->process.tgid);
  if (const auto* session = std::get_if<SessionEvent>(&event.body))
    return !follow_pids_ || pids_.contains(session->owner.tgid);
  return true;
}

}  // namespace connleak
