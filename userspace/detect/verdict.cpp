// SPDX-License-Identifier: Apache-2.0
// Levels, epochs and numbers in words.
#include "detect/verdict.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"

namespace connleak::detect {

Verdict level(Confidence confidence, bool single_is_leak, std::size_t connections) {
  if (single_is_leak && confidence == Confidence::high && connections > 0) return Verdict::leak;
  return confidence == Confidence::high && connections >= kLeakConnections ? Verdict::leak : Verdict::suspect;
}

const model::Stack* stack_of(const model::Connection& connection, StackOf kind) {
  switch (kind) {
    case StackOf::open:
      return connection.open_stack;
    case StackOf::acquire:
      return connection.lease != nullptr ? connection.lease->acquire_stack : nullptr;
    case StackOf::last_use:
      break;
  }
  return connection.last_use_stack;
}

std::uint64_t count_epochs(std::vector<std::uint64_t> births_ns, std::uint64_t idle_after_ns) {
  if (births_ns.empty()) return 0;
  std::sort(births_ns.begin(), births_ns.end());
  const std::uint64_t apart = std::max(idle_after_ns, kEpochFloor);
  std::uint64_t epochs = 1;
  for (std::size_t i = 1; i < births_ns.size(); ++i) epochs += births_ns[i] - births_ns[i - 1] > apart ? 1U : 0U;
  return epochs;
}

std::string number_text(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string seconds_text(std::uint64_t ns) {
  const double seconds = static_cast<double>(ns) / static_cast<double>(kSecond);
  if (seconds < 0.001) return "under 1 ms";
  if (seconds < 0.1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 1) return fmt::format("{:.2g} s", seconds);
  if (seconds < 100) return fmt::format("{:.3g} s", seconds);
  return fmt::format("{} s", number_text(ns / kSecond));
}

}  // namespace connleak::detect
