// SPDX-License-Identifier: Apache-2.0
// What `doctor` prints.
#pragma once

#include <string>
#include <vector>

namespace connleak {

struct DoctorLine {
  std::string name;
  bool ok = false;
  bool required = false;  // without it nothing can be observed
  std::string detail;     // what was found or chosen, and what follows
};

[[nodiscard]] std::string render_doctor(const std::vector<DoctorLine>& lines);

}  // namespace connleak
