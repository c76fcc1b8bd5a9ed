// SPDX-License-Identifier: Apache-2.0
// The whole report: findings, what was not flagged, what was lost, totals.
#include "views/text_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.hpp"
#include "report/convert.hpp"
#include "report/names.hpp"
#include "views/finding_block.hpp"
#include "views/layout.hpp"

namespace connleak {
namespace {

class Report {
 public:
  Report(const Snapshot& snapshot, const TextStyle& style)
      : s_(snapshot), paint_(style.colour), width_(static_cast<std::size_t>(std::max(style.width, 60))) {}

  std::string render() {
    put_context();
    put_findings();
    put_pools();
    put_not_flagged();
    put_open_at_exit();
    put_notes();
    put_totals();
    return std::move(out_);
  }

 private:
  void line(std::string_view text) { out_.append(text).append("\n"); }
  void wrapped(std::string_view text, std::size_t indent, Tone tone = Tone::plain, std::string_view mark = "") {
    bool first = true;
    for (const auto& part : wrap(text, width_ - indent)) {
      const std::string margin = first ? pad_left(mark, indent) : std::string(indent, ' ');
      line(paint_(tone, margin + cut(part, width_ - indent)));
      first = false;
    }
  }
  void heading(std::string_view text) { wrapped(text, 0, Tone::bold); }

  [[nodiscard]] std::string window() const {
    return duration_text(static_cast<double>(s_.ended_unix_ns - s_.started_unix_ns) / 1e9);
  }

  void put_context() {
    const std::string ended = format_rfc3339(s_.ended_unix_ns).substr(0, 19) + "Z";
    wrapped(fmt::format("connleak {} on {}, {}, observed for {}", escape(s_.tool_version), escape(s_.hostname),
                        ended, window()),
            0, Tone::dim);
    line("");
  }

  void put_findings() {
    std::vector<std::tuple<const Process*, const Group*, const Finding*>> all;
    for (const auto& p : s_.processes) {
      for (const auto& g : p.groups) {
        for (const auto& f : g.findings) all.emplace_back(&p, &g, &f);
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      const Finding& x = *std::get<2>(a);
      const Finding& y = *std::get<2>(b);
      return std::make_tuple(x.verdict, y.connections) < std::make_tuple(y.verdict, x.connections);
    });
    for (const auto& [p, g, f] : all) {
      for (const auto& text : finding_block(*p, *g, *f, paint_, width_)) line(text);
      line("");
    }
    if (all.empty()) put_nothing_found();
  }

  void put_nothing_found() {
    if (s_.processes.empty()) {
      heading("No database connection was seen.");
      wrapped("A connection shows once its first bytes tell a database protocol; --all shows the others too.", 0);
    } else {
      line(paint_(Tone::green, "No leak found."));
      std::uint64_t opened = 0;
      for (const auto& p : s_.processes) {
        for (const auto& g : p.groups) opened += g.opened_total;
      }
      wrapped(fmt::format("Watched {} process{} for {}: {} opened in that time, {} open now.", s_.processes.size(),
                          s_.processes.size() == 1 ? "" : "es", window(), connections_text(opened),
                          s_.summary.connections_open),
              0);
    }
    line("");
  }

  // Members of findings stand above; a group that is in a finding whole has nothing to say here.
  void put_not_flagged() {
    bool any = false;
    for (const auto& p : s_.processes) {
      for (const auto& g : p.groups) {
        if (g.not_flagged.empty() && (!g.findings.empty() || g.open == 0)) continue;
        if (!any) heading("Not flagged");
        any = true;
        put_group(p, g);
      }
    }
    if (any) line("");
  }

  void put_group(const Process& p, const Group& g) {
    std::string counts = fmt::format("{} open", g.open);
    const auto add = [&](std::uint64_t n, std::string_view what) {
      if (n != 0) counts += fmt::format(", {} {}", n, what);
    };
    add(g.in_use, "in use");
    add(g.idle, "idle");
    add(g.in_transaction, "in transaction");
    add(g.half_closed, "half-closed");
    add(g.failed_total, "failed to connect");
    wrapped(fmt::format("{} to {}:  {}", process_label(p), target_label(g), counts), 2);
    if (g.not_flagged.empty()) wrapped("no rule applies", 8, Tone::dim);
    for (const auto& n : g.not_flagged) {
      wrapped(escape(n.reason), 8, Tone::dim, std::to_string(n.connections) + "  ");
    }
  }

  // Those for which somebody waits, or had to.
  void put_pools() {
    bool any = false;
    for (const auto& p : s_.processes)
      for (const auto& g : p.groups)
        for (const auto& pool : g.pools) {
          if (!pool.starved && pool.wait_count == 0) continue;
          if (!any) heading("Pools with a queue");
          any = true;
          wrapped(fmt::format("{} to {}:  {}.", process_label(p), target_label(g), pool_line(pool)), 2);
        }
    if (any) line("");
  }

  void put_open_at_exit() {
    bool any = false;
    for (const auto& p : s_.processes) {
      if (p.open_at_exit.empty()) continue;
      if (!any) heading("Open when the process ended (its end closed them; by itself not a leak)");
      any = true;
      line("  " + cut(process_label(p), width_ - 2));
      for (const auto& o : p.open_at_exit) {
        wrapped(o.culprit ? escape(culprit_name(*o.culprit)) : std::string("place unknown"), 8, Tone::dim,
                std::to_string(o.connections) + "  ");
      }
    }
    if (any) line("");
  }

  void put_notes() {
    bool any = false;
    const auto note = [&](std::string_view text, Tone tone) {
      wrapped(text, 0, tone);
      any = true;
    };
    if (!s_.loss.complete) {
      std::uint64_t missed = 0;
      for (const auto& h : s_.loss.hooks) missed += h.missed;
      note(fmt::format("WARNING: incomplete. {} events were lost, {} could not be decoded, hooks missed {} calls. "
                       "Counts were corrected by a rescan; what opened and closed in between is not in them.",
                       s_.loss.events_lost, s_.loss.decode_errors, missed),
           Tone::yellow);
    }
    if (s_.attached_late) {
      note(
          "Attached late: connections older than connleak have ages that are lower bounds and no opening stack, "
          "and the growth rules wait for fresh growth.",
          Tone::dim);
    }
    if (s_.summary.retracted != 0) {
      std::string by;
      for (const auto& r : s_.retractions) {
        by += fmt::format("{}{} {}", by.empty() ? " (" : ", ", escape(r.rule), r.connections);
      }
      note(fmt::format("Retracted: {}{}, used, returned or closed after they had been reported.",
                       connections_text(s_.summary.retracted), by.empty() ? by : by + ")"),
           Tone::plain);
    }
    if (s_.suppressed != 0) {
      note(fmt::format("Suppressed: {}, hidden by --suppress.", connections_text(s_.suppressed)), Tone::plain);
    }
    if (s_.baseline) put_baseline(note);
    if (any) line("");
  }

  void put_baseline(const auto& note) {
    if (s_.baseline->known != 0)
      note(fmt::format("Known: {} in findings that the baseline has, too; they fail nothing.",
                       connections_text(s_.baseline->known)),
           Tone::plain);
    for (const auto& gone : s_.baseline->gone)
      note(fmt::format("Gone: {} {} of {}{}, which the baseline has, was not found.", escape(gone.verdict),
                       escape(gone.rule.value_or(gone.name)), escape(gone.comm),
                       gone.culprit ? " at " + escape(culprit_name(*gone.culprit)) : std::string()),
           Tone::green);
  }

  void put_totals() {
    const auto& t = s_.summary;
    // Painted piece by piece, so flowed by hand.
    std::string out;
    std::size_t used = 0;
    const auto put = [&](const std::string& text, Tone tone = Tone::plain) {
      if (used != 0 && used + 1 + display_width(text) > width_) {
        line(out);
        out.clear();
        used = 0;
      }
      if (used != 0) out += ' ';
      out += paint_(tone, text);
      used += display_width(text) + (used == 0 ? 0 : 1);
    };
    const auto count = [&](std::uint64_t n, std::string_view what, Tone tone) {
      put(fmt::format("{} {}", n, what), n == 0 ? Tone::plain : tone);
    };
    put(fmt::format("Total: {} process{}, {} open;", t.processes, t.processes == 1 ? "" : "es",
                    connections_text(t.connections_open)));
    count(t.leak, "leak,", Tone::red);
    count(t.suspect, "suspect,", Tone::yellow);
    count(t.held, "held,", Tone::blue);
    count(t.stale, "stale,", Tone::bold);
    count(t.retracted, "retracted", Tone::plain);
    line(out);
  }

  const Snapshot& s_;
  Paint paint_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string render_report(const Snapshot& snapshot, const TextStyle& style) {
  return Report(snapshot, style).render();
}

}  // namespace connleak
