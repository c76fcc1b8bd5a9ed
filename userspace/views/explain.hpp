// SPDX-License-Identifier: Apache-2.0
// What `explain` prints: facts and timeline of connections, and each rule's answer. Whoever fills an
// Explanation passes raw text; it is escaped here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "views/text_report.hpp"

namespace connleak {

struct Fact {
  std::string name;  // "idle"
  std::string value;
};

struct TimelineLine {
  std::string when;  // "12:00:01.250", "+3.2s"
  std::string what;
};

struct ConnectionExplanation {
  std::string title;  // "fd 7  127.0.0.1:50412 to 127.0.0.1:5432"
  std::vector<Fact> facts;
  std::vector<TimelineLine> timeline;  // oldest first
};

struct RuleExplanation {
  std::string id;             // "L1"
  std::string name;           // "never-closed"
  std::string subject;        // which group or connection it was asked about; may be empty
  std::optional<bool> fires;  // absent: it could not be asked, and the reasons say why
  std::vector<std::string> reasons;
};

struct Explanation {
  std::string heading;  // "go-shop (pid 4711), started 2026-01-31T23:59:59.000Z"
  std::vector<Fact> facts;
  std::vector<ConnectionExplanation> connections;
  std::vector<RuleExplanation> rules;
};

[[nodiscard]] std::string render_explain(const Explanation& explanation, const TextStyle& style = {});

}  // namespace connleak
