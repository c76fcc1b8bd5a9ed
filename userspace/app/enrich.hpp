// SPDX-License-Identifier: Apache-2.0
// Adds to a live stream what only a live observer can know: who a process is, what an address means.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/capture_modes.hpp"
#include "app/driver_probes.hpp"
#include "app/pool_reader.hpp"
#include "events/decode.hpp"
#include "events/source.hpp"
#include "report/scope_filter.hpp"
#include "symbols/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace connleak {

// Puts a WIRE_PROCESS before the first record of a process and a WIRE_SYMBOL before the first stack with an
// address, so that whatever reads the stream (model or recording) needs no /proc. Makes captured stacks out: what
// was captured goes no further. Drops what is out of scope.
class Enrich final : public ByteSink, private EventSink {
 public:
  // What it asks of the kernel side.
  struct Hooks {
    CaptureModes::Tell tell;  // how stacks of a process are captured
    // Probes on drivers and pools; without: none are wanted.
    DriverProbes::Place place;
    DriverProbes::Release release;
    std::optional<std::vector<std::string>> drivers;  // as in Options::probes
  };
  // Scope and sink are borrowed.
  Enrich(ScopeFilter& scope, ByteSink& next, Hooks hooks)
      : scope_(scope), next_(next), decoder_(*this), modes_(symbolizer_, std::move(hooks.tell)) {
    if (hooks.place)
      drivers_.emplace(symbolizer_, std::move(hooks.place), std::move(hooks.release), std::move(hooks.drivers));
  }

  void records(std::span<const std::byte> bytes) override;

  // Processes of --pid with their descendants that still live; filled by watch() and by fork and exit edges.
  void watch(std::uint32_t pid);
  // Looks at programs that were just started, or are watched from now on, before they open a connection: the stack
  // of the first request should be captured as their interpreter wants it, and their drivers be probed. At all
  // others now and then: libraries are loaded at any time. Call it some times a second.
  void look_at_processes(std::uint64_t now_ns);
  // Processes met so far: a rise says that one is new, of which everything should be looked at while it lives.
  [[nodiscard]] std::uint64_t met() const { return met_; }
  [[nodiscard]] const std::unordered_set<std::uint32_t>& watched_alive() const { return alive_; }

 private:
  struct Young {
    std::uint64_t start_ns = 0;
    std::uint64_t next_ns = 0;
    std::uint64_t pause_ns = 0;
    std::uint64_t looked_ns = 0;  // the pauses so far
  };
  void event(Event&& event) override;
  void follow(const ProcessEvent& event, std::uint64_t time_ns);
  void look_at_young(std::uint64_t now_ns);
  void see_process(const wire_thread& thread, std::uint64_t time_ns);
  void put_process(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t time_ns);
  void take_capture(std::span<const std::byte> record);
  void make_out(const capture& captured);
  [[nodiscard]] std::vector<std::uint64_t> name_script(const capture& captured);
  void put_symbols(std::uint64_t address, std::span<const SymbolFrame> frames, const wire_thread& thread,
                   std::uint64_t time_ns);
  void name_addresses(StackEvent& stack, std::uint64_t time_ns);

  ScopeFilter& scope_;
  ByteSink& next_;
  Decoder decoder_;
  Symbolizer symbolizer_;
  Unwinder unwinder_{symbolizer_};
  CaptureModes modes_;
  std::optional<DriverProbes> drivers_;
  PoolReader pools_{symbolizer_};
  std::uint64_t next_look_ns_ = 0;  // at everybody's drivers
  std::vector<std::byte> out_;
  std::map<std::uint32_t, Young> young_;  // pid -> when it is looked at next
  bool admitted_ = true;
  std::uint64_t met_ = 0;
  bool application_seen_ = false;  // in the stack that was named last
  std::unordered_set<std::uint32_t> alive_;
  std::unordered_map<std::uint32_t, std::uint64_t> seen_;                       // pid -> start
  std::unordered_map<std::uint32_t, std::unordered_set<std::uint64_t>> named_;  // pid -> addresses
  std::unordered_map<std::uint32_t, std::map<std::string, std::uint64_t>>
      script_places_;  // pid -> place -> address
};

}  // namespace connleak
