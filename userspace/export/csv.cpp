// SPDX-License-Identifier: Apache-2.0
// One row for each finding.
#include "export/csv.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

constexpr std::string_view header =
    "time,host,pid,start_time,comm,exe,cgroup,container_id,alive,endpoint,protocol,user,database,"
    "verdict,rule,name,confidence,complete,connections,epochs,oldest_age_s,"
    "culprit_function,culprit_file,culprit_line,culprit_module,stack_kind,stack_id,"
    "closed_at_exit,also,why,server_filter,known,callers\n";

class Row {
 public:
  Row& text(std::string_view raw) {
    std::string field = escape(raw);
    if (!field.empty() && std::string_view("=+-@").find(field.front()) != std::string_view::npos) {
      field.insert(0, 1, '\'');
    }
    // Spreadsheets of some locales split at semicolons, where the next piece could be a formula again.
    if (field.find_first_of(",;\" '") == std::string::npos) return add(field);
    std::string quoted = "\"";
    for (const char c : field) {
      if (c == '"') quoted += '"';
      quoted += c;
    }
    return add(quoted + "\"");
  }
  Row& text(const std::optional<std::string>& raw) { return raw ? text(std::string_view(*raw)) : add(""); }
  Row& text(const std::string& raw) { return text(std::string_view(raw)); }
  Row& number(std::uint64_t value) { return add(fmt::format("{}", value)); }
  Row& seconds(const std::optional<double>& value) {
    return add(value && std::isfinite(*value) ? fmt::format("{:.3f}", *value) : "");
  }
  Row& flag(bool value) { return add(value ? "true" : "false"); }
  [[nodiscard]] std::string line() const { return line_ + "\n"; }

 private:
  Row& add(std::string_view field) {
    if (!first_) line_ += ',';
    first_ = false;
    line_ += field;
    return *this;
  }
  std::string line_;
  bool first_ = true;
};

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string row(const Snapshot& s, const Process& p, const Group& g, const Finding& f) {
  const Frame culprit = f.culprit.value_or(Frame{});
  Row r;
  r.text(format_rfc3339(s.ended_unix_ns)).text(s.hostname).number(p.pid);
  r.text(p.start_unix_ns ? format_rfc3339(*p.start_unix_ns) : std::string()).text(p.comm).text(p.exe);
  r.text(p.cgroup).text(p.container_id).flag(p.alive).text(endpoint_name(g.endpoint)).text(g.protocol);
  r.text(g.user).text(g.database);
  r.text(verdict_name(f.verdict)).text(f.rule).text(f.name).text(confidence_name(f.confidence)).flag(f.complete);
  r.number(f.connections).number(f.epochs).seconds(f.oldest_age_s);
  r.text(culprit.function).text(culprit.file);
  r.text(culprit.line ? std::to_string(*culprit.line) : std::string()).text(culprit.module);
  r.text(f.stack_kind ? stack_kind_name(*f.stack_kind) : std::string_view()).text(f.stack_id);
  r.flag(f.closed_at_exit).text(joined(f.also, " ")).text(joined(f.why, "; ")).text(f.server_filter).flag(f.known);
  std::vector<std::string> callers;
  callers.reserve(f.callers.size());
  for (const Caller& caller : f.callers)
    callers.push_back(fmt::format("{} {}", caller.connections, culprit_name(caller.frame)));
  r.text(joined(callers, "; "));
  return r.line();
}

}  // namespace

std::string to_csv(const Snapshot& snapshot) {
  std::string out(header);
  for (const auto& p : snapshot.processes) {
    for (const auto& g : p.groups) {
      for (const auto& f : g.findings) out += row(snapshot, p, g, f);
    }
  }
  return out;
}

}  // namespace connleak
