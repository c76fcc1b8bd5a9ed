// SPDX-License-Identifier: Apache-2.0
// From what was found to where it is written and the exit status.
#pragma once

#include <optional>
#include <string>

#include "app/options.hpp"
#include "base/result.hpp"
#include "export/baseline.hpp"
#include "report/snapshot.hpp"
#include "report/suppressions.hpp"

namespace connleak {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnsupported = 3;

[[nodiscard]] int exit_status(ErrorKind kind);

// What --fail-on makes of the findings that stand and are not known: 0 or --leak-exit-code.
[[nodiscard]] int verdict_status(const Options& options, const Snapshot& snapshot);

// The snapshot in --format, to --output or else to the stream given (1: standard output, 2: standard error).
[[nodiscard]] Result<void> write_report(const Options& options, const Snapshot& snapshot, int stream);

// All of `text`, or an error: a full disk or a closed pipe is not ignored.
[[nodiscard]] Result<void> write_stream(int fd, const std::string& text);

// --output and --textfile are tried before anything is observed, so that a typo costs no half hour.
[[nodiscard]] Result<void> check_writable(const Options& options);

[[nodiscard]] Result<Suppressions> load_suppressions(const Options& options);

// nullopt without --baseline.
[[nodiscard]] Result<std::optional<Baseline>> load_baseline(const Options& options);

}  // namespace connleak
