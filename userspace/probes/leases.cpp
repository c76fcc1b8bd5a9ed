// SPDX-License-Identifier: Apache-2.0
#include "probes/leases.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "drivers.h"
#include "probes/process_info.hpp"

namespace connleak {

namespace {

// Nothing was ever sent on it, so that no socket's end removes it.
constexpr std::uint64_t kForgotten = 60'000'000'000;

void put_lease(ByteSink& sink, std::uint64_t handle, const lease& from, std::uint64_t now_ns) {
  wire_lease record{};
  record.header = {WIRE_LEASE, sizeof record, 0, now_ns};
  record.thread = from.thread;
  record.handle = handle;
  record.pool = from.object == WIRE_OBJECT_HANDLE ? 0 : from.pool;
  record.owner = from.owner;
  record.goroutine = from.goroutine;
  record.acquired_ns = from.acquired_ns;
  record.released_ns = from.released_ns;
  record.taken = from.taken;
  record.object = from.object;
  record.driver = from.driver;
  sink.records(std::as_bytes(std::span(&record, 1)));
}

void put_stack(ByteSink& sink, std::uint64_t handle, const lease& from, std::uint64_t now_ns) {
  wire_stack record{};
  record.cookie = handle;
  record.opened_ns = from.acquired_ns;
  record.thread = from.thread;
  record.kind = WIRE_STACK_ACQUIRE;
  const auto frames = std::min<std::uint64_t>(from.frames, WIRE_FRAMES);
  const auto* end = std::find(from.addresses, from.addresses + frames, 0);
  record.frames = static_cast<__u32>(end - from.addresses);
  std::copy(from.addresses, end, record.addresses);
  const std::size_t size = offsetof(wire_stack, addresses) + record.frames * sizeof record.addresses[0];
  record.header = {WIRE_STACK, static_cast<__u16>(size), 0, now_ns};
  if (record.frames != 0) sink.records(std::as_bytes(std::span(&record, 1)).first(size));
}

}  // namespace

void Leases::tell(const bpf_map* map, ByteSink& sink, std::uint64_t now_ns, std::uint64_t stack_idle_ns) {
  std::map<std::uint32_t, bool> alive;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Told> still;
  std::vector<lease_key> over;
  lease_key key{};
  const lease_key* last = nullptr;
  lease now{};
  while (bpf_map__get_next_key(map, last, &key, sizeof key) == 0) {
    last = &key;
    // Made, and not filled in yet: next time.
    if (bpf_map__lookup_elem(map, &key, sizeof key, &now, sizeof now, 0) != 0 || now.acquired_ns == 0) continue;
    const auto [process, is_new] = alive.try_emplace(key.tgid);
    if (is_new) {
      const auto start_ns = read_start_ns(key.tgid);
      process->second = start_ns && start_ns_matches(now.thread.process_start_ns, *start_ns);
    }
    const bool released = now.released_ns != 0;
    const auto known = told_.find({key.tgid, key.handle});
    Told& told = still[{key.tgid, key.handle}];
    if (known != told_.end()) told = known->second;
    // What was told to be back, and is back again, is no news.
    const bool taken_again = told.acquired_ns != now.acquired_ns;
    if (known == told_.end() || released != told.released || (taken_again && !released)) {
      put_lease(sink, key.handle, now, now_ns);
      told = {now.acquired_ns, released, told.stack && !taken_again};
    }
    if (!released && !told.stack && now_ns > now.acquired_ns + stack_idle_ns) {
      put_stack(sink, key.handle, now, now_ns);
      told.stack = true;
    }
    if (!process->second || (released && now.cookie == 0 && now_ns > now.released_ns + kForgotten))
      over.push_back(key);
  }
  for (const lease_key& gone : over) {
    bpf_map__delete_elem(map, &gone, sizeof gone, 0);
    still.erase({gone.tgid, gone.handle});
  }
  told_ = std::move(still);
}

}  // namespace connleak
