// SPDX-License-Identifier: Apache-2.0
#include "probes/doctor.hpp"

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string_view>

#include "probes/cgroups.hpp"
#include "probes/loading.hpp"

namespace connleak {
namespace {

// Numbers of include/uapi/linux/capability.h.
constexpr int kNetAdmin = 12, kSysPtrace = 19, kSysAdmin = 21, kPerfmon = 38, kBpf = 39;

std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

bool has(std::uint64_t capabilities, int which) { return capabilities >> which & 1; }

Check check_btf() {
  const bool ok = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  return {"kernel type information (BTF)", ok, true,
          ok ? "/sys/kernel/btf/vmlinux is used" : "a kernel with CONFIG_DEBUG_INFO_BTF is needed"};
}

Check check_privileges() {
  const std::uint64_t own = effective_capabilities();
  const bool admin = has(own, kSysAdmin);
  const bool ok = (admin || (has(own, kBpf) && has(own, kPerfmon))) && (admin || has(own, kNetAdmin));
  return {"privileges", ok, true,
          ok ? "programs may be loaded" : "run as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"};
}

Check check_ptrace() {
  const bool ok = has(effective_capabilities(), kSysPtrace);
  return {"reading other processes (CAP_SYS_PTRACE)", ok, false,
          ok ? "functions and lines of other users' programs can be named"
             : "frames of other users' programs stay addresses"};
}

Check check_ring() {
  const bool ok = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1;
  return {"ring buffer (5.8)", ok, true, ok ? "used" : "Linux 5.11 or newer is needed"};
}

Check check_program(std::string name, const char* program, bool required, std::string ok, const std::string& bad) {
  const int code = try_program(program, false);
  return {std::move(name), code == 0, required,
          code == 0 ? std::move(ok) : bad + " (" + std::strerror(code) + ")"};
}

Check check_cgroup() {
  const auto root = open_cgroup_root();
  if (!root) return {"cgroup v2", false, true, root.error().message};
  return {"cgroup v2", true, true,
          "packets are read at " + root->chosen +
              (root->whole_host ? ""
                                : "; it is not the root of the host: the turn of connections outside is unknown")};
}

Check check_stacks() {
#if defined(__x86_64__)
  const bool ok = has_helper("BPF_FUNC_task_pt_regs");
#else
  const bool ok = false;
#endif
  return {"stacks without frame pointers (5.15, x86-64)", ok, false,
          ok ? fmt::format("captured raw and unwound, for {} connections at a time (up to {} MiB of kernel "
                           "memory); above it walked",
                           ProbeOptions().capture_bytes / (2 * kCapturePage), ProbeOptions().capture_bytes >> 20)
             : "stacks are walked by frame pointers: short where programs or libraries are built without"};
}

Check check_fexit(bool needed) {
  const int code = try_program("fexit__tcp_sendmsg", true);
  const std::string verdict = code == 0 ? "allowed" : std::string("refused (") + std::strerror(code) + ")";
  return {"fentry and fexit programs", code == 0, false,
          verdict + (needed ? "; it is the send hook before 6.3" : "; not needed: the send tracepoint is used")};
}

}  // namespace

std::vector<Check> doctor() {
  set_libbpf_log(false);
  std::vector<Check> checks = {check_btf(), check_privileges(), check_ptrace()};
  // Without privileges everything fails, whatever the kernel can do.
  if (!checks[0].ok || !checks[1].ok) {
    checks.push_back({"hooks", false, true, "not tried: see what is missing above"});
    return checks;
  }
  checks.push_back(check_ring());
  checks.push_back(check_program("connection edges (tp_btf/inet_sock_set_state)", "tp_btf__state_owned", true,
                                 "opened, established, failed and closed are seen", "connections cannot be seen"));
  checks.push_back(check_program("packets (cgroup_skb)", "cgroup_skb__egress", true,
                                 "protocol, turn and transaction are read", "protocol and turn cannot be read"));
  checks.push_back(check_cgroup());
  const bool tracepoint =
      has_tracepoint("sock_send_length") && try_program("tp_btf__sock_send_length", false) == 0;
  checks.push_back({"send hook (tp_btf/sock_send_length, 6.3)", tracepoint, false,
                    tracepoint ? "threads and stacks of last uses are seen"
                               : "fexit/tcp_sendmsg is tried instead; without it no stack of last use"});
  checks.push_back(check_stacks());
  checks.push_back(check_fexit(!tracepoint));
  const bool data = has_tracepoint("sk_data_ready") && try_program("tp_btf__sk_data_ready", false) == 0;
  const bool entered = try_program("fentry__unix_release", true) == 0;
  const bool seen = data || try_program("fentry__sock_def_readable", true) == 0;
  checks.push_back(
      {"unix sockets (tp_btf/sk_data_ready, 6.3)", seen, false,
       std::string(seen ? "protocol, turn and transaction are read" : "connections over them are not seen") +
           (!seen     ? ""
            : entered ? "; their end is seen when it happens"
                      : "; their end is found by scans, within a second")});
  checks.push_back(check_program("receive hook (tp_btf/sock_recv_length, 6.3)", "tp_btf__sock_recv_length", false,
                                 "inbound sessions are paired with connections", "inbound sessions are not seen"));
  checks.push_back(check_program("levels (iter/bpf_sk_storage_map)", "iter__connections", true,
                                 "all tracked sockets are read at once", "levels cannot be read"));
  checks.push_back(check_program("holders and older connections (iter/task_file)", "iter__holders", true,
                                 "connections older than connleak are found", "older connections are not found"));
  return checks;
}

}  // namespace connleak
