// SPDX-License-Identifier: Apache-2.0
// Bytes -> events -> model -> rules, the same for the kernel and for recordings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "detect/detector.hpp"
#include "events/decode.hpp"
#include "events/reorder.hpp"
#include "events/source.hpp"
#include "model/model.hpp"
#include "report/builder.hpp"
#include "report/scope_filter.hpp"

namespace connleak {

class Pipeline final : public ByteSink, private EventSink {
 public:
  // The preamble is borrowed. `scope`, borrowed too, is nullptr where the stream is scoped already.
  Pipeline(ModelOptions model, DetectOptions detect, const Preamble& preamble, ScopeFilter* scope);

  void records(std::span<const std::byte> bytes) override;
  // Releases what is still held back for order. Call once, when nothing follows.
  void finish();

  // Called after each tick with its stamp (boot-time clock).
  void on_tick(std::function<void(std::uint64_t)> callback) { on_tick_ = std::move(callback); }

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Detector& detector() const { return detector_; }
  // Stamp of the last tick, or of the last event where there was none.
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }
  // `cut`: the recording ended in the middle of a frame.
  [[nodiscard]] Snapshot snapshot(const std::string& tool_version, const Suppressions& suppressions,
                                  bool cut = false) const;

 private:
  void event(Event&& event) override;

  const Preamble& preamble_;
  ScopeFilter* scope_;
  Reorder reorder_;
  Decoder decoder_;
  Model model_;
  Detector detector_;
  std::function<void(std::uint64_t)> on_tick_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t decode_errors_ = 0;  // of those, told to the model
};

}  // namespace connleak
