// SPDX-License-Identifier: Apache-2.0
#include "probes/loading.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "connleak.skel.h"
#include "probes/losses.hpp"

namespace connleak {
namespace {

// Of a connection that is used now and then, stacks are made out anew once it was silent for so long.
constexpr std::chrono::nanoseconds kAgain = std::chrono::seconds(1);
int print_nothing(libbpf_print_level, const char*, va_list) { return 0; }

int print_warnings(libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_DEBUG ? 0 : std::vfprintf(stderr, format, arguments);
}

// The coarse clocks tick once a jiffy.
std::uint64_t jiffy_ns() {
  timespec resolution{};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0) return 0;
  return static_cast<std::uint64_t>(resolution.tv_sec) * 1'000'000'000ull +
         static_cast<std::uint64_t>(resolution.tv_nsec);
}

// The kernel takes powers of two of at least a page.
std::uint32_t ring_size(std::uint32_t wanted) {
  const auto page = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  return std::bit_ceil(std::clamp(wanted, page, 1u << 30));
}

void set_knobs(connleak_bpf& s, const ProbeOptions& options) {
  s.rodata->scoped = options.scope_pids.has_value();
  s.rodata->keep_all = options.keep_all;
  s.rodata->idle_after_ns = static_cast<std::uint64_t>(options.idle_after.count());
  s.rodata->stack_idle_ns = static_cast<std::uint64_t>(options.stack_idle.count());
  s.rodata->stack_again_ns = static_cast<std::uint64_t>(
      std::clamp<std::chrono::nanoseconds>(options.idle_after, options.stack_idle, kAgain).count());
  s.rodata->captures_limit =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(options.capture_bytes / kCapturePage, UINT32_MAX));
  s.rodata->drop_one_in = options.drop_one_in;
  s.rodata->ring_size = ring_size(options.ring_bytes);
  s.rodata->jiffy_ns = jiffy_ns();
  bpf_map__set_max_entries(s.maps.ring, ring_size(options.ring_bytes));
}

Error load_error(int code) {
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    return {ErrorKind::unsupported,
            "This kernel carries no type information (BTF, /sys/kernel/btf/vmlinux), which connleak needs; run "
            "'connleak "
            "doctor'."};
  }
  if (code == EPERM) {
    return {
        ErrorKind::unsupported,
        "The kernel refused to load the programs: root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, is needed; run "
        "'connleak doctor'."};
  }
  return {ErrorKind::unsupported, std::string("This kernel did not take the programs (") + std::strerror(code) +
                                      "); run 'connleak doctor'."};
}

// Unix sockets: from 6.3 by a tracepoint, before that where the function around it may be entered. A refused entry
// is no failure: their end is found by scans then.
void choose_unix(SendHook send, Loaded& loaded) {
  if (has_tracepoint("sk_data_ready"))
    loaded.data = SendHook::tracepoint;
  else if (send == SendHook::fexit && try_program("fentry__sock_def_readable", true) == 0)
    loaded.data = SendHook::fexit;
  else
    loaded.data = SendHook::none;
  loaded.unix_release = loaded.data != SendHook::none && try_program("fentry__unix_release", true) == 0;
}

// 0 or an errno; `loaded` is set where it worked.
int try_load(const ProbeOptions& options, SendHook send, bool drivers, Loaded& loaded) {
  choose_unix(send, loaded);
  set_libbpf_log(options.verbose);
  Skeleton skeleton(connleak_bpf__open());
  if (!skeleton) return errno;
  set_knobs(*skeleton, options);
  loaded.receive = has_tracepoint("sock_recv_length");
  bpf_program__set_autoload(skeleton->progs.tp_btf__sock_send_length, send == SendHook::tracepoint);
  bpf_program__set_autoload(skeleton->progs.fexit__tcp_sendmsg, send == SendHook::fexit);
  bpf_program__set_autoload(skeleton->progs.fexit__unix_stream_sendmsg, send == SendHook::fexit);
  bpf_program__set_autoload(skeleton->progs.tp_btf__sock_recv_length, loaded.receive);
  bpf_program__set_autoload(skeleton->progs.tp_btf__sk_data_ready, loaded.data == SendHook::tracepoint);
  bpf_program__set_autoload(skeleton->progs.fentry__sock_def_readable, loaded.data == SendHook::fexit);
  bpf_program__set_autoload(skeleton->progs.fentry__unix_release, loaded.unix_release);
  loaded.uprobe_multi = has_struct("bpf_uprobe_multi_link");
  loaded.drivers = drivers;
  bpf_program__set_autoload(skeleton->progs.uprobe_multi__driver, drivers && loaded.uprobe_multi);
  bpf_program__set_autoload(skeleton->progs.uprobe__driver, drivers && !loaded.uprobe_multi);
  if (const int code = connleak_bpf__load(skeleton.get()); code != 0) return -code;
  loaded.skeleton = std::move(skeleton);
  loaded.send = send;
  return 0;
}

}  // namespace

void SkeletonDeleter::operator()(connleak_bpf* skeleton) const { connleak_bpf__destroy(skeleton); }

void set_libbpf_log(bool verbose) { libbpf_set_print(verbose ? print_warnings : print_nothing); }

bool has_tracepoint(const std::string& name) {
  btf* types = btf__load_vmlinux_btf();
  if (!types) return false;
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  btf__free(types);
  return id > 0;
}

bool has_struct(const std::string& name) {
  btf* types = btf__load_vmlinux_btf();
  if (!types) return false;
  const int id = btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT);
  btf__free(types);
  return id > 0;
}

bool has_helper(const std::string& name) {
  btf* types = btf__load_vmlinux_btf();
  if (!types) return false;
  bool found = false;
  const int id = btf__find_by_name_kind(types, "bpf_func_id", BTF_KIND_ENUM);
  if (const btf_type* helpers = id > 0 ? btf__type_by_id(types, static_cast<__u32>(id)) : nullptr) {
    const struct btf_enum* first = ::btf_enum(helpers);
    found = std::any_of(first, first + btf_vlen(helpers),
                        [&](const auto& helper) { return name == btf__name_by_offset(types, helper.name_off); });
  }
  btf__free(types);
  return found;
}

Result<Loaded> load_programs(const ProbeOptions& options) {
  Loaded loaded;
  int code = ENOENT;
  // Kernels that do not take the probes on drivers take the rest.
  const auto attempt = [&](SendHook send) {
    const int with = try_load(options, send, true, loaded);
    return with == 0 ? 0 : try_load(options, send, false, loaded);
  };
  if (has_tracepoint("sock_send_length")) code = attempt(SendHook::tracepoint);
  if (code != 0 && code != EPERM) code = attempt(SendHook::fexit);
  if (code != 0 && code != EPERM) code = attempt(SendHook::none);
  if (code != 0) return tl::unexpected<Error>(load_error(code));
  return loaded;
}

int try_program(const std::string& name, bool attach) {
  set_libbpf_log(false);
  Skeleton skeleton(connleak_bpf__open());
  if (!skeleton) return errno;
  bpf_program* chosen = nullptr;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const bool wanted = name == bpf_program__name(program);
    bpf_program__set_autoload(program, wanted);
    if (wanted) chosen = program;
  }
  if (!chosen) return ENOENT;
  if (const int code = connleak_bpf__load(skeleton.get()); code != 0) return -code;
  if (!attach) return 0;
  bpf_link* link = bpf_program__attach(chosen);
  if (!link) return errno;
  bpf_link__destroy(link);
  return 0;
}

}  // namespace connleak
