// SPDX-License-Identifier: Apache-2.0
#include "app/observe.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/version.hpp"
#include "base/text.hpp"
#include "events/recording.hpp"

namespace connleak {
namespace {

// How long an edge may wait in the ring before the model sees it.
constexpr std::chrono::milliseconds kDrain{50};

ModelOptions model_options(const Options& options) { return {options.all, options.culprit_rules}; }

DetectOptions detect_options(const Options& options) {
  return {options.idle_after, options.hold_after, options.max_age};
}

}  // namespace

Result<Observation> start_observation(const Options& options, std::uint32_t child) {
  auto live = Live::open(options, child);
  if (!live) return tl::unexpected(live.error());
  Observation observation;
  observation.live = std::move(*live);
  observation.pipeline = std::make_unique<Pipeline>(model_options(options), detect_options(options),
                                                    observation.live->preamble(), nullptr);
  observation.live->to(*observation.pipeline);
  return observation;
}

Result<void> observe(Observation& observation, const std::function<bool()>& over) {
  const Model& model = observation.pipeline->model();
  while (!over())
    if (auto stepped = observation.live->step(kDrain, model.settle_due_ns(), model.holders_wanted()); !stepped)
      return stepped;
  if (auto finished = observation.live->finish(); !finished) return finished;
  observation.pipeline->finish();
  return {};
}

std::function<bool()> usual_end(const Options& options, const Signals& signals, const Live& live) {
  const std::uint64_t started = boot_now_ns();
  bool stepped = false;
  return [&options, &signals, &live, started, stepped]() mutable {
    if (signals.next()) return true;
    if (options.duration && boot_now_ns() - started >= static_cast<std::uint64_t>(options.duration->count()))
      return true;
    const bool gone = stepped && live.watched_gone();
    stepped = true;
    return gone;
  };
}

Result<Snapshot> replay(const Options& options, const Suppressions& suppressions,
                        const std::function<void(const Pipeline&)>& look) {
  auto source = RecordingSource::open(*options.from);
  if (!source) return tl::unexpected(source.error());
  ScopeFilter scope(options.scope, true);
  Pipeline pipeline(model_options(options), detect_options(options), (*source)->preamble(), &scope);
  if (look) pipeline.on_tick([&](std::uint64_t) { look(pipeline); });
  SourceState state = SourceState::more;
  while (state == SourceState::more) {
    auto polled = (*source)->poll(pipeline, std::chrono::milliseconds(0));
    if (!polled) return tl::unexpected(polled.error());
    state = *polled;
  }
  pipeline.finish();
  const bool cut = state == SourceState::truncated;
  if (cut)
    std::fputs(
        fmt::format("connleak: {}: the recording is cut; read to its last whole frame.\n", escape(*options.from))
            .c_str(),
        stderr);
  return pipeline.snapshot(kVersion, suppressions, cut);
}

}  // namespace connleak
