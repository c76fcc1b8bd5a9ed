// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "app/child.hpp"
#include "app/observe.hpp"
#include "app/outcome.hpp"
#include "app/version.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "events/recording.hpp"
#include "export/json.hpp"
#include "export/prometheus.hpp"
#include "views/terminal.hpp"
#include "views/top_table.hpp"

namespace connleak {
namespace {

Result<int> concluded(const Options& options, const std::optional<Baseline>& baseline, Snapshot snapshot,
                      int stream) {
  if (baseline) baseline->apply(snapshot);
  if (auto written = write_report(options, snapshot, stream); !written) return tl::unexpected(written.error());
  return verdict_status(options, snapshot);
}

// A pipe gets every row and every column.
TopStyle top_style(const Terminal& terminal) {
  if (!terminal.interactive()) return {false, 160, 1'000'000};
  return {std::getenv("NO_COLOR") == nullptr, terminal.size().width, terminal.size().height};
}

// Calls `act` at each --interval on the way to the usual end.
Result<Snapshot> each_interval(const Options& options, const Suppressions& suppressions,
                               const std::function<Result<void>(const Snapshot&)>& act) {
  const Signals signals;
  auto observation = start_observation(options);
  if (!observation) return tl::unexpected(observation.error());
  const auto end = usual_end(options, signals, *observation->live);
  const auto interval = static_cast<std::uint64_t>(options.interval.count());
  std::uint64_t next = boot_now_ns() + std::min<std::uint64_t>(interval, 300'000'000);
  Result<void> acted;
  auto observed = observe(*observation, [&] {
    if (boot_now_ns() >= next) {
      next += interval;
      acted = act(observation->pipeline->snapshot(kVersion, suppressions));
    }
    return !acted || end();
  });
  if (!acted) return tl::unexpected(acted.error());
  if (!observed) return tl::unexpected(observed.error());
  return observation->pipeline->snapshot(kVersion, suppressions);
}

}  // namespace

Result<int> report_command(const Options& options) {
  auto suppressions = load_suppressions(options);
  if (!suppressions) return tl::unexpected(suppressions.error());
  const auto baseline = load_baseline(options);
  if (!baseline) return tl::unexpected(baseline.error());
  if (options.from) {
    auto snapshot = replay(options, *suppressions);
    if (!snapshot) return tl::unexpected(snapshot.error());
    return concluded(options, *baseline, std::move(*snapshot), STDOUT_FILENO);
  }
  const Signals signals;
  auto observation = start_observation(options);
  if (!observation) return tl::unexpected(observation.error());
  if (auto observed = observe(*observation, usual_end(options, signals, *observation->live)); !observed)
    return tl::unexpected(observed.error());
  return concluded(options, *baseline, observation->pipeline->snapshot(kVersion, *suppressions), STDOUT_FILENO);
}

Result<int> run_command(const Options& options) {
  auto suppressions = load_suppressions(options);
  if (!suppressions) return tl::unexpected(suppressions.error());
  const auto baseline = load_baseline(options);
  if (!baseline) return tl::unexpected(baseline.error());
  const Signals signals;
  auto child = Child::start(options.argv);
  if (!child) return tl::unexpected(child.error());
  auto observation = start_observation(options, static_cast<std::uint32_t>(child->pid()));
  if (!observation) return tl::unexpected(observation.error());
  // The scope is in place only after the first step.
  if (auto stepped = observation->live->step(std::chrono::milliseconds(0), 0, false); !stepped)
    return tl::unexpected(stepped.error());
  if (auto released = child->release(); !released) return tl::unexpected(released.error());
  std::optional<int> status;
  auto observed = observe(*observation, [&] {
    while (const auto signal = signals.next())
      if (!signal->from_terminal) child->signal(signal->number);
    status = child->ended();
    return status.has_value();
  });
  if (!observed) return tl::unexpected(observed.error());
  auto verdict =
      concluded(options, *baseline, observation->pipeline->snapshot(kVersion, *suppressions), STDERR_FILENO);
  if (!verdict) return verdict;
  return *verdict != 0 ? *verdict : *status;
}

Result<int> top_command(const Options& options) {
  auto suppressions = load_suppressions(options);
  if (!suppressions) return tl::unexpected(suppressions.error());
  if (options.from) {
    auto snapshot = replay(options, *suppressions);
    if (!snapshot) return tl::unexpected(snapshot.error());
    std::string text;
    for (const std::string& line : render_top(*snapshot, top_style(Terminal(STDOUT_FILENO)))) text += line + "\n";
    if (auto written = write_stream(STDOUT_FILENO, text); !written) return tl::unexpected(written.error());
    return verdict_status(options, *snapshot);
  }
  std::optional<Terminal> terminal;
  auto snapshot = each_interval(options, *suppressions, [&](const Snapshot& now) {
    if (!terminal) terminal.emplace(STDOUT_FILENO);
    return terminal->draw(render_top(now, top_style(*terminal)));
  });
  terminal.reset();
  if (!snapshot) return tl::unexpected(snapshot.error());
  return verdict_status(options, *snapshot);
}

Result<int> export_command(const Options& options) {
  auto suppressions = load_suppressions(options);
  if (!suppressions) return tl::unexpected(suppressions.error());
  PrometheusOptions prometheus;
  prometheus.label_pid = options.label_pid;
  prometheus.max_series = options.max_series;
  const auto write = [&](const Snapshot& snapshot) -> Result<void> {
    if (options.output) {
      const std::string line = to_json_line(snapshot);
      auto written = *options.output == "-"
                         ? write_stream(STDOUT_FILENO, line)
                         : append_line(*options.output, std::string_view(line).substr(0, line.size() - 1));
      if (!written) return written;
    }
    return options.textfile ? write_whole(*options.textfile, to_prometheus(snapshot, prometheus)) : Result<void>();
  };
  auto snapshot = each_interval(options, *suppressions, write);
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (auto written = write(*snapshot); !written) return tl::unexpected(written.error());
  return verdict_status(options, *snapshot);
}

Result<int> record_command(const Options& options) {
  if (*options.output == "-" && ::isatty(STDOUT_FILENO) != 0)
    return failure(ErrorKind::usage,
                   "record: a recording is not for a terminal; name a file with --output FILE or use a pipe.");
  const Signals signals;
  auto live = Live::open(options);
  if (!live) return tl::unexpected(live.error());
  auto writer = *options.output == "-"
                    ? RecordingWriter::create(Fd(::dup(STDOUT_FILENO)), "standard output", (*live)->preamble())
                    : RecordingWriter::create(*options.output, (*live)->preamble());
  if (!writer) return tl::unexpected(writer.error());
  (*live)->to(**writer);
  const auto over = usual_end(options, signals, **live);
  while (!over() && !(*writer)->failed()) {
    if (auto stepped = (*live)->step(std::chrono::milliseconds(50), 0, true); !stepped)
      return tl::unexpected(stepped.error());
    (*writer)->flush();
  }
  if (auto finished = (*live)->finish(); !finished) return tl::unexpected(finished.error());
  if (auto finished = (*writer)->finish(); !finished) return tl::unexpected(finished.error());
  return 0;
}

}  // namespace connleak
