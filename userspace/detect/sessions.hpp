// SPDX-License-Identifier: Apache-2.0
// Which members have an inbound session of their own.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "model/process.hpp"

namespace connleak::detect {

// Pairs as many members as possible, each with one open inbound session accepted within a second before its birth
// (a connection for each websocket session is healthy). Returns the members that have one.
[[nodiscard]] std::unordered_set<const model::Connection*> paired_members(
    std::vector<const model::Connection*> members, const std::vector<model::Session>& sessions);

}  // namespace connleak::detect
