// SPDX-License-Identifier: Apache-2.0
// A database/sql.DB as DB.Stats() would tell it.
#pragma once

#include "base/memory.hpp"
#include "base/result.hpp"
#include "pools/layouts.hpp"
#include "pools/pool_numbers.hpp"

namespace connleak {

[[nodiscard]] Result<PoolReading> read_sql_pool(const SqlLayout& layout, const Memory& memory, std::uint64_t pool);

// `conn`: a *driverConn.
[[nodiscard]] std::optional<MemberState> sql_member(const SqlLayout& layout, const Memory& memory,
                                                    std::uint64_t pool, std::uint64_t conn);

}  // namespace connleak
