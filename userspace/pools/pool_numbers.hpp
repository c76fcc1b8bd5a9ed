// SPDX-License-Identifier: Apache-2.0
// What a pool says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace connleak {

enum class PoolKind : std::uint8_t {
  sql,  // *database/sql.DB
  pgx,  // *github.com/jackc/pgx/v5/pgxpool.Pool
};

// The numbers of sql.DB.Stats(), or of pgxpool.Pool.Stat() in their places (see README.md). nullopt: this kind of
// pool, or this version of it, does not count that.
struct PoolNumbers {
  std::uint64_t max_open = 0;  // 0: unlimited
  std::uint64_t open = 0;      // with those being opened
  std::uint64_t in_use = 0;    // sql: open less idle; pgx: without those being opened
  std::uint64_t idle = 0;
  std::uint64_t wait_count = 0;  // since the pool was made, as all below but `waiting`
  std::optional<std::int64_t> wait_ns;
  std::optional<std::uint64_t> waiting;  // now
  std::optional<std::uint64_t> max_idle_closed;
  std::optional<std::uint64_t> max_idle_time_closed;
  std::optional<std::uint64_t> max_lifetime_closed;
  std::optional<std::uint64_t> opening;  // now
  std::optional<std::uint64_t> acquire_count;
  std::optional<std::int64_t> acquire_ns;
  friend bool operator==(const PoolNumbers&, const PoolNumbers&) = default;
};

enum class MemberState : std::uint8_t { opening, idle, in_use, closed };

struct PoolMember {
  std::uint64_t handle = 0;  // sql: *driverConn; pgx: *puddle.Resource, the first word of a *pgxpool.Conn
  MemberState state = MemberState::idle;
  friend bool operator==(const PoolMember&, const PoolMember&) = default;
};

struct PoolReading {
  PoolNumbers numbers;
  std::vector<PoolMember> members;  // sql: the idle ones, longest idle first; pgx: all
  // Nobody was changing the pool while it was read: the numbers and members are those of one instant. Else the
  // numbers are of one read of the structure, perhaps halfway through a change.
  bool settled = false;
};

}  // namespace connleak
