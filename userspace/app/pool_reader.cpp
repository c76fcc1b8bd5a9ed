// SPDX-License-Identifier: Apache-2.0
#include "app/pool_reader.hpp"

#include "base/process_memory.hpp"

namespace connleak {

namespace {

// Programs have a few; a thousand would be a pool for each request.
constexpr std::size_t kPools = 256;
// A pool that is no more: its memory holds something else by now.
constexpr int kFailures = 5;

wire_pool record_of(const wire_thread& process, std::uint64_t address, PoolKind kind, const PoolNumbers& numbers) {
  wire_pool record{};
  record.process = process;
  record.pool = address;
  record.max_open = numbers.max_open;
  record.open = numbers.open;
  record.in_use = numbers.in_use;
  record.idle = numbers.idle;
  record.waiting = numbers.waiting.value_or(0);
  record.wait_count = numbers.wait_count;
  record.wait_ns =
      numbers.wait_ns && *numbers.wait_ns >= 0 ? static_cast<std::uint64_t>(*numbers.wait_ns) : ~std::uint64_t{0};
  record.driver = kind == PoolKind::sql ? WIRE_DRIVER_GO_SQL : WIRE_DRIVER_PGXPOOL;
  return record;
}

}  // namespace

void PoolReader::note(const wire_lease& lease) {
  if (lease.pool == 0 || (lease.driver != WIRE_DRIVER_GO_SQL && lease.driver != WIRE_DRIVER_PGXPOOL)) return;
  Process& process = processes_[lease.thread.tgid];
  if (process.key.process_start_ns != lease.thread.process_start_ns) process = {};
  process.key = lease.thread;
  process.key.tid = process.key.tgid;
  process.key.thread_start_ns = process.key.process_start_ns;
  if (process.pools.size() >= kPools) return;
  process.pools.try_emplace(lease.pool, Pool{lease.driver == WIRE_DRIVER_GO_SQL ? PoolKind::sql : PoolKind::pgx});
}

void PoolReader::process_gone(std::uint32_t pid) { processes_.erase(pid); }

const GoPools* PoolReader::layouts(Process& process) {
  if (!process.program)
    for (const LoadedFile& file : symbolizer_.files(process.key.tgid, process.key.process_start_ns))
      if (file.module->is_go()) process.program = file.module;
  if (!process.program) return nullptr;
  std::erase_if(layouts_, [](const auto& entry) { return entry.first.expired(); });
  const auto known = layouts_.find(process.program);
  if (known != layouts_.end()) return &known->second;
  const Module& program = *process.program;
  return &layouts_.emplace(process.program, GoPools::find(program.image(), program.debug_image())).first->second;
}

std::vector<Event> PoolReader::read(std::uint64_t now_ns) {
  std::vector<Event> events;
  for (auto& [pid, process] : processes_) {
    const GoPools* layouts = this->layouts(process);
    if (layouts == nullptr) continue;
    const ProcessMemory memory(static_cast<pid_t>(pid));
    for (auto& [address, pool] : process.pools) {
      const auto reading = layouts->read(pool.kind, memory, address);
      pool.failures = reading ? 0 : pool.failures + 1;
      if (reading)
        events.push_back({now_ns, 0, PoolEvent{record_of(process.key, address, pool.kind, reading->numbers)}});
    }
    std::erase_if(process.pools, [](const auto& entry) { return entry.second.failures >= kFailures; });
  }
  return events;
}

}  // namespace connleak
