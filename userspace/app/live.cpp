// SPDX-License-Identifier: Apache-2.0
#include "app/live.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/process_tree.hpp"
#include "app/version.hpp"

namespace connleak {
namespace {

using namespace std::chrono_literals;

// A scan reads every tracked socket (about 1.3 us each): a third of the idle clock is fine enough, once a
// second is often enough for a table that a person reads.
constexpr std::chrono::nanoseconds kFastestLevels = 100ms;
constexpr std::chrono::nanoseconds kSlowestLevels = 1s;
// Walks every descriptor of the processes in scope; finds who else holds a connection. So often where nothing is
// shared; else as often as levels, at most every 5 s where --idle-after is long, and for a twentieth of the time.
constexpr std::chrono::nanoseconds kHolders = 30s;
constexpr std::chrono::nanoseconds kSharedHolders = 5s;
constexpr std::uint64_t kHoldersShare = 20;
// A process that was just met: its first connections have been silent for as long as scans want to tell stacks.
constexpr std::chrono::milliseconds kNewcomer = 80ms;
// Last high-water records settle 100 ms after they were set (verdicts.md).
constexpr std::chrono::milliseconds kSettle = 110ms;

}  // namespace

Result<std::unique_ptr<Live>> Live::open(const Options& options, std::uint32_t child) {
  std::unique_ptr<Live> live(new Live(options));
  live->roots_ = child != 0 ? std::vector<std::uint32_t>{child} : options.scope.pids;
  for (const std::uint32_t pid : live->roots_)
    if (!process_exists(pid))
      return failure(ErrorKind::usage, fmt::format("--pid {}: there is no such process.", pid));
  ProbeOptions probe;
  if (!live->roots_.empty()) probe.scope_pids = live->roots_;
  probe.keep_all = options.all;
  probe.idle_after = options.idle_after;
  if (options.capture_bytes) probe.capture_bytes = *options.capture_bytes;
  if (options.ring_bytes != 0) probe.ring_bytes = options.ring_bytes;
  probe.drop_one_in = options.drop_one_in;
  probe.attached_late = child == 0;
  probe.tool_version = kVersion;
  auto probes = Probes::open(probe);
  if (!probes) return tl::unexpected(probes.error());
  live->probes_ = std::move(*probes);
  live->child_ = child != 0;
  live->drivers_ = options.probes;
  live->level_interval_ns_ =
      static_cast<std::uint64_t>(std::clamp(options.idle_after / 3, kFastestLevels, kSlowestLevels).count());
  live->holders_interval_ns_ = static_cast<std::uint64_t>(
      std::clamp<std::chrono::nanoseconds>(options.idle_after / 3, kFastestLevels, kSharedHolders).count());
  return live;
}

void Live::to(ByteSink& sink) {
  Enrich::Hooks hooks;
  hooks.tell = [this](std::uint32_t pid, const frame_layout& layout) { probes_->set_layout(pid, layout); };
  if (!drivers_ || !drivers_->empty()) {
    hooks.drivers = drivers_;
    hooks.place = [this](std::uint32_t pid, int file, std::span<const DriverSite> sites) {
      return probes_->probe_driver(pid, file, sites);
    };
    hooks.release = [this](std::uint32_t pid) { probes_->release_driver(pid); };
  }
  enrich_ = std::make_unique<Enrich>(scope_, sink, std::move(hooks));
}

// Twice, because a process may fork between the two looks; forks after that are followed in the kernel.
Result<void> Live::watch_trees(const std::vector<std::uint32_t>& roots) {
  for (int look = 0; look < 2; ++look)
    for (const std::uint32_t pid : descendants(roots)) {
      enrich_->watch(pid);
      if (auto added = probes_->add_scope_pid(pid); !added) return added;
    }
  return {};
}

Result<void> Live::step(std::chrono::milliseconds wait, std::uint64_t settle_due_ns, bool holders_wanted) {
  if (next_levels_ns_ == 0 && !roots_.empty()) {
    if (auto watched = watch_trees(roots_); !watched) return watched;
  }
  if (auto drained = probes_->poll(*enrich_, wait); !drained) return tl::unexpected(drained.error());
  std::uint64_t now = boot_now_ns();
  enrich_->look_at_processes(now);
  if (enrich_->met() != met_) {
    // It may be gone at the next scan: what its stacks mean is asked while it lives.
    met_ = enrich_->met();
    next_levels_ns_ =
        std::min(next_levels_ns_, now + static_cast<std::uint64_t>(std::chrono::nanoseconds(kNewcomer).count()));
  }
  if (now >= (holders_wanted ? wanted_holders_ns_ : next_holders_ns_)) {
    const std::uint64_t began = now;
    if (auto scanned = probes_->scan(*enrich_, WIRE_SCAN_HOLDERS); !scanned) return scanned;
    now = boot_now_ns();
    next_holders_ns_ = now + static_cast<std::uint64_t>(kHolders.count());
    wanted_holders_ns_ = now + std::max(holders_interval_ns_, kHoldersShare * (now - began));
  }
  if (now >= next_levels_ns_ || (settle_due_ns != 0 && now >= settle_due_ns)) {
    next_levels_ns_ = now + level_interval_ns_;
    return probes_->scan(*enrich_, WIRE_SCAN_LEVELS);
  }
  return {};
}

Result<void> Live::finish() {
  const std::uint64_t settled =
      boot_now_ns() + static_cast<std::uint64_t>(std::chrono::nanoseconds(kSettle).count());
  while (boot_now_ns() < settled)
    if (auto drained = probes_->poll(*enrich_, 10ms); !drained) return tl::unexpected(drained.error());
  for (const wire_scan_kind kind : {WIRE_SCAN_HOLDERS, WIRE_SCAN_LEVELS, WIRE_SCAN_FINAL})
    if (auto scanned = probes_->scan(*enrich_, kind); !scanned) return scanned;
  return {};
}

bool Live::watched_gone() const {
  if (roots_.empty()) return false;
  // An exit edge may be lost; the process table has the last word.
  const auto& alive = enrich_->watched_alive();
  return std::none_of(alive.begin(), alive.end(), process_exists);
}

}  // namespace connleak
