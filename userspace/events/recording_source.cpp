// SPDX-License-Identifier: Apache-2.0
// Reading a recording.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "events/recording.hpp"
#include "events/recording_format.hpp"
#include "wire.h"

namespace connleak {
namespace {

// A size in a damaged file is believed only as fast as bytes come.
constexpr std::size_t read_step = std::size_t{1024} * 1024;

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

tl::unexpected<Error> refused(const std::string& name, std::string_view what) {
  return failure(ErrorKind::usage, fmt::format("{} {}", escape(name), what));
}

}  // namespace

RecordingSource::RecordingSource(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

Result<std::unique_ptr<RecordingSource>> RecordingSource::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return refused(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  return open(std::move(fd), path);
}

Result<std::unique_ptr<RecordingSource>> RecordingSource::open(Fd fd, std::string name) {
  std::unique_ptr<RecordingSource> source(new RecordingSource(std::move(fd), std::move(name)));
  if (Result<void> head = source->read_head(); !head) return tl::unexpected<Error>(std::move(head.error()));
  return source;
}

// Fewer bytes than asked for: the file ends there.
Result<std::size_t> RecordingSource::read_up_to(std::span<std::byte> out) {
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t count = ::read(fd_.get(), out.data() + got, out.size() - got);
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      return failure(ErrorKind::failed, fmt::format("{} cannot be read: {}", escape(name_), std::strerror(errno)));
    }
    got += static_cast<std::size_t>(count);
  }
  return got;
}

Result<void> RecordingSource::read_head() {
  const auto as_usage = [](Error error) { return failure(ErrorKind::usage, std::move(error.message)); };
  recording::Head head{};
  const Result<std::size_t> got = read_up_to(bytes_of(head));
  if (!got) return as_usage(got.error());
  if (*got == 0) return refused(name_, "is empty: it is no recording of connleak");
  const std::size_t compared = std::min(*got, head.magic.size());
  if (!std::equal(head.magic.begin(), head.magic.begin() + static_cast<std::ptrdiff_t>(compared),
                  recording::magic.begin())) {
    return refused(name_, "is no recording of connleak");
  }
  constexpr std::string_view cut = "is cut inside its head: it holds no events, record again";
  if (*got < sizeof head) return refused(name_, cut);
  if (head.format_version != recording::format_version || head.wire_version != WIRE_VERSION) {
    return refused(name_,
                   fmt::format("is a recording of version {}.{}, and this connleak reads {}.{}: use the "
                               "connleak that made it, or record again",
                               head.format_version, head.wire_version, recording::format_version, WIRE_VERSION));
  }
  constexpr std::string_view damaged = "is damaged in its head: record again";
  if (head.preamble_bytes > recording::max_preamble_bytes) return refused(name_, damaged);
  std::string json(head.preamble_bytes, '\0');
  const Result<std::size_t> json_got = read_up_to(std::as_writable_bytes(std::span(json)));
  if (!json_got) return as_usage(json_got.error());
  if (*json_got < json.size()) return refused(name_, cut);
  std::optional<Preamble> preamble = recording::from_json(json);
  if (!preamble) return refused(name_, damaged);
  preamble_ = std::move(*preamble);
  return {};
}

Result<SourceState> RecordingSource::poll(ByteSink& sink, std::chrono::milliseconds /*timeout*/) {
  if (over_) return *over_;
  const auto end = [&](SourceState state) -> Result<SourceState> {
    over_ = state;
    return state;
  };

  recording::FrameHead head{};
  Result<std::size_t> got = read_up_to(bytes_of(head));
  if (!got) return tl::unexpected<Error>(std::move(got.error()));
  if (*got < sizeof head || head.payload_bytes > recording::max_payload_bytes) return end(SourceState::truncated);
  if (head.payload_bytes == 0) {
    std::byte more{};
    got = read_up_to(bytes_of(more));
    if (!got) return tl::unexpected<Error>(std::move(got.error()));
    return end(*got == 0 && head.checksum == recording::checksum({}) ? SourceState::ended
                                                                     : SourceState::truncated);
  }

  std::size_t filled = 0;
  while (filled < head.payload_bytes) {
    const std::size_t step = std::min<std::size_t>(read_step, head.payload_bytes - filled);
    if (payload_.size() < filled + step) payload_.resize(filled + step);
    got = read_up_to(std::span(payload_).subspan(filled, step));
    if (!got) return tl::unexpected<Error>(std::move(got.error()));
    if (*got < step) return end(SourceState::truncated);
    filled += step;
  }
  const auto payload = std::span(payload_).first(filled);
  if (recording::checksum(payload) != head.checksum) return end(SourceState::truncated);
  sink.records(payload);
  return SourceState::more;
}

}  // namespace connleak
