// SPDX-License-Identifier: Apache-2.0
// --baseline: findings that an earlier report has already, read back from its JSON.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "report/snapshot.hpp"

namespace connleak {

// A finding is known when the earlier report has one with the same stack id; where no stack was seen, one with the
// same rule, process name and protocol. Addresses and pids differ from run to run and are not compared.
class Baseline {
 public:
  // `text`: a whole report, schema connleak.report/1. ErrorKind::usage where it is none.
  [[nodiscard]] static Result<Baseline> parse(std::string_view text);

  // Marks what is known, and lists what was found then and is no longer found.
  void apply(Snapshot& snapshot) const;

 private:
  std::vector<BaselineFinding> findings_;
};

}  // namespace connleak
