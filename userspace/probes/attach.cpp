// SPDX-License-Identifier: Apache-2.0
// Placing the programs.
#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>

#include "connleak.skel.h"
#include "probes/state.hpp"

namespace connleak {
namespace {

Error attach_error(const bpf_program* program, int code) {
  return {ErrorKind::unsupported, std::string("The program ") + bpf_program__name(program) +
                                      " cannot be attached (" + std::strerror(code) + "); run 'connleak doctor'."};
}

}  // namespace

Result<void> Probes::State::attach(bpf_program* program) {
  Link link(bpf_program__attach(program));
  if (!link) return tl::unexpected<Error>(attach_error(program, errno));
  links.push_back(std::move(link));
  return {};
}

bool Probes::State::attach_packets() {
  auto& programs = loaded.skeleton->progs;
  Link egress(bpf_program__attach_cgroup(programs.cgroup_skb__egress, cgroup.fd.get()));
  Link ingress(bpf_program__attach_cgroup(programs.cgroup_skb__ingress, cgroup.fd.get()));
  if (!egress || !ingress) return false;
  links.push_back(std::move(egress));
  links.push_back(std::move(ingress));
  return true;
}

Result<Link> Probes::State::attach_iterator(bpf_program* program, bpf_map* map) {
  bpf_iter_link_info info{};
  LIBBPF_OPTS(bpf_iter_attach_opts, options);
  if (map) {
    info.map.map_fd = static_cast<__u32>(bpf_map__fd(map));
    options.link_info = &info;
    options.link_info_len = sizeof info;
  }
  Link link(bpf_program__attach_iter(program, &options));
  if (!link) return tl::unexpected<Error>(attach_error(program, errno));
  return link;
}

Result<void> Probes::State::attach_all() {
  auto& programs = loaded.skeleton->progs;
  auto& maps = loaded.skeleton->maps;
  // What makes records comes last: a connection whose first bytes were missed is never told. Forks come first, or
  // a child of the scope slips out.
  if (!attach_packets()) {
    return failure(ErrorKind::unsupported, std::string("Packet programs cannot be attached to the cgroup root (") +
                                               std::strerror(errno) + "); run 'connleak doctor'.");
  }
  std::vector<bpf_program*> order = {programs.tp_btf__sched_process_fork, programs.tp_btf__sched_process_exec,
                                     programs.tp_btf__sched_process_exit};
  if (loaded.send == SendHook::tracepoint) order.push_back(programs.tp_btf__sock_send_length);
  if (loaded.send == SendHook::fexit)
    order.insert(order.end(), {programs.fexit__tcp_sendmsg, programs.fexit__unix_stream_sendmsg});
  if (loaded.data == SendHook::tracepoint) order.push_back(programs.tp_btf__sk_data_ready);
  if (loaded.data == SendHook::fexit) order.push_back(programs.fentry__sock_def_readable);
  if (loaded.unix_release) order.push_back(programs.fentry__unix_release);
  if (loaded.receive) order.push_back(programs.tp_btf__sock_recv_length);
  order.insert(order.end(),
               {programs.tp_btf__tcp_destroy_sock, programs.tp_btf__state_softirq, programs.tp_btf__state_owned});
  for (bpf_program* program : order) {
    if (auto placed = attach(program); !placed) return placed;
  }
  auto first = attach_iterator(programs.iter__connections, maps.connections);
  if (!first) return tl::unexpected<Error>(first.error());
  auto second = attach_iterator(programs.iter__sessions, maps.sessions);
  if (!second) return tl::unexpected<Error>(second.error());
  auto third = attach_iterator(programs.iter__holders, nullptr);
  if (!third) return tl::unexpected<Error>(third.error());
  connections = std::move(*first);
  sessions = std::move(*second);
  holders = std::move(*third);
  return {};
}

}  // namespace connleak
