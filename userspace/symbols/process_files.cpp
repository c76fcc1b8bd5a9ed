// SPDX-License-Identifier: Apache-2.0
// Opening files of other processes.
#include "symbols/process_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace connleak {

namespace {

// The kernel's default limit of 65,530 mappings at some 250 bytes.
constexpr std::size_t kMaxMaps = std::size_t{16} << 20;
constexpr long kBtrfsMagic = BTRFS_SUPER_MAGIC;
constexpr long kOverlayMagic = OVERLAYFS_SUPER_MAGIC;
constexpr long kFuseMagic = FUSE_SUPER_MAGIC;

std::optional<std::string> read_text(int directory, const char* name, std::size_t limit) {
  const Fd file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[16384];
  while (text.size() < limit) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

// Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from the last bracket.
std::optional<std::uint64_t> start_ticks(const Fd& process) {
  const auto text = read_text(process.get(), "stat", 4096);
  if (!text) return std::nullopt;
  const auto bracket = text->rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::size_t at = bracket + 1;
  for (int field = 2; field < 22; ++field) {
    at = text->find(' ', at);
    if (at == std::string::npos) return std::nullopt;
    if (field < 21) ++at;
  }
  std::uint64_t ticks = 0;
  const auto parsed = std::from_chars(text->data() + at + 1, text->data() + text->size(), ticks);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return ticks;
}

struct Probed {
  Fd file;
  struct stat status{};
  long file_system = 0;
};

// Looks before opening for reading: opening a device or a pipe has effects and can block.
std::optional<Probed> probe(Fd file) {
  Probed probed;
  probed.file = std::move(file);
  struct statfs system{};
  if (!probed.file || ::fstat(probed.file.get(), &probed.status) != 0 || !S_ISREG(probed.status.st_mode) ||
      ::fstatfs(probed.file.get(), &system) != 0) {
    return std::nullopt;
  }
  probed.file_system = static_cast<long>(system.f_type);
  if (probed.file_system == kFuseMagic) return std::nullopt;
  return probed;
}

std::optional<Probed> probe(int directory, const char* path) {
  return probe(Fd(::openat(directory, path, O_PATH | O_CLOEXEC)));
}

Fd open_probed(const Probed& probed) {
  return Fd(::open(fmt::format("/proc/self/fd/{}", probed.file.get()).c_str(),
                   O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

// The numbers of a line of /proc/PID/status, which begins with "\nNAME:"; the process's own name has no line
// break.
std::vector<std::uint32_t> status_numbers(const Fd& process, std::string_view name) {
  std::vector<std::uint32_t> numbers;
  const auto text = read_text(process.get(), "status", 65536);
  const auto found = text ? text->find(name) : std::string::npos;
  if (found == std::string::npos) return numbers;
  const char* at = text->data() + found + name.size();
  const char* end = text->data() + std::min(text->find('\n', found + 1), text->size());
  while (at < end) {
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(++at, end, number);
    if (parsed.ec != std::errc{}) break;
    numbers.push_back(number);
    at = parsed.ptr;
  }
  return numbers;
}

bool is_same_file(const Probed& probed, const FileKey& key) {
  if (probed.status.st_ino != key.inode) return false;
  // These two show another device in maps than in stat.
  return (major(probed.status.st_dev) == key.major && minor(probed.status.st_dev) == key.minor) ||
         probed.file_system == kBtrfsMagic || probed.file_system == kOverlayMagic;
}

}  // namespace

Fd open_process(std::uint32_t pid, std::uint64_t start_ns) {
  Fd directory(::open(fmt::format("/proc/{}", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Fd();
  const auto ticks = start_ticks(directory);
  if (!ticks) return Fd();
  if (start_ns != 0) {
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    if (start_ns / (1'000'000'000 / per_second) != *ticks) return Fd();
  }
  return directory;
}

std::optional<std::string> read_maps_text(const Fd& process) { return read_text(process.get(), "maps", kMaxMaps); }

Fd open_mapped(const Fd& process, const MapsEntry& entry) {
  const auto exact = fmt::format("map_files/{:x}-{:x}", entry.start, entry.end);
  if (const auto probed = probe(process.get(), exact.c_str())) return open_probed(*probed);
  if (!entry.path.starts_with('/')) return Fd();
  if (const auto probed = probe(process.get(), fmt::format("root{}", entry.path).c_str())) {
    if (is_same_file(*probed, entry.file)) return open_probed(*probed);
  }
  return Fd();
}

std::optional<std::uint32_t> pid_in_own_namespace(const Fd& process) {
  const auto pids = status_numbers(process, "\nNSpid:");
  return pids.empty() ? std::nullopt : std::optional(pids.back());
}

Fd open_own_file(const Fd& process, const std::string& path) {
  const Fd root(::openat(process.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return Fd();
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;  // Linux 5.6
  const auto probed =
      probe(Fd(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how))));
  if (!probed) return Fd();
  const auto users = status_numbers(process, "\nUid:");  // real, effective, saved, of the file system
  if (users.size() != 4) return Fd();
  const auto owner = probed->status.st_uid;
  if (owner != 0 && owner != users[0] && owner != users[1]) return Fd();
  return open_probed(*probed);
}

FileOpener debug_file_opener(const Fd& process) {
  return [directory = process.get()](const std::string& path) {
    if (const auto probed = probe(directory, fmt::format("root{}", path).c_str())) return open_probed(*probed);
    if (!path.starts_with("/usr/lib/debug/")) return Fd();
    if (const auto probed = probe(AT_FDCWD, path.c_str())) return open_probed(*probed);
    return Fd();
  };
}

}  // namespace connleak
