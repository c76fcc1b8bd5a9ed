// SPDX-License-Identifier: Apache-2.0
// A pgxpool.Pool as Pool.Stat() would tell it.
#pragma once

#include "base/memory.hpp"
#include "base/result.hpp"
#include "pools/layouts.hpp"
#include "pools/pool_numbers.hpp"

namespace connleak {

[[nodiscard]] Result<PoolReading> read_pgx_pool(const PgxLayout& layout, const Memory& memory, std::uint64_t pool);

}  // namespace connleak
