// SPDX-License-Identifier: Apache-2.0
// Snapshot to one HTML page: totals, findings by gravity, then every group with what was not flagged.
#include "export/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.hpp"
#include "export/html_style.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

std::string html(std::string_view raw) {
  std::string out;
  for (const char c : escape(raw)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string duration(const std::optional<double>& seconds) {
  if (!seconds || !std::isfinite(*seconds)) return "?";
  const double ns = std::clamp(*seconds, 0.0, 1e9) * 1e9;
  return format_duration(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
}

// "app@shop", "app", "" from what is known.
std::string account(const Group& g) {
  if (!g.user && !g.database) return "";
  return g.user.value_or("?") + (g.database ? "@" + *g.database : "");
}

class Page {
 public:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void put_frame(Page& page, const Frame& frame) {
  const std::string place = frame_place(frame);
  page.put("<span class=\"{}\">{}</span>{}\n", frame.application ? "app" : "dim", html(frame_name(frame)),
           place.empty() ? "" : "  <span class=\"dim\">" + html(place) + "</span>");
}

void put_members(Page& page, const Finding& f) {
  if (f.members.empty()) return;
  page.put(
      "<details><summary>{} connections</summary><table><tr><th class=\"num\">fd</th><th>local</th>"
      "<th>opened</th><th class=\"num\">age</th><th class=\"num\">idle</th><th>state</th>"
      "<th>transaction</th></tr>\n",
      f.members.size());
  for (const auto& m : f.members) {
    page.put(
        "<tr><td class=\"num\">{}</td><td class=\"mono\">{}</td><td>{}</td><td class=\"num\">{}{}</td>"
        "<td class=\"num\">{}</td><td>{}</td><td>{}</td></tr>\n",
        m.fd ? std::to_string(*m.fd) : "?",
        html(m.local  ? *m.local
             : m.peer ? fmt::format("{} pid {}", m.peer->comm, m.peer->pid)
                      : "?"),
        m.opened_unix_ns ? format_rfc3339(*m.opened_unix_ns) : "?", m.age_kind == AgeKind::at_least ? "&ge; " : "",
        duration(m.age_s), duration(m.idle_s), html(m.state), html(m.transaction.value_or("?")));
  }
  page.put("</table></details>\n");
}

void put_finding(Page& page, const Process& p, const Group& g, const Finding& f) {
  page.put("<section class=\"finding {}\">\n", verdict_name(f.verdict));
  page.put(
      "<h3><span class=\"v {0}\">{0}</span> {1} connection{2} of {3} <span class=\"dim\">(pid {4}{5})</span>"
      " to <span class=\"mono\">{6}</span> {7} <span class=\"dim\">({8})</span></h3>\n",
      verdict_name(f.verdict), f.connections, f.connections == 1 ? "" : "s", html(p.comm), p.pid,
      p.alive ? "" : ", exited", html(endpoint_name(g.endpoint)), html(account(g)), html(g.protocol));
  page.put("<div class=\"dim\">{} {}, confidence {}, oldest {}{}{}</div>\n<dl>\n", html(f.rule.value_or("")),
           html(f.name), confidence_name(f.confidence), duration(f.oldest_age_s),
           f.closed_at_exit ? ", closed at exit" : "", f.complete ? "" : ", events were lost in its time");
  if (f.culprit) {
    page.put(
        "<dt>lost at</dt><dd class=\"mono\"><span class=\"app\">{}</span> {}{}</dd>\n",
        html(frame_name(*f.culprit)), html(frame_place(*f.culprit)),
        f.stack_kind ? fmt::format(" <span class=\"dim\">({} stack)</span>", stack_kind_name(*f.stack_kind)) : "");
  }
  if (!f.callers.empty()) {
    page.put("<dt>called from</dt><dd class=\"mono\"><ul>");
    for (const auto& caller : f.callers)
      page.put("<li><span class=\"app\">{}</span> {} <span class=\"dim\">({} connection{})</span></li>",
               html(frame_name(caller.frame)), html(frame_place(caller.frame)), caller.connections,
               caller.connections == 1 ? "" : "s");
    page.put("</ul></dd>\n");
  }
  if (!f.why.empty()) {
    page.put("<dt>why</dt><dd><ul>");
    for (const auto& why : f.why) page.put("<li>{}</li>", html(why));
    page.put("</ul></dd>\n");
  }
  if (f.server_filter) page.put("<dt>on the server</dt><dd><pre>{}</pre></dd>\n", html(*f.server_filter));
  if (!f.also.empty())
    page.put("<dt>also fits</dt><dd>{}</dd>\n", html(fmt::format("{}", fmt::join(f.also, ", "))));
  page.put("</dl>\n");
  if (!f.stack.empty()) {
    page.put("<details open><summary>stack</summary><pre>");
    for (const auto& frame : f.stack) put_frame(page, frame);
    page.put("</pre></details>\n");
  }
  put_members(page, f);
  page.put("</section>\n");
}

void put_findings(Page& page, const Snapshot& s) {
  std::vector<std::tuple<const Process*, const Group*, const Finding*>> all;
  for (const auto& p : s.processes) {
    for (const auto& g : p.groups) {
      for (const auto& f : g.findings) all.emplace_back(&p, &g, &f);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const Finding& x = *std::get<2>(a);
    const Finding& y = *std::get<2>(b);
    return std::make_tuple(x.verdict, y.connections) < std::make_tuple(y.verdict, x.connections);
  });
  page.put("<h2>Findings</h2>\n");
  if (all.empty()) page.put("<p class=\"ok\">No leak found.</p>\n");
  for (const auto& [p, g, f] : all) put_finding(page, *p, *g, *f);
}

void put_groups(Page& page, const Snapshot& s) {
  page.put(
      "<h2>Watched</h2>\n<table><tr><th>process</th><th>endpoint</th><th>account</th><th class=\"num\">open</th>"
      "<th class=\"num\">in use</th><th class=\"num\">idle</th><th class=\"num\">in transaction</th>"
      "<th class=\"num\">half-closed</th><th>not flagged</th></tr>\n");
  for (const auto& p : s.processes) {
    for (const auto& g : p.groups) {
      page.put(
          "<tr><td>{} <span class=\"dim\">({}{})</span></td><td class=\"mono\">{}<br><span class=\"dim\">{}</span>"
          "</td><td>{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>"
          "<td class=\"num\">{}</td><td class=\"num\">{}</td><td>",
          html(p.comm), p.pid, p.alive ? "" : ", exited", html(endpoint_name(g.endpoint)), html(g.protocol),
          html(account(g)), g.open, g.in_use, g.idle, g.in_transaction, g.half_closed);
      for (const auto& n : g.not_flagged) page.put("<div>{}: {}</div>", n.connections, html(n.reason));
      page.put("</td></tr>\n");
    }
  }
  page.put("</table>\n");
}

void put_head(Page& page, const Snapshot& s) {
  const double window = static_cast<double>(s.ended_unix_ns - s.started_unix_ns) / 1e9;
  page.put(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>connleak: {} leaked on {}</title><style>{}</style></head><body>\n",
      s.summary.leak, html(s.hostname), html_style);
  page.put(
      "<h1>Database connections on {}</h1>\n<div class=\"dim\">{} to {} ({}), kernel {}, connleak {}{}</div>\n",
      html(s.hostname), format_rfc3339(s.started_unix_ns), format_rfc3339(s.ended_unix_ns), duration(window),
      html(s.kernel), html(s.tool_version), s.attached_late ? "; attached late: older ages are lower bounds" : "");
  page.put(
      "<ul class=\"totals\"><li class=\"n {}\"><b>{}</b>leaked</li><li class=\"n {}\"><b>{}</b>suspect</li>"
      "<li><b>{}</b>held</li><li><b>{}</b>stale</li><li><b>{}</b>open</li><li><b>{}</b>processes</li>"
      "<li><b>{}</b>retracted</li>",
      s.summary.leak != 0 ? "leak" : "", s.summary.leak, s.summary.suspect != 0 ? "suspect" : "",
      s.summary.suspect, s.summary.held, s.summary.stale, s.summary.connections_open, s.summary.processes,
      s.summary.retracted);
  if (s.suppressed != 0) page.put("<li><b>{}</b>suppressed</li>", s.suppressed);
  page.put("</ul>\n");
  if (!s.loss.complete) {
    page.put(
        "<p class=\"warn\">Incomplete: {} events were lost and {} could not be decoded. Counts may be low.</p>\n",
        s.loss.events_lost, s.loss.decode_errors);
  }
}

}  // namespace

std::string to_html(const Snapshot& snapshot) {
  Page page;
  put_head(page, snapshot);
  put_findings(page, snapshot);
  put_groups(page, snapshot);
  page.put("</body></html>\n");
  return page.take();
}

}  // namespace connleak
