// SPDX-License-Identifier: Apache-2.0
// What the command line asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/culprit_rules.hpp"
#include "report/scope.hpp"

namespace connleak {

enum class Command { top, report, run, export_, explain, record, doctor };
enum class Format { text, json, csv, html };
enum class FailOn { leak, suspect, open, never };

struct Options {
  Command command = Command::report;
  ScopeOptions scope;
  std::optional<std::string> from;
  bool all = false;
  CulpritRules culprit_rules;
  std::chrono::nanoseconds idle_after{};
  std::chrono::nanoseconds hold_after{};
  std::optional<std::chrono::nanoseconds> max_age;
  std::optional<std::chrono::nanoseconds> duration;  // absent: until a signal (or the command's end)
  std::chrono::nanoseconds interval{};
  Format format = Format::text;
  std::optional<std::string> output;
  std::optional<std::string> textfile;
  // Drivers and pools that are probed, by the names that `doctor` prints; nullopt: all that are cheap enough.
  // Empty: none.
  std::optional<std::vector<std::string>> probes;
  FailOn fail_on = FailOn::never;
  int leak_exit_code = 23;
  std::optional<std::string> suppress;
  std::optional<std::string> baseline;  // report and run
  bool label_pid = false;
  std::size_t max_series = 10'000;
  std::vector<std::string> argv;               // run: the command
  std::uint32_t target_pid = 0;                // explain
  std::optional<std::uint32_t> target_fd;      // explain
  std::uint32_t ring_bytes = 0;                // 0: the default
  std::optional<std::uint64_t> capture_bytes;  // of kernel memory for captured stacks; default 64 MiB
  std::uint32_t drop_one_in = 0;               // tests only
};

}  // namespace connleak
