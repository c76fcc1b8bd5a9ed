// SPDX-License-Identifier: Apache-2.0
#include "probes/probes.hpp"

#include <bpf/bpf.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "connleak.skel.h"
#include "probes/scans.hpp"
#include "probes/state.hpp"

namespace connleak {
namespace {

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

// An entry may be longer than its record: see emit__stack().
int take_entry(void* context, void* data, std::size_t size) {
  wire_header header{};
  if (size < sizeof header) return 0;
  std::memcpy(&header, data, sizeof header);
  const std::size_t length = std::min<std::size_t>(header.size, size);
  static_cast<ByteSink*>(context)->records({static_cast<const std::byte*>(data), length});
  return 0;
}

// libbpf fixes the context of a ring when it is made; the sink changes from call to call.
class Forwarder {
 public:
  static int take(void* state, void* data, std::size_t size) {
    return take_entry(*static_cast<ByteSink**>(state), data, size);
  }
};

Preamble make_preamble(const ProbeOptions& options) {
  Preamble preamble;
  utsname name{};
  uname(&name);
  preamble.tool_version = options.tool_version;
  preamble.hostname = name.nodename;
  preamble.kernel = name.release;
  preamble.started_ns = boot_now_ns();
  preamble.boot_to_unix_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
  preamble.attached_late = options.attached_late;
  return preamble;
}

void put_scan_mark(ByteSink& sink, wire_type type, wire_scan_kind kind, std::uint64_t began_ns) {
  wire_scan record{};
  record.header = {static_cast<__u16>(type), sizeof record, 0, boot_now_ns()};
  record.began_ns = began_ns;
  record.kind = kind;
  sink.records(std::as_bytes(std::span(&record, 1)));
}

}  // namespace

std::uint64_t boot_now_ns() { return static_cast<std::uint64_t>(clock_ns(CLOCK_BOOTTIME)); }

Probes::Probes(std::unique_ptr<State> state) : state_(std::move(state)) {}
Probes::~Probes() = default;

Result<void> Probes::State::open_ring() {
  const int map = bpf_map__fd(loaded.skeleton->maps.ring);
  ring.reset(ring_buffer__new(map, Forwarder::take, static_cast<void*>(&sink), nullptr));
  wakeups = Fd(epoll_create1(EPOLL_CLOEXEC));
  if (ring)
    ring_buffer__add(ring.get(), bpf_map__fd(loaded.skeleton->maps.captures), Forwarder::take,
                     static_cast<void*>(&sink));
  // Edge-triggered: readiness alone, which every record makes, wakes nobody.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (!ring || ring_buffer__ring(ring.get(), 1) == nullptr || !wakeups ||
      epoll_ctl(wakeups.get(), EPOLL_CTL_ADD, map, &event) != 0 ||
      epoll_ctl(wakeups.get(), EPOLL_CTL_ADD, bpf_map__fd(loaded.skeleton->maps.captures), &event) != 0) {
    return failure(ErrorKind::failed,
                   std::string("The ring buffer cannot be read: ") + std::strerror(errno) + ".");
  }
  return {};
}

Result<void> Probes::State::drain(ByteSink& to) {
  sink = &to;
  const int count = ring_buffer__consume(ring.get());
  sink = nullptr;
  if (count < 0) {
    return failure(ErrorKind::failed, std::string("The ring buffer broke: ") + std::strerror(-count) + ".");
  }
  return {};
}

Result<std::unique_ptr<Probes>> Probes::open(const ProbeOptions& options) {
  set_libbpf_log(options.verbose);
  auto state = std::make_unique<State>();
  state->preamble = make_preamble(options);
  state->scoped = options.scope_pids.has_value();
  state->stack_idle_ns = static_cast<std::uint64_t>(options.stack_idle.count());
  auto loaded = load_programs(options);
  if (!loaded) return tl::unexpected<Error>(loaded.error());
  state->loaded = std::move(*loaded);
  if (bpf_map__max_entries(state->loaded.skeleton->maps.hook_counts) != kHookNames.size()) {
    return failure(ErrorKind::failed, "The hook names do not fit the kernel programs: a defect of connleak.");
  }
  state->losses.set_attached("send", state->loaded.send != SendHook::none);
  state->losses.set_attached("receive", state->loaded.receive);
  state->losses.set_attached("unix", state->loaded.data != SendHook::none);
  auto cgroup = open_cgroup_root();
  if (!cgroup) return tl::unexpected<Error>(cgroup.error());
  state->cgroup = std::move(*cgroup);
  if (auto ready = state->open_ring(); !ready) return tl::unexpected<Error>(ready.error());
  // Captured stacks pass through our memory: no core file may hold them.
  prctl(PR_SET_DUMPABLE, 0);
  std::unique_ptr<Probes> probes(new Probes(std::move(state)));
  if (options.scope_pids) {
    for (const std::uint32_t pid : *options.scope_pids) {
      if (auto added = probes->add_scope_pid(pid); !added) return tl::unexpected<Error>(added.error());
    }
  }
  if (auto attached = probes->state_->attach_all(); !attached) return tl::unexpected<Error>(attached.error());
  return probes;
}

const Preamble& Probes::preamble() const { return state_->preamble; }

Result<SourceState> Probes::poll(ByteSink& sink, std::chrono::milliseconds timeout) {
  epoll_event event{};
  if (timeout.count() > 0) epoll_wait(state_->wakeups.get(), &event, 1, static_cast<int>(timeout.count()));
  if (auto drained = state_->drain(sink); !drained) return tl::unexpected<Error>(drained.error());
  return SourceState::more;
}

Result<void> Probes::scan(ByteSink& sink, wire_scan_kind kind) {
  if (auto drained = state_->drain(sink); !drained) return drained;
  const std::uint64_t began = boot_now_ns();
  if (kind != WIRE_SCAN_FINAL) put_scan_mark(sink, WIRE_SCAN_BEGIN, kind, began);
  if (kind == WIRE_SCAN_HOLDERS) {
    if (auto read = read_iterator(state_->holders.get(), sink); !read) return read;
    state_->loaded.skeleton->data->next_scan++;
  } else if (kind == WIRE_SCAN_LEVELS) {
    auto& counts = *state_->loaded.skeleton->bss;
    counts.captures_seen = 0;
    if (auto read = read_iterator(state_->connections.get(), sink); !read) return read;
    counts.captures_held = counts.captures_seen;
    if (auto read = read_iterator(state_->sessions.get(), sink); !read) return read;
    state_->services.tell(state_->loaded.skeleton->maps.services, sink, boot_now_ns());
    state_->leases.tell(state_->loaded.skeleton->maps.leases, sink, boot_now_ns(), state_->stack_idle_ns);
  }
  // Edges that fell into the scan belong to the tick that ends it.
  if (auto drained = state_->drain(sink); !drained) return drained;
  const bool all = kind == WIRE_SCAN_FINAL || !state_->told_all;
  if (auto told = state_->losses.tell(*state_->loaded.skeleton, sink, all); !told) return told;
  state_->told_all = true;
  put_scan_mark(sink, WIRE_SCAN_END, kind, began);
  return {};
}

Result<void> Probes::add_scope_pid(std::uint32_t pid) {
  // Searched for older connections by the next holders' scan.
  const std::uint32_t scan = state_->loaded.skeleton->data->next_scan;
  if (!state_->scoped) return failure(ErrorKind::failed, "A process was added to a scope that is everything.");
  if (bpf_map__update_elem(state_->loaded.skeleton->maps.scope_pids, &pid, sizeof pid, &scan, sizeof scan,
                           BPF_ANY) != 0) {
    return failure(ErrorKind::failed, "The scope has no room for another process: it holds 65,536.");
  }
  return {};
}

void Probes::set_layout(std::uint32_t pid, const frame_layout& layout) {
  auto& skeleton = *state_->loaded.skeleton;
  if (bpf_map__update_elem(skeleton.maps.layouts, &pid, sizeof pid, &layout, sizeof layout, BPF_ANY) == 0)
    skeleton.bss->any_layout = 1;
}

}  // namespace connleak
