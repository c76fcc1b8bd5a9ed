// SPDX-License-Identifier: Apache-2.0
// What every rule asks of a connection before anything else.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/connection.hpp"

namespace connleak::detect {

enum class Gate { passes, not_established, handshake, in_use, exempt };

// Handshake complete and the client's turn. That no bytes came since is idle_since()'s business, and that the
// process is alive the caller's (an exit is judged at its instant). Roles that wait for the server are exempt. A
// connection that was closed is judged by its last record.
[[nodiscard]] Gate gate(const model::Connection& connection);

// The instant at which the server went away, as the program could have noticed; 0: it did not.
[[nodiscard]] std::uint64_t server_gone_at(const model::Connection& connection);

// In a transaction and not waiting for an answer.
[[nodiscard]] bool idle_in_transaction(const model::Connection& connection);

// Since when a connection that is out of its pool is silent; nullopt: it is not out, as far as probes tell, or an
// answer is due.
[[nodiscard]] std::optional<std::uint64_t> leased_idle_since(const model::Connection& connection);

}  // namespace connleak::detect
