// SPDX-License-Identifier: Apache-2.0
// What each command does. Each returns the exit status.
#pragma once

#include "app/options.hpp"
#include "base/result.hpp"

namespace connleak {

[[nodiscard]] Result<int> report_command(const Options& options);
[[nodiscard]] Result<int> top_command(const Options& options);
[[nodiscard]] Result<int> run_command(const Options& options);
[[nodiscard]] Result<int> export_command(const Options& options);
[[nodiscard]] Result<int> explain_command(const Options& options);
[[nodiscard]] Result<int> record_command(const Options& options);
[[nodiscard]] Result<int> doctor_command(const Options& options);

}  // namespace connleak
