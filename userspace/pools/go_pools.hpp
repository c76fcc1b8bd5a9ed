// SPDX-License-Identifier: Apache-2.0
// Pools of a living Go program, read from outside without stopping it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/memory.hpp"
#include "base/result.hpp"
#include "pools/layouts.hpp"
#include "pools/pool_numbers.hpp"
#include "symbols/elf_image.hpp"

namespace connleak {

// What is known of one program. Immutable; borrows nothing, so that it serves all processes of the same file.
class GoPools {
 public:
  // Looks at the program's build information and, for versions that are in no table, at its debug information or
  // that of its separate debug file: some ten milliseconds for each 2 MB of those. `debug`: nullptr where there is
  // none.
  [[nodiscard]] static GoPools find(const ElfImage& program, const ElfImage* debug = nullptr);

  // "": it can be read. Else one sentence without a stop.
  [[nodiscard]] const std::string& why_not(PoolKind kind) const { return of(kind).why_not; }
  // "go1.26.8", "pgx v5.7.6, puddle v2.2.2"; where it was not the table, with ", by its debug information".
  [[nodiscard]] const std::string& basis(PoolKind kind) const { return of(kind).basis; }

  // `pool`: its address, as the program's own functions get it. Fails where it cannot be read or what is there
  // does not hold together. Of a pool that changes all the time the last of 8 attempts is given, not `settled`.
  [[nodiscard]] Result<PoolReading> read(PoolKind kind, const Memory& memory, std::uint64_t pool) const;

  // What has become of a member that was seen before. nullopt: it is none of this pool, or not any more.
  [[nodiscard]] std::optional<MemberState> member(PoolKind kind, const Memory& memory, std::uint64_t pool,
                                                  std::uint64_t handle) const;

 private:
  struct Known {
    std::string why_not;
    std::string basis;
  };
  [[nodiscard]] const Known& of(PoolKind kind) const { return kind == PoolKind::sql ? sql_known_ : pgx_known_; }

  Known sql_known_;
  Known pgx_known_;
  std::optional<SqlLayout> sql_;
  std::optional<PgxLayout> pgx_;
};

}  // namespace connleak
