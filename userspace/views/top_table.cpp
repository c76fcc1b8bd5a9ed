// SPDX-License-Identifier: Apache-2.0
// Snapshot to rows to lines.
#include "views/top_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "report/names.hpp"
#include "views/layout.hpp"

namespace connleak {
namespace {

void raise(std::optional<double>& to, const std::optional<double>& value) {
  if (value) to = std::max(to.value_or(*value), *value);
}

const Finding* gravest(const Group& g, const Finding* so_far) {
  for (const auto& f : g.findings) {
    if (so_far == nullptr ||
        std::make_tuple(f.verdict, so_far->connections) < std::make_tuple(so_far->verdict, f.connections)) {
      so_far = &f;
    }
  }
  return so_far;
}

void add(TopRow& row, const Group& g) {
  row.open += g.open;
  row.in_use += g.in_use;
  row.idle += g.idle;
  row.in_transaction += g.in_transaction;
  row.half_closed += g.half_closed;
  raise(row.oldest_age_s, g.oldest_age_s);
  raise(row.oldest_idle_s, g.oldest_idle_s);
  for (const auto& f : g.findings) {
    if (f.verdict == Verdict::leak) row.leak += f.connections;
    if (f.verdict == Verdict::suspect) row.suspect += f.connections;
  }
}

enum class Column {
  pid,
  comm,
  endpoint,
  proto,
  open,
  use,
  idle,
  tx,
  half,
  oldest,
  idlest,
  leak,
  suspect,
  culprit
};

struct ColumnSpec {
  Column column;
  std::string_view title;
  bool text;            // left-aligned; gives way where the width is short
  std::size_t minimum;  // of text columns
  std::size_t maximum;
};

constexpr std::array<ColumnSpec, 14> specs = {{{Column::pid, "PID", false, 0, 10},
                                               {Column::comm, "COMM", true, 8, 16},
                                               {Column::endpoint, "ENDPOINT", true, 14, 48},
                                               {Column::proto, "PROTO", true, 5, 10},
                                               {Column::open, "OPEN", false, 0, 8},
                                               {Column::use, "USE", false, 0, 8},
                                               {Column::idle, "IDLE", false, 0, 8},
                                               {Column::tx, "TX", false, 0, 8},
                                               {Column::half, "HALF", false, 0, 8},
                                               {Column::oldest, "OLDEST", false, 0, 8},
                                               {Column::idlest, "IDLEST", false, 0, 8},
                                               {Column::leak, "LEAK", false, 0, 8},
                                               {Column::suspect, "SUSPECT", false, 0, 8},
                                               {Column::culprit, "CULPRIT", true, 18, 200}}};
constexpr std::array<Column, 7> first_to_go = {Column::proto, Column::half, Column::tx,  Column::idlest,
                                               Column::use,   Column::idle, Column::comm};
// Who gives cells first: a cut path still says enough, a cut process name less so.
constexpr std::array<Column, 4> first_to_shrink = {Column::culprit, Column::endpoint, Column::comm, Column::proto};

// A zero is noise in a table that is read for what is not zero.
std::string count(std::uint64_t n) { return n == 0 ? "-" : std::to_string(n); }

std::string cell(const TopRow& row, Column column) {
  switch (column) {
    case Column::pid:
      return std::to_string(row.pid) + (row.alive ? "" : "x");
    case Column::comm:
      return row.comm;
    case Column::endpoint:
      return row.endpoint;
    case Column::proto:
      return row.protocol;
    case Column::open:
      return std::to_string(row.open);
    case Column::use:
      return count(row.in_use);
    case Column::idle:
      return count(row.idle);
    case Column::tx:
      return count(row.in_transaction);
    case Column::half:
      return count(row.half_closed);
    case Column::oldest:
      return duration_text(row.oldest_age_s);
    case Column::idlest:
      return duration_text(row.oldest_idle_s);
    case Column::leak:
      return count(row.leak);
    case Column::suspect:
      return count(row.suspect);
    case Column::culprit:
      return row.culprit;
  }
  return "";
}

struct Placed {
  ColumnSpec spec;
  std::size_t width;
};

std::size_t total(const std::vector<Placed>& columns) {
  std::size_t width = columns.empty() ? 0 : columns.size() - 1;
  for (const auto& c : columns) width += c.width;
  return width;
}

std::vector<Placed> place(const std::vector<TopRow>& rows, std::size_t width) {
  std::vector<Placed> columns;
  for (const auto& spec : specs) {
    std::size_t w = spec.title.size();
    for (const auto& row : rows) w = std::max(w, display_width(cell(row, spec.column)));
    columns.push_back({spec, std::min(w, spec.maximum)});
  }
  const auto shrink = [&] {
    for (const Column column : first_to_shrink) {
      for (auto& c : columns) {
        const std::size_t all = total(columns);
        if (c.spec.column != column || all <= width || c.width <= c.spec.minimum) continue;
        c.width -= std::min(c.width - c.spec.minimum, all - width);
      }
    }
  };
  const auto least = [&] {
    std::vector<Placed> smallest = columns;
    for (auto& c : smallest) c.width = c.spec.text ? std::min(c.width, c.spec.minimum) : c.width;
    return total(smallest);
  };
  for (const Column column : first_to_go) {
    if (least() <= width) break;
    std::erase_if(columns, [column](const Placed& c) { return c.spec.column == column; });
  }
  shrink();
  return columns;
}

std::string row_text(const std::vector<Placed>& columns, std::size_t width, auto&& cell_of) {
  std::string out;
  for (const auto& c : columns) {
    if (!out.empty()) out += ' ';
    std::string text = cell_of(c.spec);
    // Of a culprit the end says most: file and line.
    if (c.spec.column == Column::culprit) text = cut_left(text, c.width);
    out += c.spec.text ? pad(text, c.width) : pad_left(text, c.width);
  }
  out = cut(out, width);
  return out.substr(0, out.find_last_not_of(' ') + 1);
}

// As much of host, time and totals as fits, the totals first of all.
void put_header(std::vector<std::string>& lines, const Snapshot& s, std::size_t width, const Paint& paint) {
  const auto& t = s.summary;
  const std::string time = format_rfc3339(s.ended_unix_ns).substr(0, 19) + "Z";
  std::string first = fmt::format("connleak  {}  {}", escape(s.hostname), time);
  if (!s.loss.complete) first += fmt::format("  INCOMPLETE: {} events lost", s.loss.events_lost);
  lines.push_back(paint(Tone::bold, cut(first, width)));
  const std::string totals =
      fmt::format("{} leak, {} suspect, {} held, {} stale  of {} open in {} process{}", t.leak, t.suspect, t.held,
                  t.stale, t.connections_open, t.processes, t.processes == 1 ? "" : "es");
  const Tone tone = t.leak != 0 ? Tone::red : t.suspect != 0 ? Tone::yellow : Tone::green;
  lines.push_back(paint(tone, cut(totals, width)));
  lines.emplace_back();
}

}  // namespace

std::vector<TopRow> top_rows(const Snapshot& snapshot) {
  std::vector<TopRow> rows;
  for (const auto& p : snapshot.processes) {
    std::map<std::pair<std::string, std::string>, std::vector<const Group*>> by_endpoint;
    for (const auto& g : p.groups) by_endpoint[{endpoint_name(g.endpoint), g.protocol}].push_back(&g);
    for (const auto& [key, groups] : by_endpoint) {
      TopRow row;
      row.pid = p.pid;
      row.alive = p.alive;
      row.comm = escape(p.comm);
      row.endpoint = escape(key.first);
      row.protocol = escape(key.second);
      const Finding* worst = nullptr;
      for (const Group* g : groups) {
        add(row, *g);
        worst = gravest(*g, worst);
      }
      if (worst != nullptr) row.culprit = worst->culprit ? escape(culprit_name(*worst->culprit)) : "?";
      rows.push_back(std::move(row));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const TopRow& a, const TopRow& b) {
    return std::make_tuple(b.leak, b.suspect, b.open, a.pid) < std::make_tuple(a.leak, a.suspect, a.open, b.pid);
  });
  return rows;
}

std::vector<std::string> render_top(const Snapshot& snapshot, const TopStyle& style) {
  const auto width = static_cast<std::size_t>(std::max(style.width, 40));
  const auto height = static_cast<std::size_t>(std::max(style.height, 5));
  const Paint paint(style.colour);
  const std::vector<TopRow> rows = top_rows(snapshot);
  std::vector<std::string> lines;
  put_header(lines, snapshot, width, paint);
  if (rows.empty()) {
    lines.push_back(cut("No database connection seen yet.", width));
    return lines;
  }
  const std::vector<Placed> columns = place(rows, width);
  lines.push_back(
      paint(Tone::dim, row_text(columns, width, [](const ColumnSpec& c) { return std::string(c.title); })));
  const std::size_t room = height - lines.size();
  const std::size_t shown = rows.size() <= room ? rows.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) {
    const TopRow& row = rows[i];
    const Tone tone = row.leak != 0      ? Tone::red
                      : row.suspect != 0 ? Tone::yellow
                      : row.alive        ? Tone::plain
                                         : Tone::dim;
    lines.push_back(
        paint(tone, row_text(columns, width, [&](const ColumnSpec& c) { return cell(row, c.column); })));
  }
  if (shown < rows.size()) {
    lines.push_back(paint(Tone::dim, cut(fmt::format("... {} more rows", rows.size() - shown), width)));
  }
  return lines;
}

}  // namespace connleak
