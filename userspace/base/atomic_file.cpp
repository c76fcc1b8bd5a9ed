// SPDX-License-Identifier: Apache-2.0
// Files written whole or not at all, and lines appended whole.
#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace connleak {
namespace {

tl::unexpected<Error> refused(std::string_view what, std::string_view name, int error) {
  return failure(ErrorKind::failed, fmt::format("cannot {} {}: {}", what, escape(name), std::strerror(error)));
}

// Removes the temporary file unless it has become the real one.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

struct Opened {
  Fd fd;
  std::string path;
};

// Not mkstemp: its 0600 would hide the file from whoever reads it in the observer's stead, a Prometheus
// node exporter for one. The leading dot and the suffix keep collectors' globs off it.
Result<Opened> open_beside(const std::filesystem::path& target) {
  constexpr int attempts = 100;  // each is a leftover of a killed process that had the same pid
  for (int i = 0; i < attempts; ++i) {
    const auto name = fmt::format(".{}.{}-{}.tmp", target.filename().string(), ::getpid(), i);
    const std::string path = target.parent_path() / name;
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd) return Opened{std::move(fd), path};
    if (errno != EEXIST) return refused("create a temporary file beside", target.string(), errno);
  }
  return refused("create a temporary file beside", target.string(), EEXIST);
}

void sync_directory(const std::filesystem::path& target) {
  const auto directory = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot; the rename has happened all the same.
  if (fd) (void)::fsync(fd.get());
}

}  // namespace

Result<void> write_all(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return refused("write", name, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_whole(const std::string& path, std::string_view content) {
  struct stat old{};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return refused("write", path, errno);
    return write_all(fd.get(), content, path);
  }

  std::filesystem::path target = path;
  if (exists) {
    std::error_code error;
    target = std::filesystem::canonical(path, error);
    if (error) return refused("resolve", path, error.value());
  }
  Result<Opened> opened = open_beside(target);
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  TemporaryFile temporary(opened->path);
  const int fd = opened->fd.get();
  if (exists) {
    // Owner first: chown clears set-id bits. Without the privilege the file becomes the writer's own.
    if (::fchown(fd, old.st_uid, old.st_gid) != 0 && errno != EPERM) return refused("write", path, errno);
    if (::fchmod(fd, old.st_mode & 07777) != 0) return refused("write", path, errno);
  }
  if (Result<void> written = write_all(fd, content, path); !written) return written;
  if (::fsync(fd) != 0) return refused("write", path, errno);
  if (::rename(temporary.path().c_str(), target.c_str()) != 0) return refused("replace", path, errno);
  temporary.keep();
  sync_directory(target);
  return {};
}

Result<void> append_line(const std::string& path, std::string_view line) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!fd) return refused("open", path, errno);
  struct stat before{};
  if (::fstat(fd.get(), &before) != 0) return refused("open", path, errno);
  std::string whole(line);
  whole += '\n';
  Result<void> written = write_all(fd.get(), whole, path);
  if (!written && S_ISREG(before.st_mode) && ::ftruncate(fd.get(), before.st_size) != 0) {
    return refused("take back half a line from", path, errno);
  }
  return written;
}

}  // namespace connleak
