// SPDX-License-Identifier: Apache-2.0
// events/recording.hpp: what is written is read, what was cut is read to its last whole frame.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "events/memory_source.hpp"
#include "events/recording.hpp"
#include "events/recording_format.hpp"
#include "temporary_directory.hpp"
#include "wire_builder.hpp"

using namespace connleak;
using test::content_of;
using test::put_content;

namespace {

class Bytes final : public ByteSink {
 public:
  void records(std::span<const std::byte> span) override {
    ++spans;
    bytes.insert(bytes.end(), span.begin(), span.end());
  }
  std::vector<std::byte> bytes;
  std::size_t spans = 0;
};

const Preamble preamble{"0.1.0", "host \xff", "6.18.0", -5, 123456789, false};

// A frame for each span.
void record(const std::string& path, const std::vector<std::vector<std::byte>>& spans) {
  auto writer = RecordingWriter::create(path, preamble);
  REQUIRE(writer);
  for (const auto& span : spans) {
    (*writer)->records(span);
    (*writer)->flush();
  }
  REQUIRE((*writer)->finish());
}

SourceState drain(EventSource& source, ByteSink& sink) {
  for (;;) {
    const auto state = source.poll(sink, std::chrono::milliseconds(0));
    REQUIRE(state);
    if (*state != SourceState::more) return *state;
  }
}

std::vector<std::vector<std::byte>> small_spans() {
  return {encode(test::at(1, SessionEvent{})), encode(test::scan_end(2)),
          test::bytes_of({test::scan_end(3), test::scan_end(4)})};
}

std::string refusal(const std::string& path) {
  const auto source = RecordingSource::open(path);
  REQUIRE_FALSE(source);
  CHECK(source.error().kind == ErrorKind::usage);
  CHECK(source.error().message.find(path) != std::string::npos);
  CHECK(source.error().message.find('\n') == std::string::npos);
  return source.error().message;
}

}  // namespace

TEST_CASE("a recording gives back its preamble and its records", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  const auto all = test::bytes_of(test::one_of_each());
  record(path, {all, {}, all});

  const auto source = RecordingSource::open(path);
  REQUIRE(source);
  const Preamble& back = (*source)->preamble();
  CHECK(back.tool_version == preamble.tool_version);
  CHECK(back.hostname == "host \xef\xbf\xbd");  // JSON holds valid UTF-8 only
  CHECK(back.kernel == preamble.kernel);
  CHECK(back.boot_to_unix_ns == preamble.boot_to_unix_ns);
  CHECK(back.started_ns == preamble.started_ns);
  CHECK(back.attached_late == preamble.attached_late);

  Bytes bytes;
  CHECK(drain(**source, bytes) == SourceState::ended);
  CHECK(bytes.spans == 2);
  auto twice = all;
  twice.insert(twice.end(), all.begin(), all.end());
  CHECK(bytes.bytes == twice);
  CHECK(drain(**source, bytes) == SourceState::ended);  // and stays ended
}

TEST_CASE("many small records share a frame", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  auto writer = RecordingWriter::create(path, preamble);
  REQUIRE(writer);
  const auto one = encode(test::edge(WIRE_OPENED, 1, 1));
  for (int i = 0; i < 2000; ++i) (*writer)->records(one);
  REQUIRE((*writer)->finish());
  const auto source = RecordingSource::open(path);
  REQUIRE(source);
  Bytes bytes;
  CHECK(drain(**source, bytes) == SourceState::ended);
  CHECK(bytes.bytes.size() == 2000 * one.size());
  CHECK(bytes.spans <= 2000 / 100);  // a hundred edges and more in each
}

TEST_CASE("a recording cut at any byte is read to its last whole frame", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  const auto spans = small_spans();
  record(path, spans);
  const std::string whole = content_of(path);
  const std::string cut = directory.file("cut.connleak");

  std::vector<std::size_t> ends;  // of the frames
  std::size_t head = whole.size() - sizeof(recording::FrameHead);
  for (const auto& span : spans) head -= sizeof(recording::FrameHead) + span.size();
  for (std::size_t end = head; const auto& span : spans)
    ends.push_back(end += sizeof(recording::FrameHead) + span.size());

  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("cut to " << size << " of " << whole.size());
    put_content(cut, whole.substr(0, size));
    if (size < head) {
      refusal(cut);
      continue;
    }
    const auto source = RecordingSource::open(cut);
    REQUIRE(source);
    Bytes bytes;
    CHECK(drain(**source, bytes) == SourceState::truncated);
    std::size_t frames = 0;
    while (frames < ends.size() && ends[frames] <= size) ++frames;
    CHECK(bytes.spans == frames);
  }
}

TEST_CASE("damage ends a recording where it lies", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  const auto spans = small_spans();
  record(path, spans);
  const std::string whole = content_of(path);
  std::size_t head = whole.size() - sizeof(recording::FrameHead);
  for (const auto& span : spans) head -= sizeof(recording::FrameHead) + span.size();

  for (std::size_t at = head; at < whole.size(); ++at) {
    INFO("byte " << at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    put_content(path, damaged);
    const auto source = RecordingSource::open(path);
    REQUIRE(source);
    Bytes bytes;
    CHECK(drain(**source, bytes) == SourceState::truncated);
    std::size_t whole_frames = 0;
    for (std::size_t end = head; whole_frames < spans.size(); ++whole_frames) {
      end += sizeof(recording::FrameHead) + spans[whole_frames].size();
      if (at < end) break;
    }
    CHECK(bytes.spans == whole_frames);
  }
  put_content(path, whole + whole);  // something behind the end
  const auto source = RecordingSource::open(path);
  REQUIRE(source);
  Bytes bytes;
  CHECK(drain(**source, bytes) == SourceState::truncated);
  CHECK(bytes.spans == spans.size());
}

TEST_CASE("what is no recording that can be read is refused in one sentence", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  CHECK(refusal(path).find("No such file") != std::string::npos);
  put_content(path, "");
  CHECK(refusal(path).find("empty") != std::string::npos);
  put_content(path, "#!");
  CHECK(refusal(path).find("no recording") != std::string::npos);
  put_content(path, "{\"schema\": \"connleak.report/1\", \"and\": \"more of it\"}");
  CHECK(refusal(path).find("no recording") != std::string::npos);
  std::filesystem::create_directory(directory.file("folder"));
  CHECK(refusal(directory.file("folder")).find("directory") != std::string::npos);
}

TEST_CASE("a recording of another version, or a damaged head, is refused", "[events]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("x.connleak");
  record(path, {});
  const std::string whole = content_of(path);
  const auto with = [&](std::size_t offset, std::uint32_t value) {
    std::string changed = whole;
    std::memcpy(changed.data() + offset, &value, sizeof value);
    put_content(path, changed);
    return refusal(path);
  };
  CHECK(with(offsetof(recording::Head, format_version), 2).find("version 2.") != std::string::npos);
  CHECK(with(offsetof(recording::Head, wire_version), WIRE_VERSION + 1).find("version 1.") != std::string::npos);
  CHECK(with(offsetof(recording::Head, format_version), 0x01000000).find("version") != std::string::npos);
  CHECK(with(offsetof(recording::Head, preamble_bytes), 0xffffffff).find("damaged") != std::string::npos);
  CHECK(with(offsetof(recording::Head, preamble_bytes), 3).find("damaged") != std::string::npos);
  CHECK(with(sizeof(recording::Head), 0x78787878).find("damaged") != std::string::npos);
}

TEST_CASE("failures of writing are kept and said at the end", "[events]") {
  auto nowhere = RecordingWriter::create("/nonexistent/x.connleak", preamble);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().kind == ErrorKind::usage);

  const auto full = RecordingWriter::create("/dev/full", preamble);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::failed);

  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  const Fd reader(ends[0]);
  auto writer = RecordingWriter::create(Fd(ends[1]), "the pipe", preamble);
  REQUIRE(writer);
  (*writer)->records(std::vector<std::byte>(512 * 1024));  // more than the pipe holds
  REQUIRE((*writer)->failed());
  (*writer)->records(std::vector<std::byte>(16));
  const auto finished = (*writer)->finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().kind == ErrorKind::failed);
  CHECK(finished.error().message.find("the pipe") != std::string::npos);
}

TEST_CASE("a recording through a pipe is whole", "[events]") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  Fd reader(ends[0]);
  {
    auto writer = RecordingWriter::create(Fd(ends[1]), "-", preamble);
    REQUIRE(writer);
    (*writer)->records(encode(test::scan_end(2)));
    REQUIRE((*writer)->finish());
  }
  const auto source = RecordingSource::open(std::move(reader), "-");
  REQUIRE(source);
  Bytes bytes;
  CHECK(drain(**source, bytes) == SourceState::ended);
  CHECK(bytes.bytes == encode(test::scan_end(2)));
}

TEST_CASE("a source in memory hands on span by span", "[events]") {
  MemorySource source(preamble, SourceState::truncated);
  source.add(test::scan_end(1));
  source.add(std::vector<std::byte>(3));
  Bytes bytes;
  CHECK(drain(source, bytes) == SourceState::truncated);
  CHECK(bytes.spans == 2);
  CHECK(source.preamble().kernel == "6.18.0");
}
