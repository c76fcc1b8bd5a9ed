// SPDX-License-Identifier: Apache-2.0
#include "probes/losses.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstring>
#include <span>
#include <vector>

#include "connleak.skel.h"
#include "probes/probes.hpp"

namespace connleak {
namespace {

struct HookCounts {
  std::uint64_t hits, dropped;
};

// The programs of a hook, in its order; the last four hooks are no programs.
std::array<const bpf_program*, kHookNames.size()> programs_of(const connleak_bpf& s) {
  const auto* send = bpf_program__fd(s.progs.tp_btf__sock_send_length) >= 0 ? s.progs.tp_btf__sock_send_length
                                                                            : s.progs.fexit__tcp_sendmsg;
  return {s.progs.tp_btf__state_owned,        s.progs.tp_btf__state_softirq,
          s.progs.tp_btf__tcp_destroy_sock,   send,
          s.progs.tp_btf__sock_recv_length,   s.progs.cgroup_skb__egress,
          s.progs.cgroup_skb__ingress,        nullptr /* what it misses is a packet's */,
          s.progs.tp_btf__sched_process_fork, s.progs.tp_btf__sched_process_exec,
          s.progs.tp_btf__sched_process_exit};
}

std::uint64_t recursion_misses(const bpf_program* program) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  const int fd = program ? bpf_program__fd(program) : -1;
  return fd >= 0 && bpf_prog_get_info_by_fd(fd, &info, &size) == 0 ? info.recursion_misses : 0;
}

}  // namespace

void Losses::set_attached(std::string_view hook, bool attached) {
  for (std::size_t i = 0; i < kHookNames.size(); i++) {
    if (hook == kHookNames[i]) counts_[i].attached = attached;
  }
}

Result<void> Losses::tell(const connleak_bpf& skeleton, ByteSink& sink, bool all) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return failure(ErrorKind::failed, "The number of processors cannot be read.");
  std::vector<HookCounts> values(static_cast<std::size_t>(cpus));
  const auto programs = programs_of(skeleton);
  for (__u32 hook = 0; hook < kHookNames.size(); hook++) {
    if (bpf_map__lookup_elem(skeleton.maps.hook_counts, &hook, sizeof hook, values.data(),
                             values.size() * sizeof(HookCounts), 0) != 0) {
      return failure(ErrorKind::failed, "The counters of the kernel programs cannot be read.");
    }
    Counts& counts = counts_[hook];
    counts.hits = counts.dropped = 0;
    for (const HookCounts& value : values) {
      counts.hits += value.hits;
      counts.dropped += value.dropped;
    }
    counts.missed = recursion_misses(programs[hook]);
    if (!all && counts == told_[hook]) continue;
    told_[hook] = counts;
    wire_loss record{};
    record.header = {WIRE_LOSS, sizeof record, 0, boot_now_ns()};
    std::strncpy(record.hook, kHookNames[hook], sizeof record.hook - 1);
    record.hits = counts.hits;
    record.dropped = counts.dropped;
    record.missed = counts.missed;
    record.attached = counts.attached;
    sink.records(std::as_bytes(std::span(&record, 1)));
  }
  return {};
}

}  // namespace connleak
