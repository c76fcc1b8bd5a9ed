// SPDX-License-Identifier: Apache-2.0
// The loop that the live commands share, and its counterpart for recordings.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "app/live.hpp"
#include "app/signals.hpp"
#include "report/pipeline.hpp"
#include "report/suppressions.hpp"

namespace connleak {

// A live observation on its way through the pipeline.
struct Observation {
  std::unique_ptr<Live> live;
  std::unique_ptr<Pipeline> pipeline;
};

[[nodiscard]] Result<Observation> start_observation(const Options& options, std::uint32_t child = 0);

// Steps until `over` says so, then takes the last look. `over` is asked about twenty times a second.
[[nodiscard]] Result<void> observe(Observation& observation, const std::function<bool()>& over);

// The usual end: --duration, a signal, or every process of --pid gone.
[[nodiscard]] std::function<bool()> usual_end(const Options& options, const Signals& signals, const Live& live);

// Reads all of --from, says on standard error when it was cut, and gives the picture at its end.
[[nodiscard]] Result<Snapshot> replay(const Options& options, const Suppressions& suppressions,
                                      const std::function<void(const Pipeline&)>& look = {});

}  // namespace connleak
