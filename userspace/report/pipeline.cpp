// SPDX-License-Identifier: Apache-2.0
#include "report/pipeline.hpp"

#include <algorithm>

namespace connleak {

Pipeline::Pipeline(DetectOptions options, const Preamble& preamble, ScopeFilter* scope)
    : preamble_(preamble),
      scope_(scope),
      reorder_(*this),
      decoder_(reorder_),
      detector_(model_, options) {}

void Pipeline::records(std::span<const std::byte> bytes) {
  decoder_.records(bytes);
}

void Pipeline::finish() {
  reorder_.flush();
}

void Pipeline::event(Event&& event) {
  if (scope_ != nullptr && !scope_->admits(event)) return;
  now_ns_ = std::max(now_ns_, event.time_ns);
  model_.apply(event);
  detector_.on_event(event);
  if (on_tick_ && Model::is_tick(event)) on_tick_(event.time_ns);
}

Snapshot Pipeline::snapshot(const std::string& tool_version, const Suppressions& suppressions, bool cut) const {
  const DecodeCounts& counts = decoder_.counts();
  return build_snapshot(model_, detector_,
                        ReportContext{preamble_, tool_version, now_ns_, counts.errors, cut, suppressions});
}

}  // namespace connleak
