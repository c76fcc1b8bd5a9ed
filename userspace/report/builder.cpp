// SPDX-License-Identifier: Apache-2.0
#include "report/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/callers.hpp"
#include "report/convert.hpp"
#include "report/growth.hpp"

namespace connleak {
namespace {

class Builder {
 public:
  Builder(const Model& model, const Detector& detector, const ReportContext& context)
      : model_(model), detector_(detector), context_(context) {}

  Snapshot build() {
    head();
    loss();
    for (const auto& [key, process] : model_.processes()) add(*process);
    for (const detect::Retraction& retraction : detector_.retractions()) {
      out_.retractions.push_back({retraction.rule, retraction.connections});
      out_.summary.retracted += retraction.connections;
    }
    out_.summary.processes = out_.processes.size();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::int64_t unix_ns(std::uint64_t boot_ns) const {
    return static_cast<std::int64_t>(boot_ns) + context_.preamble.boot_to_unix_ns;
  }

  void head() {
    out_.tool_version = context_.tool_version;
    out_.hostname = context_.preamble.hostname;
    out_.kernel = context_.preamble.kernel;
    out_.started_unix_ns = unix_ns(context_.preamble.started_ns);
    out_.ended_unix_ns = unix_ns(std::max(context_.now_ns, context_.preamble.started_ns));
    out_.attached_late = context_.preamble.attached_late;
  }

  void loss() {
    const model::Losses& losses = model_.losses();
    out_.loss.events_lost = losses.events_lost;
    out_.loss.decode_errors = losses.decode_errors;
    out_.loss.complete = losses.complete() && !context_.cut;
    for (const auto& [name, hook] : losses.hooks)
      out_.loss.hooks.push_back({name, hook.attached, hook.hits, hook.missed});
  }

  void add(const model::Process& process) {
    Process out;
    out.pid = process.key.tgid;
    if (process.key.start_ns != 0) out.start_unix_ns = unix_ns(process.key.start_ns);
    out.comm = process.comm;
    out.exe = process.exe;
    out.cgroup = process.cgroup;
    if (process.cgroup) out.container_id = container_id(*process.cgroup);
    out.uid = process.uid;
    out.alive = process.alive;
    for (const model::OpenAtExit& open : process.open_at_exit) {
      OpenAtExit line;
      line.connections = open.connections;
      if (open.stack != nullptr) {
        line.stack_id = open.stack->id;
        if (const auto* frame = open.stack->culprit_frame()) line.culprit = to_frame(*frame);
      }
      out.open_at_exit.push_back(std::move(line));
    }
    for (const auto& [key, group] : process.groups) add(*group, process, out);
    if (!out.groups.empty()) out_.processes.push_back(std::move(out));
  }

  void add(const model::Group& group, const model::Process& process, Process& into) {
    const auto& findings = detector_.findings(group);
    if (group.opened + group.closed + group.failed == 0 && group.members.empty() && findings.empty()) return;
    Group out;
    out.endpoint = to_endpoint(group.key.address);
    out.protocol = to_protocol(group.key.protocol);
    if (group.opened > 0) out.tls = group.tls;
    if (!group.key.user.empty()) out.user = group.key.user;
    if (!group.key.database.empty()) out.database = group.key.database;
    out.opened_total = group.opened;
    out.closed_total = group.closed;
    out.failed_total = group.failed;
    out.driver = to_driver(group.driver);
    for (const model::Connection* member : group.members) count(*member, out);
    for (const auto& [address, pool] : process.pools)
      if ((!process.alive || pool.is_current(context_.now_ns)) && home_of(address, process) == &group)
        out.pools.push_back(starved(to_pool(pool), pool, findings));
    out_.summary.connections_open += out.open;
    for (const detect::Finding& finding : findings) add(finding, group, process, out);
    out.growth_per_hour = growth(findings);
    out.exhausted_in_s = exhausted_in_s(group.key.address, out.growth_per_hour);
    for (const detect::NotFlagged& spared : detector_.not_flagged(group))
      out.not_flagged.push_back({spared.connections, spared.reason});
    into.groups.push_back(std::move(out));
  }

  // The group of most connections that were taken out of the pool; nullptr: none is there.
  [[nodiscard]] static const model::Group* home_of(std::uint64_t pool, const model::Process& process) {
    std::map<const model::Group*, std::size_t> counts;
    for (const auto& [handle, lease] : process.leases)
      if (lease.record.pool == pool && lease.connection != nullptr && lease.connection->group != nullptr)
        ++counts[lease.connection->group];
    const auto most = std::ranges::max_element(
        counts, {}, [](const auto& entry) { return std::pair(entry.second, entry.first->key); });
    return most == counts.end() ? nullptr : most->first;
  }

  [[nodiscard]] static Pool starved(Pool out, const model::Pool& pool,
                                    const std::vector<detect::Finding>& findings) {
    for (const detect::Finding& finding : findings) {
      if (finding.verdict != detect::Verdict::leak && finding.verdict != detect::Verdict::suspect) continue;
      for (const detect::Member& member : finding.members) {
        const model::Lease* lease = member.connection->lease;
        if (lease != nullptr && lease->held() && lease->record.pool == pool.record.pool) ++out.lost;
      }
    }
    if (pool.exhausted()) out.starved = out.lost != 0 ? Starved::slots_leaked : Starved::too_small;
    return out;
  }

  // Until the server's limit, as far as its refusals tell it.
  [[nodiscard]] std::optional<double> exhausted_in_s(const model::Address& address,
                                                     std::optional<double> growth_per_hour) const {
    const auto limit = model_.limit(address);
    if (!limit || !growth_per_hour || *growth_per_hour <= 0) return std::nullopt;
    const std::uint64_t held = model_.held(address);
    return held >= *limit ? 0 : static_cast<double>(*limit - held) * 3600 / *growth_per_hour;
  }

  // Of the members that are lost, by the verdict of now.
  [[nodiscard]] static std::optional<double> growth(const std::vector<detect::Finding>& findings) {
    std::vector<std::uint64_t> lost_ns;
    std::uint64_t now_ns = 0;
    for (const detect::Finding& finding : findings) {
      if (finding.verdict != detect::Verdict::leak && finding.verdict != detect::Verdict::suspect) continue;
      now_ns = std::max(now_ns, finding.judged_ns);
      for (const detect::Member& member : finding.members)
        if (const auto since = model::idle_since(*member.connection)) lost_ns.push_back(*since);
    }
    return growth_per_hour(std::move(lost_ns), now_ns);
  }

  void count(const model::Connection& member, Group& group) const {
    switch (model::state(member)) {
      case model::State::in_use:
        ++group.in_use;
        break;
      case model::State::idle:
        ++group.idle;
        break;
      case model::State::in_transaction:
        ++group.in_transaction;
        break;
      case model::State::half_closed:
        ++group.half_closed;
        break;
      case model::State::opening:
      case model::State::closed:
        return;
    }
    ++group.open;
    const model::Age age = model::age(member, context_.now_ns);
    if (age.kind != model::AgeKind::unknown)
      group.oldest_age_s = std::max(group.oldest_age_s.value_or(0), seconds(age.ns));
    if (const auto idle = model::idle_ns(member, context_.now_ns))
      group.oldest_idle_s = std::max(group.oldest_idle_s.value_or(0), seconds(*idle));
  }

  void add(const detect::Finding& finding, const model::Group& from, const model::Process& process, Group& group) {
    Finding out;
    out.rule = finding.rule;
    out.name = finding.name;
    out.complete = finding.complete && !context_.cut;
    out.connections = finding.members.size();
    out.epochs = finding.epochs;
    if (finding.flagged_ns != 0) out.flagged_unix_ns = unix_ns(finding.flagged_ns);
    if (finding.stack != nullptr) {
      out.stack_kind = stack_kind_of(finding.stack_of);
      out.stack_id = finding.stack->id;
      for (const model::StackFrame& frame : finding.stack->frames) out.stack.push_back(to_frame(frame));
      if (const auto* frame = finding.stack->culprit_frame()) out.culprit = to_frame(*frame);
      for (const model::Stack* stack : finding.stacks)
        if (std::ranges::find(out.stack_ids, stack->id) == out.stack_ids.end()) out.stack_ids.push_back(stack->id);
      out.callers = callers(finding, from);
    }
    if (finding.fork_stack != nullptr && finding.fork_stack->has_application_frame())
      out.culprit = to_frame(*finding.fork_stack->culprit_frame());
    out.why = finding.why;
    if (!out.culprit && process.frames_note) out.why.push_back("the line is not known: " + *process.frames_note);
    out.also = finding.also;
    out.closed_at_exit = finding.closed_at_exit;
    out.server_filter = finding.server_filter;
    for (const detect::Member& member : finding.members) {
      out.members.push_back(to_member(*member.connection, finding.judged_ns, process));
      out.members.back().goroutine = to_goroutine(*member.connection, finding.stack_of);
      if (const auto& age = out.members.back().age_s)
        out.oldest_age_s = std::max(out.oldest_age_s.value_or(0), *age);
    }
    switch (finding.confidence) {
      case detect::Confidence::high:
        out.confidence = Confidence::high;
        break;
      case detect::Confidence::medium:
        out.confidence = Confidence::medium;
        break;
      case detect::Confidence::low:
        out.confidence = Confidence::low;
        break;
    }
    std::uint64_t* counted = nullptr;
    switch (finding.verdict) {
      case detect::Verdict::leak:
        out.verdict = Verdict::leak;
        counted = &out_.summary.leak;
        break;
      case detect::Verdict::suspect:
        out.verdict = Verdict::suspect;
        counted = &out_.summary.suspect;
        break;
      case detect::Verdict::held:
        out.verdict = Verdict::held;
        counted = &out_.summary.held;
        break;
      case detect::Verdict::stale:
        out.verdict = Verdict::stale;
        counted = &out_.summary.stale;
        break;
    }
    if (context_.suppressions.hides(out, group.endpoint)) {
      out_.suppressed += out.connections;
      group.not_flagged.push_back(
          {out.connections, fmt::format("suppressed: {} is known and wanted",
                                        out.culprit && out.culprit->function ? *out.culprit->function
                                                                             : std::string("this endpoint"))});
      group.suppressed.push_back(std::move(out));
      return;
    }
    *counted += out.connections;
    group.findings.push_back(std::move(out));
  }

  [[nodiscard]] Member to_member(const model::Connection& connection, std::uint64_t judged_ns,
                                 const model::Process& process) const {
    Member out;
    out.cookie = connection.key.cookie;
    for (const model::Holder& holder : connection.holders)
      if (holder.process == process.key && !out.fd) out.fd = static_cast<int>(holder.fd);
    out.local = to_local(connection);
    if (connection.record.peer_pid != 0)
      out.peer = {connection.record.peer_pid, std::string(fixed_text(connection.record.peer_comm))};
    out.opened_unix_ns = unix_ns(connection.key.opened_ns);
    const model::Age age = model::age(connection, judged_ns);
    switch (age.kind) {
      case model::AgeKind::exact:
        out.age_kind = AgeKind::exact;
        break;
      case model::AgeKind::at_least:
        out.age_kind = AgeKind::at_least;
        out.opened_unix_ns.reset();
        break;
      case model::AgeKind::unknown:
        out.age_kind = AgeKind::unknown;
        break;
    }
    if (age.kind != model::AgeKind::unknown) out.age_s = seconds(age.ns);
    if (const auto idle = model::idle_ns(connection, judged_ns)) out.idle_s = seconds(*idle);
    out.state = to_state(model::state(connection));
    out.transaction = to_transaction(connection);
    out.lease = to_lease(connection, judged_ns);
    return out;
  }

  const Model& model_;
  const Detector& detector_;
  const ReportContext& context_;
  Snapshot out_;
};

}  // namespace

Snapshot build_snapshot(const Model& model, const Detector& detector, const ReportContext& context) {
  return Builder(model, detector, context).build();
}

}  // namespace connleak
