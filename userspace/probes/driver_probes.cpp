// SPDX-License-Identifier: Apache-2.0
// Placing probes in a process.
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "connleak.skel.h"
#include "probes/state.hpp"

namespace connleak {

namespace {

Error refused(std::uint32_t pid, int code) {
  return {ErrorKind::failed,
          fmt::format("The kernel does not place the probes in process {} ({}).", pid, std::strerror(code))};
}

// From 6.6 on; the process is told by its thread group from 6.11 on, before that its main thread alone is.
Link attach_together(bpf_program* program, std::uint32_t pid, const std::string& path,
                     std::span<const DriverSite> sites) {
  std::vector<unsigned long> offsets;
  std::vector<__u64> cookies;
  for (const DriverSite& site : sites) {
    offsets.push_back(site.offset);
    cookies.push_back(site.cookie);
  }
  LIBBPF_OPTS(bpf_uprobe_multi_opts, options);
  options.offsets = offsets.data();
  options.cookies = cookies.data();
  options.cnt = offsets.size();
  return Link(bpf_program__attach_uprobe_multi(program, static_cast<pid_t>(pid), path.c_str(), nullptr, &options));
}

}  // namespace

Result<void> Probes::probe_driver(std::uint32_t pid, int file, std::span<const DriverSite> sites) {
  if (!state_->loaded.drivers) return failure(ErrorKind::unsupported, "This kernel does not take the probes.");
  auto& skeleton = *state_->loaded.skeleton;
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  std::vector<Link> placed;
  if (state_->loaded.uprobe_multi) {
    placed.push_back(attach_together(skeleton.progs.uprobe_multi__driver, pid, path, sites));
    if (!placed.back()) return tl::unexpected<Error>(refused(pid, errno));
  } else {
    for (const DriverSite& site : sites) {
      LIBBPF_OPTS(bpf_uprobe_opts, options);
      options.bpf_cookie = site.cookie;
      placed.emplace_back(bpf_program__attach_uprobe_opts(skeleton.progs.uprobe__driver, static_cast<pid_t>(pid),
                                                          path.c_str(), site.offset, &options));
      if (!placed.back()) return tl::unexpected<Error>(refused(pid, errno));
    }
  }
  skeleton.bss->any_driver = 1;
  auto& links = state_->drivers[pid];
  for (Link& link : placed) links.push_back(std::move(link));
  return {};
}

void Probes::release_driver(std::uint32_t pid) { state_->drivers.erase(pid); }

}  // namespace connleak
