// SPDX-License-Identifier: Apache-2.0
// Snapshot to Prometheus text: groups are merged by their labels first, then bounded, then written by metric.
#include "export/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

// Function names of C++ templates run to kilobytes, and every label value is stored by the server.
constexpr std::size_t label_bytes_max = 200;
// 4 states, 4 verdicts, 2 ages, 3 counters.
constexpr std::size_t other_series = 13;
constexpr std::size_t pool_series = 4;  // 2 states, 2 counters

std::string label(std::string_view raw) {
  std::string text = escape(raw);
  if (text.size() > label_bytes_max) {
    std::size_t end = label_bytes_max - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

// What one merged group is known by: ready-made label text, so that equal labels are equal keys.
struct Key {
  std::string process;  // comm="..",exe="..",cgroup=".."[,pid=".."]
  std::string target;   // endpoint="..",protocol=".."
  auto operator<=>(const Key&) const = default;
};

struct MergedPools {
  std::array<double, 2> states{};  // in_use, idle
  double waits = 0;
  std::optional<double> wait_seconds;
};

struct Merged {
  std::array<double, 4> states{};          // in_use, idle, in_transaction, half_closed
  std::map<std::string, double> findings;  // by verdict="..",rule="..",culprit=".."
  std::optional<double> oldest_age;
  std::optional<double> oldest_idle;
  std::array<double, 3> totals{};    // opened, closed, failed
  std::optional<MergedPools> pools;  // nullopt: no probe tells
  std::uint64_t leak = 0;
  std::uint64_t suspect = 0;

  [[nodiscard]] std::size_t series() const {
    const std::size_t of_pools = !pools ? 0 : pools->states.size() + 1 + (pools->wait_seconds ? 1 : 0);
    return states.size() + totals.size() + findings.size() + (oldest_age ? 1 : 0) + (oldest_idle ? 1 : 0) +
           of_pools;
  }
  [[nodiscard]] double open() const { return states[0] + states[1] + states[2] + states[3]; }
};

constexpr std::array<std::string_view, 4> state_names = {"in_use", "idle", "in_transaction", "half_closed"};
using Groups = std::map<Key, Merged>;

void raise(std::optional<double>& to, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) to = std::max(to.value_or(*value), *value);
}

void add(std::optional<MergedPools>& to, const MergedPools& from) {
  if (!to) to.emplace();
  for (std::size_t i = 0; i < from.states.size(); ++i) to->states[i] += from.states[i];
  to->waits += from.waits;
  if (from.wait_seconds) to->wait_seconds = to->wait_seconds.value_or(0) + *from.wait_seconds;
}

void add(Merged& to, const Group& g) {
  const std::array<std::uint64_t, 4> states = {g.in_use, g.idle, g.in_transaction, g.half_closed};
  const std::array<std::uint64_t, 3> totals = {g.opened_total, g.closed_total, g.failed_total};
  for (std::size_t i = 0; i < states.size(); ++i) to.states[i] += static_cast<double>(states[i]);
  for (std::size_t i = 0; i < totals.size(); ++i) to.totals[i] += static_cast<double>(totals[i]);
  raise(to.oldest_age, g.oldest_age_s);
  raise(to.oldest_idle, g.oldest_idle_s);
  for (const Pool& pool : g.pools)
    add(to.pools, {{static_cast<double>(pool.in_use), static_cast<double>(pool.idle)},
                   static_cast<double>(pool.wait_count),
                   pool.wait_seconds});
  for (const auto& f : g.findings) {
    const std::string culprit = f.culprit ? culprit_name(*f.culprit) : std::string();
    to.findings[fmt::format(R"(verdict="{}",rule="{}",culprit="{}")", verdict_name(f.verdict),
                            label(f.rule.value_or("")), label(culprit))] += static_cast<double>(f.connections);
    if (f.verdict == Verdict::leak) to.leak += f.connections;
    if (f.verdict == Verdict::suspect) to.suspect += f.connections;
  }
}

void fold(Merged& other, const Merged& from) {
  for (std::size_t i = 0; i < from.states.size(); ++i) other.states[i] += from.states[i];
  for (std::size_t i = 0; i < from.totals.size(); ++i) other.totals[i] += from.totals[i];
  raise(other.oldest_age, from.oldest_age);
  raise(other.oldest_idle, from.oldest_idle);
  if (from.pools) add(other.pools, *from.pools);
  for (const auto& [labels, value] : from.findings) {
    const std::string verdict = labels.substr(0, labels.find(','));
    other.findings[verdict + R"(,rule="other",culprit="other")"] += value;
  }
}

Groups merge(const Snapshot& s, const PrometheusOptions& options) {
  Groups groups;
  for (const auto& p : s.processes) {
    std::string process = fmt::format(R"(comm="{}",exe="{}",cgroup="{}")", label(p.comm),
                                      label(p.exe.value_or("")), label(p.cgroup.value_or("")));
    if (options.label_pid) process += fmt::format(R"(,pid="{}")", p.pid);
    for (const auto& g : p.groups) {
      Key key{process,
              fmt::format(R"(endpoint="{}",protocol="{}")", label(endpoint_name(g.endpoint)), label(g.protocol))};
      add(groups[std::move(key)], g);
    }
  }
  return groups;
}

// Returns how many series were taken away.
std::size_t bound(Groups& groups, const PrometheusOptions& options) {
  std::size_t total = 0;
  for (const auto& [key, merged] : groups) total += merged.series();
  const bool any_pools =
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g.second.pools.has_value(); });
  const std::size_t reserved = other_series + (any_pools ? pool_series : 0);
  if (total <= std::max(options.max_series, reserved)) return 0;

  std::vector<Groups::const_iterator> order;
  for (auto it = groups.cbegin(); it != groups.cend(); ++it) order.push_back(it);
  const auto weight = [](Groups::const_iterator it) {
    return std::make_tuple(it->second.leak, it->second.suspect, it->second.open());
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return weight(a) > weight(b); });

  std::size_t budget = options.max_series > reserved ? options.max_series - reserved : 0;
  std::size_t dropped = 0;
  Merged other;
  std::vector<Groups::const_iterator> gone;
  for (const auto it : order) {
    if (gone.empty() && it->second.series() <= budget) {
      budget -= it->second.series();
      continue;
    }
    dropped += it->second.series();
    fold(other, it->second);
    gone.push_back(it);
  }
  for (const auto it : gone) groups.erase(it);
  const std::string process =
      std::string(R"(comm="other",exe="other",cgroup="other")") + (options.label_pid ? R"(,pid="other")" : "");
  groups[Key{process, R"(endpoint="other",protocol="other")"}] = std::move(other);
  return dropped;
}

class Writer {
 public:
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void sample(std::string_view labels, double value) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(out_), "{} {}\n", name_, value);
    } else {
      fmt::format_to(std::back_inserter(out_), "{}{{{}}} {}\n", name_, labels, value);
    }
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

void write_groups(Writer& w, const Groups& groups) {
  const auto each = [&](auto&& write) {
    for (const auto& [key, merged] : groups) write(key.process + "," + key.target, merged);
  };
  w.metric("connleak_connections", "gauge", "Open connections by state.");
  each([&](const std::string& labels, const Merged& m) {
    for (std::size_t i = 0; i < state_names.size(); ++i) {
      w.sample(fmt::format(R"({},state="{}")", labels, state_names[i]), m.states[i]);
    }
  });
  w.metric("connleak_findings_connections", "gauge", "Connections that stand in a finding.");
  each([&](const std::string& labels, const Merged& m) {
    for (const auto& [finding, value] : m.findings) w.sample(fmt::format("{},{}", labels, finding), value);
  });
  w.metric("connleak_oldest_connection_age_seconds", "gauge", "Age of the oldest open connection.");
  each([&](const std::string& labels, const Merged& m) {
    if (m.oldest_age) w.sample(labels, *m.oldest_age);
  });
  w.metric("connleak_oldest_idle_seconds", "gauge", "Time since the last use of the connection idle longest.");
  each([&](const std::string& labels, const Merged& m) {
    if (m.oldest_idle) w.sample(labels, *m.oldest_idle);
  });
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> counters = {
      std::pair{"connleak_connections_opened_total", "Connections opened."},
      std::pair{"connleak_connections_closed_total", "Connections closed."},
      std::pair{"connleak_connections_failed_total", "Connection attempts that failed."}};
  for (std::size_t i = 0; i < counters.size(); ++i) {
    w.metric(counters[i].first, "counter", counters[i].second);
    each([&](const std::string& labels, const Merged& m) { w.sample(labels, m.totals[i]); });
  }
  const auto each_pool = [&](auto&& write) {
    each([&](const std::string& labels, const Merged& m) {
      if (m.pools) write(labels, *m.pools);
    });
  };
  w.metric("connleak_pool_connections", "gauge", "Connections of pools by pool state, where pool probes run.");
  each_pool([&](const std::string& labels, const MergedPools& pools) {
    for (std::size_t i = 0; i < pools.states.size(); ++i)
      w.sample(fmt::format(R"({},state="{}")", labels, state_names[i]), pools.states[i]);
  });
  w.metric("connleak_pool_waits_total", "counter", "Waits for a connection of a pool, where pool probes run.");
  each_pool([&](const std::string& labels, const MergedPools& pools) { w.sample(labels, pools.waits); });
  w.metric("connleak_pool_wait_seconds_total", "counter", "Time waited for a pool, where pool probes run.");
  each_pool([&](const std::string& labels, const MergedPools& pools) {
    if (pools.wait_seconds) w.sample(labels, *pools.wait_seconds);
  });
}

void write_observer(Writer& w, const Snapshot& s, std::size_t dropped) {
  w.metric("connleak_retractions_total", "counter",
           "Connections whose finding was withdrawn because they were used, returned or closed after all.");
  std::map<std::string, std::uint64_t> retractions;
  for (const auto& r : s.retractions) retractions[label(r.rule)] += r.connections;
  for (const auto& [rule, n] : retractions) w.sample(fmt::format(R"(rule="{}")", rule), static_cast<double>(n));
  w.metric("connleak_events_lost_total", "counter", "Events that the kernel could not hand over.");
  w.sample("", static_cast<double>(s.loss.events_lost));
  w.metric("connleak_decode_errors_total", "counter", "Records that could not be decoded.");
  w.sample("", static_cast<double>(s.loss.decode_errors));
  w.metric("connleak_hook_missed_total", "counter", "Calls of a hook that its program did not see.");
  std::map<std::string, std::uint64_t> hooks;
  for (const auto& h : s.loss.hooks) hooks[label(h.name)] += h.missed;
  for (const auto& [hook, n] : hooks) w.sample(fmt::format(R"(hook="{}")", hook), static_cast<double>(n));
  w.metric("connleak_series_dropped", "gauge", "Series summed under \"other\" to stay within --max-series.");
  w.sample("", static_cast<double>(dropped));
  w.metric("connleak_build_info", "gauge", "Always 1; the labels say which build watches which kernel.");
  w.sample(fmt::format(R"(version="{}",kernel="{}")", label(s.tool_version), label(s.kernel)), 1);
}

}  // namespace

std::string to_prometheus(const Snapshot& snapshot, const PrometheusOptions& options) {
  Groups groups = merge(snapshot, options);
  const std::size_t dropped = bound(groups, options);
  Writer w;
  write_groups(w, groups);
  write_observer(w, snapshot, dropped);
  return w.take();
}

}  // namespace connleak
