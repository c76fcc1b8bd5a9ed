// SPDX-License-Identifier: Apache-2.0
// What the command line asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace connleak {

enum class Command { top, report, run, export_, explain, record, doctor };
enum class Format { text, json, csv, html };
enum class FailOn { leak, suspect, open, never };

// One `--endpoint HOST[:PORT]`. HOST is an address, "localhost" or a unix socket's path.
struct EndpointPattern {
  std::string host;
  std::optional<std::uint16_t> port;
};

// AND across kinds, OR within one; an empty kind matches everything.
struct ScopeOptions {
  std::vector<std::uint32_t> pids;  // with their descendants
  std::vector<std::string> comms;
  std::vector<std::string> exes;
  std::vector<std::string> cgroups;  // a path and everything below it
  std::vector<EndpointPattern> endpoints;
  std::vector<std::uint16_t> ports;
};

struct Options {
  Command command = Command::report;
  ScopeOptions scope;
  std::optional<std::string> from;
  bool all = false;
  std::chrono::nanoseconds idle_after{};
  std::chrono::nanoseconds hold_after{};
  std::optional<std::chrono::nanoseconds> max_age;
  std::optional<std::chrono::nanoseconds> duration;  // absent: until a signal (or the command's end)
  std::chrono::nanoseconds interval{};
  Format format = Format::text;
  std::optional<std::string> output;
  std::optional<std::string> textfile;
  std::string probes = "auto";
  FailOn fail_on = FailOn::never;
  int leak_exit_code = 23;
  std::optional<std::string> suppress;
  bool label_pid = false;
  std::size_t max_series = 10'000;
  std::vector<std::string> argv;            // run: the command
  std::uint32_t target_pid = 0;             // explain
  std::optional<std::uint32_t> target_fd;   // explain
  std::uint32_t ring_bytes = 0;             // 0: the default
  std::uint32_t drop_one_in = 0;            // tests only
};

}  // namespace connleak
