// SPDX-License-Identifier: Apache-2.0
#include "report/suppressions.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

namespace connleak {
namespace {

std::string_view trimmed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Suppressions Suppressions::parse(std::string_view text) {
  Suppressions result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (const auto line = trimmed(text.substr(0, end)); !line.empty()) result.patterns_.emplace_back(line);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return result;
}

bool Suppressions::hides(const Finding& finding, const Endpoint& endpoint) const {
  std::vector<std::string> names;
  if (finding.culprit && finding.culprit->function) names.push_back(*finding.culprit->function);
  if (finding.culprit && finding.culprit->module) names.push_back(*finding.culprit->module);
  if (endpoint.path) names.push_back(*endpoint.path);
  if (endpoint.address) names.push_back(fmt::format("{}:{}", *endpoint.address, endpoint.port.value_or(0)));
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const std::string& pattern) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
  });
}

}  // namespace connleak
