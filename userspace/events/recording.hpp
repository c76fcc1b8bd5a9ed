// SPDX-License-Identifier: Apache-2.0
// Recordings: the raw event stream in a file. The layout is in events/recording_format.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "events/source.hpp"

namespace connleak {

// Appends whole frames. Records are gathered until a frame is worth its head; flush() cuts one early, so that
// what a killed observer leaves behind is old by at most one flush interval.
class RecordingWriter final : public ByteSink {
 public:
  // Creates or empties the file. ErrorKind::usage where it cannot be created.
  [[nodiscard]] static Result<std::unique_ptr<RecordingWriter>> create(const std::string& path,
                                                                       const Preamble& preamble);
  // Writes to an open descriptor, a pipe for one; `name` is what errors call it.
  [[nodiscard]] static Result<std::unique_ptr<RecordingWriter>> create(Fd fd, std::string name,
                                                                       const Preamble& preamble);

  // A sink cannot fail: the first failure is kept, and what follows it is dropped.
  void records(std::span<const std::byte> bytes) override;
  void flush();
  [[nodiscard]] const std::optional<Error>& failed() const { return error_; }
  // Flushes, marks the end and syncs. To be called last, once; says the first failure of all. A writer destroyed
  // without it leaves a recording that reads as cut.
  [[nodiscard]] Result<void> finish();

 private:
  RecordingWriter(Fd fd, std::string name);
  void write_frame();

  Fd fd_;
  std::string name_;
  std::vector<std::byte> pending_;  // room for the head of a frame, then its payload
  std::optional<Error> error_;
};

// Reads a recording to its last whole frame. ErrorKind::usage, one sentence that names the file: unreadable,
// empty, no recording, of another version, cut inside its head.
class RecordingSource final : public EventSource {
 public:
  [[nodiscard]] static Result<std::unique_ptr<RecordingSource>> open(const std::string& path);
  [[nodiscard]] static Result<std::unique_ptr<RecordingSource>> open(Fd fd, std::string name);

  [[nodiscard]] const Preamble& preamble() const override { return preamble_; }
  // One frame at each call. `truncated` where a frame is cut or damaged, where the end mark is missing, or where
  // something follows it. ErrorKind::failed where the file cannot be read on.
  [[nodiscard]] Result<SourceState> poll(ByteSink& sink, std::chrono::milliseconds timeout) override;

 private:
  RecordingSource(Fd fd, std::string name);
  [[nodiscard]] Result<std::size_t> read_up_to(std::span<std::byte> out);
  [[nodiscard]] Result<void> read_head();

  Fd fd_;
  std::string name_;
  Preamble preamble_;
  std::vector<std::byte> payload_;  // grows to the largest frame and stays
  std::optional<SourceState> over_;
};

}  // namespace connleak
