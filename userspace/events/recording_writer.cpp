// SPDX-License-Identifier: Apache-2.0
// Writing a recording.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "events/recording.hpp"
#include "events/recording_format.hpp"
#include "wire.h"

namespace connleak {
namespace {

// Large enough that a frame's head and its system call disappear, small enough that a reader's copy stays in the
// second cache.
constexpr std::size_t frame_bytes = std::size_t{64} * 1024;

}  // namespace

RecordingWriter::RecordingWriter(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {
  pending_.resize(sizeof(recording::FrameHead));
}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(const std::string& path,
                                                                 const Preamble& preamble) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) {
    return failure(ErrorKind::usage,
                   fmt::format("cannot create the recording {}: {}", escape(path), std::strerror(errno)));
  }
  return create(std::move(fd), path, preamble);
}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(Fd fd, std::string name,
                                                                 const Preamble& preamble) {
  const std::string json = recording::to_json(preamble);
  const recording::Head head{recording::magic, recording::format_version, WIRE_VERSION,
                             static_cast<std::uint32_t>(json.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes += json;
  std::unique_ptr<RecordingWriter> writer(new RecordingWriter(std::move(fd), std::move(name)));
  if (Result<void> written = write_all(writer->fd_.get(), bytes, writer->name_); !written) {
    return tl::unexpected<Error>(std::move(written.error()));
  }
  return writer;
}

void RecordingWriter::records(std::span<const std::byte> bytes) {
  if (error_) return;
  if (bytes.size() > recording::max_payload_bytes) {
    error_ = Error{ErrorKind::failed,
                   fmt::format("cannot write {}: {} bytes of records came at once", escape(name_), bytes.size())};
    return;
  }
  if (pending_.size() + bytes.size() > recording::max_payload_bytes) flush();
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  if (pending_.size() >= frame_bytes) flush();
}

// The head's place is kept free in front, so that a frame goes out in one write: a reader of a growing file,
// or what a kill leaves, then mostly ends at a frame.
void RecordingWriter::flush() {
  if (pending_.size() > sizeof(recording::FrameHead)) write_frame();
}

void RecordingWriter::write_frame() {
  const auto payload = std::span(pending_).subspan(sizeof(recording::FrameHead));
  const recording::FrameHead head{static_cast<std::uint32_t>(payload.size()), recording::checksum(payload)};
  std::memcpy(pending_.data(), &head, sizeof head);
  const std::string_view bytes(reinterpret_cast<const char*>(pending_.data()), pending_.size());
  if (!error_) {
    if (Result<void> written = write_all(fd_.get(), bytes, name_); !written) error_ = std::move(written.error());
  }
  pending_.resize(sizeof head);
}

Result<void> RecordingWriter::finish() {
  flush();
  write_frame();
  // Pipes and terminals cannot be synced and need not be.
  if (!error_ && ::fsync(fd_.get()) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) {
    error_ = Error{ErrorKind::failed, fmt::format("cannot write {}: {}", escape(name_), std::strerror(errno))};
  }
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

}  // namespace connleak
