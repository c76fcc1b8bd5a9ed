// SPDX-License-Identifier: Apache-2.0
// Single facts of the model in the report's terms.
#pragma once

#include <optional>
#include <string>

#include "detect/verdict.hpp"
#include "model/process.hpp"
#include "report/snapshot.hpp"

namespace connleak {

[[nodiscard]] double seconds(std::uint64_t ns);
[[nodiscard]] Endpoint to_endpoint(const model::Address& address);
[[nodiscard]] std::string to_protocol(wire_protocol protocol);
[[nodiscard]] std::string to_state(model::State state);
// nullopt: not out of its pool, as far as probes tell.
[[nodiscard]] std::optional<Lease> to_lease(const model::Connection& connection, std::uint64_t now_ns);
[[nodiscard]] Pool to_pool(const model::Pool& pool);
// "database/sql: 6 of 6 in use, 0 idle, 30 waiting; 30 waits, 0 s in all"
[[nodiscard]] std::string pool_line(const Pool& pool);
// nullopt: not known.
[[nodiscard]] std::optional<std::string> to_driver(std::uint8_t driver);
[[nodiscard]] StackKind stack_kind_of(detect::StackOf kind);
// Whose stack that is.
[[nodiscard]] std::optional<std::uint64_t> to_goroutine(const model::Connection& connection, detect::StackOf kind);
[[nodiscard]] std::optional<std::string> to_transaction(const model::Connection& connection);
[[nodiscard]] Frame to_frame(const model::StackFrame& frame);
// "192.0.2.1:40001"; nullopt while no port is bound.
[[nodiscard]] std::optional<std::string> to_local(const model::Connection& connection);
// 64 hex digits of a cgroup path's last container-like part (docker, containerd, CRI-O, podman), cut to 12.
[[nodiscard]] std::optional<std::string> container_id(const std::string& cgroup);

}  // namespace connleak
