// SPDX-License-Identifier: Apache-2.0
// Model and verdicts -> Snapshot.
#pragma once

#include <cstdint>
#include <string>

#include "detect/detector.hpp"
#include "events/source.hpp"
#include "model/model.hpp"
#include "report/snapshot.hpp"
#include "report/suppressions.hpp"

namespace connleak {

struct ReportContext {
  const Preamble& preamble;
  std::string tool_version;
  std::uint64_t now_ns = 0;  // boot-time clock: ages refer to it
  bool cut = false;          // the recording ended in the middle of a frame
  const Suppressions& suppressions;
};

// Processes without connections (open, closed or failed) and without findings are left out.
[[nodiscard]] Snapshot build_snapshot(const Model& model, const Detector& detector, const ReportContext& context);

}  // namespace connleak
