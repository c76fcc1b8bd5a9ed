// SPDX-License-Identifier: Apache-2.0
// Text with which an operator finds the accused connections on the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/connection.hpp"

namespace connleak::detect {

// For PostgreSQL: "client_addr = '192.0.2.1' and client_port in (40001, 40002)", ready to paste into a where
// clause over pg_stat_activity. nullopt for other protocols, or when no member still has a server. At most 50
// ports are listed.
[[nodiscard]] std::optional<std::string> server_filter(const std::vector<const model::Connection*>& members);

}  // namespace connleak::detect
