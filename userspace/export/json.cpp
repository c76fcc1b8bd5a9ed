// SPDX-License-Identifier: Apache-2.0
// Snapshot to JSON, key by key in the order of the published schema.
#include "export/json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "export/utf8.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

using Json = nlohmann::ordered_json;

// JSON escapes control characters itself and the dump is ASCII, so valid text passes unchanged.
Json text(std::string_view raw) { return valid_utf8(raw) ? std::string(raw) : escape(raw); }

Json text(const std::optional<std::string>& raw) { return raw ? text(std::string_view(*raw)) : Json(nullptr); }

template <class T>
Json number(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Milliseconds are what the clocks are good for; a number that is none is unknown.
Json seconds(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return std::round(*value * 1000) / 1000;
}

Json time(const std::optional<std::int64_t>& unix_ns) {
  return unix_ns ? Json(format_rfc3339(*unix_ns)) : Json(nullptr);
}

Json texts(const std::vector<std::string>& all) {
  Json out = Json::array();
  for (const auto& one : all) out.push_back(text(std::string_view(one)));
  return out;
}

template <class T, class F>
Json list(const std::vector<T>& all, F&& one) {
  Json out = Json::array();
  for (const auto& item : all) out.push_back(one(item));
  return out;
}

Json culprit(const std::optional<Frame>& frame) {
  if (!frame) return nullptr;
  return {{"function", text(frame->function)},
          {"file", text(frame->file)},
          {"line", number(frame->line)},
          {"module", text(frame->module)},
          {"language", text(frame->language)}};
}

// Addresses are text: many readers hold numbers as doubles, which lose the low bits.
Json stack_frame(const Frame& frame) {
  return {{"function", text(frame.function)},
          {"file", text(frame.file)},
          {"line", number(frame.line)},
          {"module", text(frame.module)},
          {"address", frame.address != 0 ? Json(hex_address(frame.address)) : Json(nullptr)}};
}

Json lease(const std::optional<Lease>& l) {
  if (!l) return nullptr;
  return {{"object", text(std::string_view(l->object))},
          {"held_s", seconds(l->held_s)},
          {"goroutine", number(l->goroutine)},
          {"owner_alive", number(l->owner_alive)}};
}

Json member(const Member& m) {
  return {{"cookie", m.cookie},
          {"fd", number(m.fd)},
          {"local", text(m.local)},
          {"peer",
           m.peer ? Json{{"pid", m.peer->pid}, {"comm", text(std::string_view(m.peer->comm))}} : Json(nullptr)},
          {"opened_at", time(m.opened_unix_ns)},
          {"age_s", seconds(m.age_s)},
          {"age_kind", age_kind_name(m.age_kind)},
          {"idle_s", seconds(m.idle_s)},
          {"state", text(std::string_view(m.state))},
          {"transaction", text(m.transaction)},
          {"goroutine", number(m.goroutine)},
          {"lease", lease(m.lease)}};
}

Json pool(const Pool& p) {
  return {{"id", text(std::string_view(p.id))},
          {"driver", text(std::string_view(p.driver))},
          {"max_open", number(p.max_open)},
          {"open", p.open},
          {"in_use", p.in_use},
          {"idle", p.idle},
          {"waiting", p.waiting},
          {"wait_count", p.wait_count},
          {"wait_seconds", seconds(p.wait_seconds)},
          {"lost", p.lost},
          {"starved", p.starved ? Json(starved_name(*p.starved)) : Json(nullptr)}};
}

Json caller(const Caller& c) {
  Json out = culprit(c.frame);
  out["connections"] = c.connections;
  return out;
}

Json finding(const Finding& f) {
  return {{"verdict", verdict_name(f.verdict)},
          {"rule", text(f.rule)},
          {"name", text(std::string_view(f.name))},
          {"confidence", confidence_name(f.confidence)},
          {"complete", f.complete},
          {"connections", f.connections},
          {"epochs", f.epochs},
          {"oldest_age_s", seconds(f.oldest_age_s)},
          {"flagged_at", time(f.flagged_unix_ns)},
          {"culprit", culprit(f.culprit)},
          {"callers", list(f.callers, caller)},
          {"stack_kind", f.stack_kind ? Json(stack_kind_name(*f.stack_kind)) : Json(nullptr)},
          {"stack_id", text(f.stack_id)},
          {"stack_ids", texts(f.stack_ids)},
          {"stack", list(f.stack, stack_frame)},
          {"why", texts(f.why)},
          {"also", texts(f.also)},
          {"closed_at_exit", f.closed_at_exit},
          {"known", f.known},
          {"members", list(f.members, member)},
          {"server_filter", text(f.server_filter)}};
}

Json not_flagged(const NotFlagged& n) {
  return {{"connections", n.connections}, {"reason", text(std::string_view(n.reason))}};
}

Json group(const Group& g) {
  Json endpoint = {{"family", text(std::string_view(g.endpoint.family))},
                   {"address", text(g.endpoint.address)},
                   {"port", number(g.endpoint.port)},
                   {"path", text(g.endpoint.path)}};
  return {{"endpoint", std::move(endpoint)},
          {"protocol", text(std::string_view(g.protocol))},
          {"tls", number(g.tls)},
          {"user", text(g.user)},
          {"database", text(g.database)},
          {"driver", text(g.driver)},
          {"open", g.open},
          {"in_use", g.in_use},
          {"idle", g.idle},
          {"in_transaction", g.in_transaction},
          {"half_closed", g.half_closed},
          {"opened_total", g.opened_total},
          {"closed_total", g.closed_total},
          {"failed_total", g.failed_total},
          {"oldest_age_s", seconds(g.oldest_age_s)},
          {"oldest_idle_s", seconds(g.oldest_idle_s)},
          {"growth_per_hour", seconds(g.growth_per_hour)},
          {"exhausted_in_s", seconds(g.exhausted_in_s)},
          {"pools", list(g.pools, pool)},
          {"findings", list(g.findings, finding)},
          {"not_flagged", list(g.not_flagged, not_flagged)}};
}

Json open_at_exit(const OpenAtExit& o) {
  return {{"stack_id", text(o.stack_id)}, {"culprit", culprit(o.culprit)}, {"connections", o.connections}};
}

Json process(const Process& p) {
  return {{"pid", p.pid},
          {"start_time", time(p.start_unix_ns)},
          {"comm", text(std::string_view(p.comm))},
          {"exe", text(p.exe)},
          {"cgroup", text(p.cgroup)},
          {"container_id", text(p.container_id)},
          {"uid", number(p.uid)},
          {"alive", p.alive},
          {"open_at_exit", list(p.open_at_exit, open_at_exit)},
          {"groups", list(p.groups, group)}};
}

Json hook(const HookCount& h) {
  return {
      {"name", text(std::string_view(h.name))}, {"attached", h.attached}, {"hits", h.hits}, {"missed", h.missed}};
}

Json retraction(const RetractionCount& r) {
  return {{"rule", text(std::string_view(r.rule))}, {"connections", r.connections}};
}

Json gone(const BaselineFinding& f) {
  return {{"verdict", text(std::string_view(f.verdict))},
          {"rule", text(f.rule)},
          {"name", text(std::string_view(f.name))},
          {"stack_id", text(f.stack_id)},
          {"culprit", culprit(f.culprit)},
          {"comm", text(std::string_view(f.comm))},
          {"protocol", text(std::string_view(f.protocol))}};
}

Json baseline(const std::optional<BaselineOutcome>& outcome) {
  if (!outcome) return nullptr;
  return {{"known", outcome->known}, {"gone", list(outcome->gone, gone)}};
}

Json summary(const Snapshot& s) {
  return {{"processes", s.summary.processes}, {"connections_open", s.summary.connections_open},
          {"leak", s.summary.leak},           {"suspect", s.summary.suspect},
          {"held", s.summary.held},           {"stale", s.summary.stale},
          {"retracted", s.summary.retracted}, {"suppressed", s.suppressed}};
}

Json short_finding(const Finding& f) {
  return {{"verdict", verdict_name(f.verdict)},
          {"rule", text(f.rule)},
          {"connections", f.connections},
          {"culprit", f.culprit ? text(std::string_view(culprit_name(*f.culprit))) : Json(nullptr)}};
}

Json short_group(const Process& p, const Group& g) {
  return {{"pid", p.pid},
          {"start_time", time(p.start_unix_ns)},
          {"comm", text(std::string_view(p.comm))},
          {"endpoint", text(std::string_view(endpoint_name(g.endpoint)))},
          {"protocol", text(std::string_view(g.protocol))},
          {"open", g.open},
          {"in_use", g.in_use},
          {"idle", g.idle},
          {"in_transaction", g.in_transaction},
          {"half_closed", g.half_closed},
          {"opened_total", g.opened_total},
          {"closed_total", g.closed_total},
          {"failed_total", g.failed_total},
          {"oldest_age_s", seconds(g.oldest_age_s)},
          {"oldest_idle_s", seconds(g.oldest_idle_s)},
          {"findings", list(g.findings, short_finding)}};
}

// -1: one line. ASCII only, so that no byte of another process can drive a terminal that shows the file.
std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json(const Snapshot& s) {
  const double window = static_cast<double>(s.ended_unix_ns - s.started_unix_ns) / 1e9;
  const Json report = {
      {"schema", "connleak.report/1"},
      {"tool", {{"version", text(std::string_view(s.tool_version))}}},
      {"host", {{"hostname", text(std::string_view(s.hostname))}, {"kernel", text(std::string_view(s.kernel))}}},
      {"window",
       {{"started", format_rfc3339(s.started_unix_ns)},
        {"ended", format_rfc3339(s.ended_unix_ns)},
        {"seconds", seconds(window)},
        {"attached_late", s.attached_late}}},
      {"loss",
       {{"complete", s.loss.complete},
        {"events_lost", s.loss.events_lost},
        {"decode_errors", s.loss.decode_errors},
        {"hooks", list(s.loss.hooks, hook)}}},
      {"summary", summary(s)},
      {"retractions", list(s.retractions, retraction)},
      {"baseline", baseline(s.baseline)},
      {"processes", list(s.processes, process)}};
  return dump(report, 2);
}

std::string to_json_line(const Snapshot& s) {
  Json groups = Json::array();
  for (const auto& p : s.processes) {
    for (const auto& g : p.groups) groups.push_back(short_group(p, g));
  }
  const Json line = {{"schema", "connleak.summary/1"},
                     {"time", format_rfc3339(s.ended_unix_ns)},
                     {"host", text(std::string_view(s.hostname))},
                     {"complete", s.loss.complete},
                     {"events_lost", s.loss.events_lost},
                     {"summary", summary(s)},
                     {"groups", std::move(groups)}};
  return dump(line, -1);
}

}  // namespace connleak
