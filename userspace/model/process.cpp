// SPDX-License-Identifier: Apache-2.0
#include "model/process.hpp"

#include <algorithm>
#include <string_view>

namespace connleak::model {

namespace {

// As the kernel has their names: cut at 15 bytes.
constexpr std::array<std::string_view, 9> kPoolers = {
    "pgbouncer", "pgcat", "odyssey", "pgpool", "pgagroal", "proxysql", "maxscale", "mysqlrouter", "nutcracker"};

}  // namespace

bool Process::pooler() const { return std::find(kPoolers.begin(), kPoolers.end(), comm) != kPoolers.end(); }

}  // namespace connleak::model
