// SPDX-License-Identifier: Apache-2.0
#include "export/baseline.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/names.hpp"

namespace connleak {
namespace {

using Json = nlohmann::json;

std::optional<std::string> text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

BaselineFinding read(const Json& process, const Json& group, const Json& finding) {
  BaselineFinding out;
  out.verdict = finding.at("verdict").get<std::string>();
  out.rule = text(finding, "rule");
  out.name = finding.at("name").get<std::string>();
  out.stack_id = text(finding, "stack_id");
  if (const auto ids = finding.find("stack_ids"); ids != finding.end())
    out.stack_ids = ids->get<std::vector<std::string>>();
  if (out.stack_ids.empty() && out.stack_id) out.stack_ids = {*out.stack_id};
  out.comm = process.at("comm").get<std::string>();
  out.protocol = group.at("protocol").get<std::string>();
  const Json& culprit = finding.at("culprit");
  if (!culprit.is_object()) return out;
  out.culprit = Frame{};
  out.culprit->function = text(culprit, "function");
  out.culprit->file = text(culprit, "file");
  out.culprit->module = text(culprit, "module");
  if (const Json& line = culprit.at("line"); line.is_number_unsigned())
    out.culprit->line = line.get<std::uint32_t>();
  return out;
}

using Ids = std::vector<std::string>;

Ids ids(const Finding& finding) {
  if (!finding.stack_ids.empty()) return finding.stack_ids;
  return finding.stack_id ? Ids{*finding.stack_id} : Ids();
}

bool has(const Ids& ids, const std::string& id) { return std::ranges::find(ids, id) != ids.end(); }

// Some of its stacks are those of then; without stacks, what else is known of it.
bool same(const BaselineFinding& then, const Process& process, const Group& group, const Finding& now) {
  const Ids seen = ids(now);
  if (!then.stack_ids.empty() || !seen.empty())
    return std::ranges::any_of(seen, [&](const std::string& id) { return has(then.stack_ids, id); });
  return then.rule == now.rule && then.name == now.name && then.comm == process.comm &&
         then.protocol == group.protocol;
}

}  // namespace

Result<Baseline> Baseline::parse(std::string_view text) {
  Baseline baseline;
  try {
    const Json report = Json::parse(text);
    if (report.at("schema") != "connleak.report/1")
      return failure(ErrorKind::usage, "is not a report of schema connleak.report/1.");
    for (const Json& process : report.at("processes"))
      for (const Json& group : process.at("groups"))
        for (const Json& finding : group.at("findings"))
          baseline.findings_.push_back(read(process, group, finding));
  } catch (const Json::exception&) {
    return failure(ErrorKind::usage, "is not a report of connleak; make one with --format json.");
  }
  return baseline;
}

void Baseline::apply(Snapshot& snapshot) const {
  std::vector<bool> seen(findings_.size(), false);
  BaselineOutcome outcome;
  for (Process& process : snapshot.processes)
    for (Group& group : process.groups)
      for (Finding& finding : group.findings) {
        Ids fresh = ids(finding);
        for (std::size_t i = 0; i < findings_.size(); ++i) {
          if (!same(findings_[i], process, group, finding)) continue;
          finding.known = true;
          seen[i] = true;
          std::erase_if(fresh, [&](const std::string& id) { return has(findings_[i].stack_ids, id); });
        }
        // A new way to a known line is a new leak.
        finding.known = finding.known && fresh.empty();
        if (finding.known) outcome.known += finding.connections;
      }
  for (const Process& process : snapshot.processes)
    for (const Group& group : process.groups)
      for (const Finding& finding : group.suppressed)
        for (std::size_t i = 0; i < findings_.size(); ++i)
          if (same(findings_[i], process, group, finding)) seen[i] = true;
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    const std::string& verdict = findings_[i].verdict;
    const bool gated = verdict == verdict_name(Verdict::leak) || verdict == verdict_name(Verdict::suspect);
    if (!seen[i] && gated) outcome.gone.push_back(findings_[i]);
  }
  snapshot.baseline = std::move(outcome);
}

}  // namespace connleak
