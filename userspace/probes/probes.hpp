// SPDX-License-Identifier: Apache-2.0
// The kernel as an event source: loads and attaches the programs of bpf/, drains their ring, runs scans.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "events/source.hpp"
#include "frames.h"
#include "wire.h"

namespace connleak {

struct ProbeOptions {
  // Processes to observe, with all that they start from then on. Absent: every process. An empty list observes
  // nothing until add_scope_pid().
  std::optional<std::vector<std::uint32_t>> scope_pids;
  bool keep_all = false;                                // also connections that are not to a database
  std::chrono::nanoseconds idle_after{30'000'000'000};  // idle longer at close: stacks and gaps are sent along
  std::chrono::nanoseconds stack_idle{50'000'000};      // idle longer at a scan: its stacks are sent, once
  std::uint32_t ring_bytes = 8 * 1024 * 1024;           // rounded up to a power of two, at least a page
  // Kernel memory for captured stacks, some 8 KiB a connection; what is above it has its frames walked.
  std::uint64_t capture_bytes = 64 * 1024 * 1024;
  std::uint32_t drop_one_in = 0;  // for tests: lose every Nth record; 0 = none
  bool attached_late = true;      // for the preamble
  bool verbose = false;           // libbpf's own messages, to standard error
  std::string tool_version;       // for the preamble
};

struct DriverSite {
  std::uint64_t offset = 0;  // of the instruction in the file: one begins there
  std::uint64_t cookie = 0;  // driver_cookie() of bpf/drivers.h
};

// One thread at a time. Everything placed in the kernel goes when the object (or the process) does.
class Probes : public EventSource {
 public:
  // ErrorKind::unsupported where kernel or privileges do not allow it.
  [[nodiscard]] static Result<std::unique_ptr<Probes>> open(const ProbeOptions& options);
  ~Probes() override;

  [[nodiscard]] const Preamble& preamble() const override;
  // Waits until `timeout` is over or the ring is a sixteenth full, then hands over what is there. Never `ended`.
  [[nodiscard]] Result<SourceState> poll(ByteSink& sink, std::chrono::milliseconds timeout) override;

  // WIRE_SCAN_BEGIN, everything of that kind, WIRE_LOSS of what changed, WIRE_SCAN_END. The ring is drained before
  // it, so that what the scan shows is never older than the edges before it. WIRE_SCAN_FINAL reads
  // nothing: it tells the losses of every hook and marks the end. Connections older than the observer are found by
  // the first holders' scan only: run it right after open().
  [[nodiscard]] Result<void> scan(ByteSink& sink, wire_scan_kind kind);

  // From the next instruction on `pid` is in scope; the next holders' scan finds its older connections. Failed
  // without a scope, or where 65,536 are in it.
  [[nodiscard]] Result<void> add_scope_pid(std::uint32_t pid);

  // From now on the stacks that `pid` leaves behind are captured by this. Where there is no room for another
  // process, or it is gone, its native stacks are.
  void set_layout(std::uint32_t pid, const frame_layout& layout);

  // From now on these instructions of a file are probed in the process. `file` stays open as long as it is the
  // caller's; what is probed is what it refers to now, whatever its path leads to. All of them or none.
  [[nodiscard]] Result<void> probe_driver(std::uint32_t pid, int file, std::span<const DriverSite> sites);
  // None of it is probed any more.
  void release_driver(std::uint32_t pid);

 private:
  struct State;
  explicit Probes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Nanoseconds of the boot-time clock: the clock of every stamp.
[[nodiscard]] std::uint64_t boot_now_ns();

}  // namespace connleak
