// SPDX-License-Identifier: Apache-2.0
#include "views/explain.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "app/commands.hpp"
#include "app/observe.hpp"
#include "app/outcome.hpp"
#include "app/version.hpp"
#include "base/text.hpp"
#include "report/convert.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

class Explainer {
 public:
  Explainer(const Pipeline& pipeline, const Preamble& preamble) : pipeline_(pipeline), preamble_(preamble) {}

  // Nullopt: nothing of that process was seen.
  [[nodiscard]] std::optional<Explanation> explain(std::uint32_t pid, std::optional<std::uint32_t> fd) const {
    const model::Process* process = nullptr;
    // The newest of that pid.
    for (const auto& [key, candidate] : pipeline_.model().processes())
      if (key.tgid == pid && !candidate->groups.empty()) process = candidate.get();
    if (process == nullptr) return std::nullopt;
    Explanation out;
    out.heading = fmt::format("{} (pid {})", process->comm, pid);
    if (process->exe) out.facts.push_back({"executable", *process->exe});
    if (process->cgroup) out.facts.push_back({"cgroup", *process->cgroup});
    if (process->frames_note) out.facts.push_back({"frames", *process->frames_note});
    for (const auto& [address, pool] : process->pools) out.facts.push_back({"pool", pool_line(to_pool(pool))});
    std::vector<const model::Connection*> members;
    for (const auto& [key, group] : process->groups)
      for (const model::Connection* member : group->members)
        if (!fd || holds(*member, *process, *fd)) members.push_back(member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    for (const model::Connection* member : members) out.connections.push_back(facts(*member, *process));
    const auto answers = fd && members.size() == 1 ? pipeline_.detector().explain(*members.front())
                                                   : pipeline_.detector().explain(*process);
    for (const detect::RuleAnswer& answer : answers)
      out.rules.push_back({answer.rule, answer.name, "", answer.fires, {answer.reason}});
    return out;
  }

 private:
  static bool holds(const model::Connection& connection, const model::Process& process, std::uint32_t fd) {
    return std::any_of(connection.holders.begin(), connection.holders.end(), [&](const model::Holder& holder) {
      return holder.process == process.key && holder.fd == fd;
    });
  }

  [[nodiscard]] std::string when(std::uint64_t boot_ns) const {
    return format_rfc3339(static_cast<std::int64_t>(boot_ns) + preamble_.boot_to_unix_ns);
  }
  static std::string lasted(std::uint64_t ns) { return format_duration(std::chrono::nanoseconds(ns)); }

  // The application's frames from the culprit outwards, as far as a line of text is worth it.
  static std::string place(const model::Stack& stack) {
    constexpr int kCallers = 3;
    const Frame culprit = to_frame(*stack.culprit_frame());
    std::string text = frame_name(culprit) + " " + frame_place(culprit);
    int callers = 0;
    for (std::size_t i = *stack.culprit + 1; i < stack.frames.size() && callers < kCallers; ++i) {
      if (!stack.frames[i].application) continue;
      text += (callers++ == 0 ? ", called by " : " < ") + frame_name(to_frame(stack.frames[i]));
    }
    return text;
  }

  // Who else can keep it open: "nginx (pid 7, fd 12)".
  [[nodiscard]] std::string other_holders(const model::Connection& connection,
                                          const model::Process& process) const {
    std::vector<std::string> others;
    for (const model::Holder& holder : connection.holders) {
      if (holder.process == process.key) continue;
      const model::Process* other = pipeline_.model().find_process(holder.process);
      others.push_back(
          fmt::format("{} (pid {}, fd {})", other != nullptr ? other->comm : "?", holder.process.tgid, holder.fd));
    }
    return fmt::format("{}", fmt::join(others, ", "));
  }

  [[nodiscard]] ConnectionExplanation facts(const model::Connection& connection,
                                            const model::Process& process) const {
    const wire_connection& record = connection.record;
    const std::uint64_t now = pipeline_.now_ns();
    ConnectionExplanation out;
    for (const model::Holder& holder : connection.holders)
      if (holder.process == process.key) out.title += fmt::format("fd {}  ", holder.fd);
    if (record.family != AF_UNIX) out.title += to_local(connection).value_or("?") + " ";
    out.title += "to " + endpoint_name(to_endpoint(model::remote_address(record)));
    const auto fact = [&](const char* name, std::string value) { out.facts.push_back({name, std::move(value)}); };
    fact("protocol", to_protocol(connection.protocol) + (connection.protocol_assumed ? " (assumed)" : "") +
                         (connection.tls() ? ", encrypted" : ""));
    if (record.peer_pid != 0)
      fact("answered by", fmt::format("{} (pid {})", fixed_text(record.peer_comm), record.peer_pid));
    fact("state", to_state(model::state(connection)));
    if (const auto transaction = to_transaction(connection)) fact("transaction", *transaction);
    const model::Age age = model::age(connection, now);
    if (age.kind != model::AgeKind::unknown)
      fact("age", (age.kind == model::AgeKind::at_least ? "at least " : "") + lasted(age.ns));
    if (const auto idle = model::idle_ns(connection, now)) fact("idle", lasted(*idle));
    if (const auto lease = to_lease(connection, now))
      fact("out of its pool", fmt::format("for {:.3g} s, held by: {}", lease->held_s, lease->object));
    fact("requests", fmt::format("{}", record.requests));
    fact("idle gaps", record.gaps == 0
                          ? std::string("none completed")
                          : fmt::format("{} completed, longest {}", record.gaps, lasted(record.longest_gap_ns)));
    if (const std::string others = other_holders(connection, process); !others.empty())
      fact("also held by", others);
    if (process.key != model::process_key(record.opener))
      fact("opened by", fmt::format("{} (pid {})", fixed_text(record.comm), record.opener.tgid));
    if (record.unread_bytes != 0) fact("unread", fmt::format("{} bytes", record.unread_bytes));
    for (const auto& [name, kind] :
         {std::pair{"opened at", detect::StackOf::open}, std::pair{"last used at", detect::StackOf::last_use},
          std::pair{"taken out at", detect::StackOf::acquire}}) {
      const model::Stack* stack = detect::stack_of(connection, kind);
      const bool is_known = stack != nullptr && stack->culprit_frame() != nullptr;
      std::string text = is_known ? place(*stack) : "";
      if (const auto goroutine = to_goroutine(connection, kind))
        text += fmt::format("{}in goroutine {}", is_known ? ", " : "", *goroutine);
      if (!text.empty()) fact(name, text);
    }
    std::vector<std::pair<std::uint64_t, const char*>> moments = {
        {record.opened_ns, connection.late() ? "seen first, older than the observer" : "connect"},
        {record.established_ns, "established"},
        {record.handshake_ns, "ready for queries"},
        {record.first_use_ns, "first request"},
        {record.last_use_ns, "last request"},
        {record.last_answer_ns, "last answer"},
        {record.peer_closed_ns, "the server closed its end"},
        {record.aborted_ns, "aborted; the descriptor is still held"},
        {connection.let_go_ns, "who opened it let go of it"},
        {record.closed_ns, "closed"}};
    std::stable_sort(moments.begin(), moments.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [ns, what] : moments)
      if (ns != 0) out.timeline.push_back({when(ns), what});
    return out;
  }

  const Pipeline& pipeline_;
  const Preamble& preamble_;
};

}  // namespace

Result<int> explain_command(const Options& options) {
  const Signals signals;
  auto observation = start_observation(options);
  if (!observation) return tl::unexpected(observation.error());
  if (auto observed = observe(*observation, usual_end(options, signals, *observation->live)); !observed)
    return tl::unexpected(observed.error());
  const Explainer explainer(*observation->pipeline, observation->live->preamble());
  const auto explanation = explainer.explain(options.target_pid, options.target_fd);
  std::string text = explanation
                         ? render_explain(*explanation)
                         : fmt::format("pid {}: no connection to a database was seen.\n", options.target_pid);
  if (auto written = write_stream(STDOUT_FILENO, text); !written) return tl::unexpected(written.error());
  const Suppressions none;
  return verdict_status(options, observation->pipeline->snapshot(kVersion, none));
}

}  // namespace connleak
