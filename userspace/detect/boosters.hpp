// SPDX-License-Identifier: Apache-2.0
// What else speaks for a finding of a pool that is seen only from its sockets; changes no verdict.
#pragma once

#include <string>
#include <vector>

#include "model/process.hpp"

namespace connleak::detect {

// Sentences for `why`: the accused ones are older than any that was closed; whatever keeps the others alive does
// not reach them; their driver was not told to give them up.
[[nodiscard]] std::vector<std::string> boosters(const model::Group& group,
                                                const std::vector<const model::Connection*>& accused,
                                                std::uint64_t now_ns);

}  // namespace connleak::detect
