// SPDX-License-Identifier: Apache-2.0
#include "probes/cgroups.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace connleak {
namespace {

// kernfs numbers the root of a hierarchy 1.
bool is_hierarchy_root(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && (status.st_ino & 0xffffffffu) == 1;
}

// The mount point in a line of mountinfo that mounts the root of cgroup v2; blanks in it are octal, and such mount
// points are passed over.
std::string mount_point_of(const std::string& line) {
  std::istringstream fields(line);
  std::string id, parent, device, root, point, word;
  fields >> id >> parent >> device >> root >> point;
  while (fields >> word && word != "-") {
  }
  std::string type;
  fields >> type;
  return type == "cgroup2" && root == "/" ? point : std::string();
}

CgroupRoot open_existing() {
  std::ifstream mounts("/proc/self/mountinfo");
  CgroupRoot best;
  for (std::string line; std::getline(mounts, line);) {
    const std::string point = mount_point_of(line);
    if (point.empty()) continue;
    Fd fd(::open(point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) continue;
    const bool whole = is_hierarchy_root(fd.get());
    if (best.fd && !whole) continue;
    best = {std::move(fd), point, whole};
    if (whole) break;
  }
  return best;
}

CgroupRoot open_private() {
  const Fd context(static_cast<int>(syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC)));
  if (!context) return {};
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return {};
  Fd fd(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  const bool whole = fd && is_hierarchy_root(fd.get());
  return {std::move(fd), "a private mount", whole};
}

}  // namespace

Result<CgroupRoot> open_cgroup_root() {
  CgroupRoot root = open_existing();
  if (root.fd && root.whole_host) return root;
  CgroupRoot own = open_private();
  if (own.fd && (own.whole_host || !root.fd)) return own;
  if (root.fd) return root;
  return failure(ErrorKind::unsupported, "No cgroup v2 hierarchy is mounted and none can be mounted (" +
                                             std::string(std::strerror(errno)) +
                                             "), so packets cannot be seen; run 'connleak doctor'.");
}

}  // namespace connleak
