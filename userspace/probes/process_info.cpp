// SPDX-License-Identifier: Apache-2.0
#include "probes/process_info.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "wire.h"

namespace connleak {
namespace {

// /proc/PID/stat is below 1 KiB, status below 4 KiB, cgroup one line for each hierarchy.
constexpr std::size_t kReadLimit = 8192;

std::string read_file(int dir, const char* name) {
  const Fd fd(openat(dir, name, O_RDONLY | O_CLOEXEC));
  std::string text(kReadLimit, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::string read_link(int dir, const char* name) {
  std::string text(4096, '\0');
  const ssize_t got = readlinkat(dir, name, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

template <class T>
std::optional<T> to_number(std::string_view text) {
  T value{};
  const auto start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  const auto result = std::from_chars(text.data() + start, text.data() + text.size(), value);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// Field `index` of /proc/PID/stat, counted from 1 as proc(5) does; from 3 on, since the name may hold anything.
std::optional<std::uint64_t> stat_field(std::string_view stat, int index) {
  const auto after_name = stat.rfind(')');
  if (after_name == std::string_view::npos) return std::nullopt;
  std::string_view rest = stat.substr(after_name + 1);
  for (int i = 3; !rest.empty(); i++) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (i == index) return to_number<std::uint64_t>(rest);
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  return std::nullopt;
}

std::uint64_t ticks_to_ns(std::uint64_t ticks) {
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return ticks * (1'000'000'000ull / per_second);
}

Fd open_process(std::uint32_t pid) {
  return Fd(::open(("/proc/" + std::to_string(pid)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::optional<std::uint64_t> start_of(int dir) {
  const auto ticks = stat_field(read_file(dir, "stat"), 22);
  return ticks ? std::optional(ticks_to_ns(*ticks)) : std::nullopt;
}

// The line of cgroup v2 is "0::/path".
std::string cgroup_path(int dir) {
  const std::string text = read_file(dir, "cgroup");
  const auto at = text.starts_with("0::") ? 0 : text.find("\n0::");
  if (at == std::string::npos) return {};
  const auto start = text.find("::", at) + 2;
  return text.substr(start, text.find('\n', start) - start);
}

std::optional<std::uint32_t> uid_of(int dir) {
  const std::string status = read_file(dir, "status");
  const auto at = status.find("\nUid:");
  return at == std::string::npos ? std::nullopt
                                 : to_number<std::uint32_t>(std::string_view(status).substr(at + 5));
}

// The text with its NUL, or nothing where it does not fit; answers the bytes used.
std::uint16_t put(wire_process_info& record, std::size_t at, std::string_view text) {
  if (text.empty() || text.size() + 1 > sizeof record.text - at) return 0;
  std::memcpy(record.text + at, text.data(), text.size());
  return static_cast<std::uint16_t>(text.size() + 1);
}

}  // namespace

std::optional<std::uint64_t> read_start_ns(std::uint32_t pid) {
  const Fd dir = open_process(pid);
  return dir ? start_of(dir.get()) : std::nullopt;
}

std::optional<std::uint64_t> read_cpu_ns(std::uint32_t pid) {
  const Fd dir = open_process(pid);
  if (!dir) return std::nullopt;
  const std::string stat = read_file(dir.get(), "stat");
  const auto user = stat_field(stat, 14);
  const auto system = stat_field(stat, 15);
  return user && system ? std::optional(ticks_to_ns(*user + *system)) : std::nullopt;
}

bool start_ns_matches(std::uint64_t exact_ns, std::uint64_t cut_ns) {
  const std::uint64_t tick = ticks_to_ns(1);
  return exact_ns / tick == cut_ns / tick;
}

std::optional<std::vector<std::byte>> make_process_record(std::uint32_t pid, std::uint64_t now_ns,
                                                          std::optional<std::uint64_t> start_ns,
                                                          std::string_view frames_note) {
  const Fd dir = open_process(pid);
  if (!dir) return std::nullopt;
  const auto cut = start_of(dir.get());
  if (!cut || (start_ns && !start_ns_matches(*start_ns, *cut))) return std::nullopt;
  const std::uint64_t start = start_ns.value_or(*cut);
  wire_process_info record{};
  record.process = {pid, pid, start, start};
  if (const auto parent = stat_field(read_file(dir.get(), "stat"), 4); parent && *parent != 0) {
    const auto parent_pid = static_cast<std::uint32_t>(*parent);
    const std::uint64_t parent_start = read_start_ns(parent_pid).value_or(0);
    record.parent = {parent_pid, parent_pid, parent_start, parent_start};
  }
  std::string comm = read_file(dir.get(), "comm");
  if (!comm.empty() && comm.back() == '\n') comm.pop_back();
  std::memcpy(record.comm, comm.data(), std::min(comm.size(), sizeof record.comm - 1));
  record.uid = uid_of(dir.get()).value_or(~0u);
  const std::string cgroup = cgroup_path(dir.get());
  record.exe_size = put(record, 0, read_link(dir.get(), "exe"));
  record.cgroup_size = put(record, record.exe_size, cgroup);
  const std::size_t paths = std::size_t{record.exe_size} + record.cgroup_size;
  record.frames_note_size = put(record, paths, frames_note);
  const std::size_t used = sizeof record - sizeof record.text + paths + record.frames_note_size;
  const std::size_t size = (used + 7) / 8 * 8;
  record.header = {WIRE_PROCESS, static_cast<__u16>(size), 0, now_ns};
  const auto bytes = std::as_bytes(std::span(&record, 1)).first(size);
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace connleak
