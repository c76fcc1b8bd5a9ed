// SPDX-License-Identifier: Apache-2.0
// The root of the cgroup v2 hierarchy, which packet programs hang on.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace connleak {

struct CgroupRoot {
  Fd fd;
  std::string chosen;       // where it was found: a mount point, or "a private mount"
  bool whole_host = false;  // false inside a cgroup namespace: packets of other cgroups are not seen
};

// A mount that exists, else a private one that no path leads to. ErrorKind::unsupported where neither works.
[[nodiscard]] Result<CgroupRoot> open_cgroup_root();

}  // namespace connleak
