// SPDX-License-Identifier: Apache-2.0
// Writes the recordings of this folder: make_recordings DIRECTORY.
#include <cstdio>
#include <string>

#include "events/encode.hpp"
#include "events/recording.hpp"
#include "story.hpp"

namespace {

using namespace connleak;
using namespace connleak::test;

constexpr std::uint64_t kBegins = 1'000'000'000'000;

Preamble preamble() {
  Preamble out;
  out.tool_version = "0.0.0";
  out.hostname = "db-client";
  out.kernel = "6.12.0";
  out.boot_to_unix_ns = 1'700'000'000'000'000'000;
  out.started_ns = kBegins;
  out.attached_late = false;
  return out;
}

// A service that answers 200 requests from one pooled connection and forgets one connection in every ten.
void never_closed(Story& story) {
  Wire& pooled = story.open();
  for (int request = 0; request < 200; ++request) {
    story.use(pooled);
    story.wait(50ms);
    if (request % 10 == 9) story.use(story.open(), {0, "find_order", 2ms, false});
  }
  story.wait(1s);
  story.finish();
}

// Ten connections for a burst, then one of them for half a minute.
void healthy_pool(Story& story) {
  std::vector<Wire*> pool;
  for (int i = 0; i < 10; ++i) story.use(*pool.emplace_back(&story.open()));
  for (int round = 0; round < 30; ++round)
    for (Wire* member : pool) story.use(*member);
  for (int request = 0; request < 300; ++request) {
    story.use(*pool.back());
    story.wait(100ms);
  }
  story.finish();
}

// The server drops each connection once it is idle; the program opens the next and never looks back.
void half_closed(Story& story) {
  Wire& pooled = story.open();
  for (int request = 0; request < 120; ++request) {
    story.use(pooled);
    story.wait(50ms);
    if (request % 10 != 9) continue;
    Wire& lost = story.open();
    story.use(lost, {0, "refresh_cache", 2ms, false});
    story.peer_close(lost);
  }
  story.wait(1s);
  story.finish();
}

bool write(const std::string& directory, const std::string& name, void (*tell)(Story&)) {
  auto writer = RecordingWriter::create(directory + "/" + name + ".rec", preamble());
  if (!writer) {
    std::fprintf(stderr, "make_recordings: %s\n", writer.error().message.c_str());
    return false;
  }
  Story story;
  story.tap([&](const Event& event) { (*writer)->records(encode(event)); });
  tell(story);
  const auto finished = (*writer)->finish();
  if (!finished) std::fprintf(stderr, "make_recordings: %s\n", finished.error().message.c_str());
  return finished.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_recordings DIRECTORY\n", stderr);
    return 2;
  }
  const std::string directory = argv[1];
  const bool written = write(directory, "never-closed", never_closed) &&
                       write(directory, "healthy-pool", healthy_pool) &&
                       write(directory, "half-closed", half_closed);
  return written ? 0 : 1;
}
