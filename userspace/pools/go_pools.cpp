// SPDX-License-Identifier: Apache-2.0
#include "pools/go_pools.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "pools/pgx_pool.hpp"
#include "pools/sql_pool.hpp"

namespace connleak {

namespace {

constexpr std::string_view kPgx = "github.com/jackc/pgx/v5";
constexpr std::string_view kPuddle = "github.com/jackc/puddle/v2";

constexpr std::size_t kMaxVersion = 100;  // characters of a version; releases have some ten

// "v5.7.6"; of one that stands in for another, which may be anything, "PATH v5.7.6".
std::string version_of(const GoModule& module) {
  std::string version = module.version;
  if (!module.replaces.empty()) version = module.path + (version.empty() ? "" : " ") + version;
  return version.substr(0, kMaxVersion);
}

}  // namespace

GoPools GoPools::find(const ElfImage& program, const ElfImage* debug) {
  GoPools pools;
  if (!program.is_64_bit_little_endian()) {
    pools.sql_known_.why_not = pools.pgx_known_.why_not = "it is no 64-bit little-endian program";
    return pools;
  }
  const auto info = read_go_build_info(program);
  if (!info) {
    pools.sql_known_.why_not = pools.pgx_known_.why_not = "it has no build information of Go 1.18 or newer";
    return pools;
  }
  pools.sql_known_.basis = info->version.substr(0, kMaxVersion);
  pools.sql_ = known_sql_layout(info->version);
  const GoModule* pgx = info->module(kPgx);
  const GoModule* puddle = info->module(kPuddle);
  const bool has_pgx = pgx != nullptr && puddle != nullptr;
  if (has_pgx) {
    pools.pgx_known_.basis = fmt::format("pgx {}, puddle {}", version_of(*pgx), version_of(*puddle));
    pools.pgx_ = known_pgx_layout(version_of(*pgx), version_of(*puddle));
  }
  if (pools.sql_ && (pools.pgx_ || !has_pgx)) {
    if (!has_pgx) pools.pgx_known_.why_not = "it has no pgx v5";
    return pools;
  }

  auto structs = find_go_structs(program, pool_struct_names());
  if (structs.empty() && debug != nullptr) structs = find_go_structs(*debug, pool_struct_names());
  const auto settle = [](auto& layout, auto described, Known& known) {
    if (layout) return;
    layout = std::move(described);
    if (layout)
      known.basis += ", by its debug information";
    else
      known.why_not = fmt::format("{} is no version that is known, and the program has no debug information of it",
                                  known.basis);
  };
  settle(pools.sql_, described_sql_layout(structs), pools.sql_known_);
  if (has_pgx)
    settle(pools.pgx_, described_pgx_layout(structs), pools.pgx_known_);
  else
    pools.pgx_known_.why_not = "it has no pgx v5";
  return pools;
}

Result<PoolReading> GoPools::read(PoolKind kind, const Memory& memory, std::uint64_t pool) const {
  if (!why_not(kind).empty()) return failure(ErrorKind::unsupported, why_not(kind));
  return kind == PoolKind::sql ? read_sql_pool(*sql_, memory, pool) : read_pgx_pool(*pgx_, memory, pool);
}

std::optional<MemberState> GoPools::member(PoolKind kind, const Memory& memory, std::uint64_t pool,
                                           std::uint64_t handle) const {
  if (!why_not(kind).empty()) return std::nullopt;
  if (kind == PoolKind::sql) return sql_member(*sql_, memory, pool, handle);
  const auto reading = read(kind, memory, pool);
  if (!reading) return std::nullopt;
  const auto found = std::ranges::find(reading->members, handle, &PoolMember::handle);
  return found == reading->members.end() ? std::nullopt : std::optional(found->state);
}

}  // namespace connleak
