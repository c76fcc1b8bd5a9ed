// SPDX-License-Identifier: Apache-2.0
// Who closes what nobody can reach any more: garbage collectors, finalizers, cleaners. A name more is a line in
// the tables of collectors.cpp.
#pragma once

#include <optional>
#include <string>

#include "model/connection.hpp"

namespace connleak::model {

// The collector that closed this connection, in words; nullopt: something else did, or it is not known who.
[[nodiscard]] std::optional<std::string> collector_of(const Connection& connection);

}  // namespace connleak::model
