// SPDX-License-Identifier: Apache-2.0
// What /proc says about a process, as a WIRE_PROCESS record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace connleak {

// The record for the process `pid`, stamped `now_ns` (boot-time clock). `start_ns`: the exact start time that the
// kernel's records name; it is put into the record, and a process that started at another time is none. Without it
// the start time is that of /proc, cut to clock ticks. Nothing where the process is gone. Fields that cannot be
// read are missing: exe_size or cgroup_size 0, uid ~0. Cgroup id: 0, the connection's record has it. Reads are
// bounded; the text is untrusted.
[[nodiscard]] std::optional<std::vector<std::byte>> make_process_record(
    std::uint32_t pid, std::uint64_t now_ns, std::optional<std::uint64_t> start_ns = std::nullopt,
    std::string_view frames_note = {});

// The start time out of /proc/PID/stat, cut to ticks; nothing where the process is gone.
[[nodiscard]] std::optional<std::uint64_t> read_start_ns(std::uint32_t pid);
// What it used of the processors so far, user and system time, to a clock tick.
[[nodiscard]] std::optional<std::uint64_t> read_cpu_ns(std::uint32_t pid);

// Whether the kernel's exact stamp and one cut to ticks are of the same process.
[[nodiscard]] bool start_ns_matches(std::uint64_t exact_ns, std::uint64_t cut_ns);

}  // namespace connleak
