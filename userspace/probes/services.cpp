// SPDX-License-Identifier: Apache-2.0
#include "probes/services.hpp"

#include <bpf/libbpf.h>

#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "probes/process_info.hpp"
#include "wire.h"

namespace connleak {

void Services::tell(const bpf_map* map, ByteSink& sink, std::uint64_t now_ns) {
  std::vector<std::byte> value(bpf_map__value_size(map));
  std::unordered_map<std::uint32_t, Told> told;
  std::uint32_t tgid = 0;
  const std::uint32_t* last = nullptr;
  while (bpf_map__get_next_key(map, last, &tgid, sizeof tgid) == 0) {
    last = &tgid;
    if (bpf_map__lookup_elem(map, &tgid, sizeof tgid, value.data(), value.size(), 0) != 0) continue;
    wire_requests record{};
    std::memcpy(&record, value.data(), sizeof record);
    const Told now{record.process.process_start_ns,
                   std::accumulate(std::begin(record.answered), std::end(record.answered), std::uint64_t{0})};
    const auto before = told_.find(tgid);
    told.emplace(tgid, now);
    if (before != told_.end() && before->second.start_ns == now.start_ns &&
        before->second.answered == now.answered)
      continue;
    record.header = {WIRE_REQUESTS, sizeof record, 0, now_ns};
    record.process.tid = record.process.tgid;
    record.cpu_ns = read_cpu_ns(tgid).value_or(0);
    sink.records(std::as_bytes(std::span(&record, 1)));
  }
  told_ = std::move(told);
}

}  // namespace connleak
