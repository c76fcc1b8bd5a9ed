// SPDX-License-Identifier: Apache-2.0
#include "report/pipeline.hpp"

#include <algorithm>
#include <utility>

namespace connleak {

Pipeline::Pipeline(ModelOptions model, DetectOptions detect, const Preamble& preamble, ScopeFilter* scope)
    : preamble_(preamble),
      scope_(scope),
      reorder_(*this),
      decoder_(reorder_),
      model_(std::move(model)),
      detector_(model_, detect) {}

void Pipeline::records(std::span<const std::byte> bytes) {
  decoder_.records(bytes);
  if (const std::uint64_t errors = decoder_.counts().errors; errors != decode_errors_)
    model_.add_decode_errors(errors - std::exchange(decode_errors_, errors), now_ns_);
}

void Pipeline::finish() { reorder_.flush(); }

void Pipeline::event(Event&& event) {
  if (scope_ != nullptr && !scope_->admits(event)) return;
  now_ns_ = std::max(now_ns_, event.time_ns);
  model_.apply(event);
  detector_.on_event(event);
  if (on_tick_ && Model::is_tick(event)) on_tick_(event.time_ns);
}

Snapshot Pipeline::snapshot(const std::string& tool_version, const Suppressions& suppressions, bool cut) const {
  return build_snapshot(model_, detector_, ReportContext{preamble_, tool_version, now_ns_, cut, suppressions});
}

}  // namespace connleak
