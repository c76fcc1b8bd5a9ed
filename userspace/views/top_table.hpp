// SPDX-License-Identifier: Apache-2.0
// The live table: one row for each process and endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/snapshot.hpp"

namespace connleak {

// Texts are escaped.
struct TopRow {
  std::uint32_t pid = 0;
  bool alive = true;
  std::string comm;
  std::string endpoint;
  std::string protocol;
  std::uint64_t open = 0;
  std::uint64_t in_use = 0;
  std::uint64_t idle = 0;
  std::uint64_t in_transaction = 0;
  std::uint64_t half_closed = 0;
  std::optional<double> oldest_age_s;
  std::optional<double> oldest_idle_s;
  std::uint64_t leak = 0;
  std::uint64_t suspect = 0;
  std::string culprit;  // of the gravest finding; "" without one
};

struct TopStyle {
  bool colour = false;
  int width = 80;   // cells; below 40 counts as 40
  int height = 24;  // lines; below 5 counts as 5
};

// Sorted by leak, suspect and open, most first; then by pid. Accounts (user, database) of one endpoint are
// summed into its row; so are processes never.
[[nodiscard]] std::vector<TopRow> top_rows(const Snapshot& snapshot);

// At most height lines of at most width cells: host, time and totals, the table's head, rows. Where the width
// does not hold all columns, PROTO, HALF, TX, IDLEST, USE, IDLE and COMM go, in this order.
[[nodiscard]] std::vector<std::string> render_top(const Snapshot& snapshot, const TopStyle& style = {});

}  // namespace connleak
