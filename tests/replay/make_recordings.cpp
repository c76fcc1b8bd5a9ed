// SPDX-License-Identifier: Apache-2.0
// Writes the recordings of this folder: make_recordings DIRECTORY.
#include <cstdio>
#include <string>
#include <utility>

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

// A helper that was forked with a connection and runs another program; who opened it exits.
void wrong_process(Story& story) {
  Wire& wire = story.open();
  story.use(wire, {0, "lookup"});
  story.fork(100, 200);
  story.execute(200, "helper");
  story.hold(wire, {100, 200});
  story.wait(1s);
  story.leave(100);
  story.hold(wire, {200});
  story.wait(2s);
  story.finish();
}

// A connection for each request; what is forgotten a finalizer closes some time later.
void closed_by_gc(Story& story) {
  for (int i = 0; i < 3; ++i) {
    Wire& lost = story.open();
    story.use(lost, {0, "find_order"});
    story.wait(2s);
    story.collect(lost, "Finalizer");
  }
  story.wait(1s);
  story.finish();
}

void open_transaction(Story& story) {
  for (int i = 0; i < 3; ++i) {
    Wire& wire = story.open();
    story.use(wire, {0, "transfer", 2ms, true});
    wire.record.transaction = WIRE_TRANSACTION_FAILED;
    story.wait(500ms);
  }
  story.wait(40s);
  story.finish();
}

// Three long answers that nobody reads on, while another connection goes on.
void abandoned_result(Story& story) {
  Wire& other = story.open();
  for (int i = 0; i < 3; ++i) {
    Wire& wire = story.open();
    story.begin(wire, {0, "export_all"});
    wire.record.last_answer_ns = story.now();
    wire.record.unread_bytes = 60'000;
    wire.record.copied_seq = 1000;
  }
  for (int i = 0; i < 80; ++i) {
    story.use(other);
    story.wait(1s);
  }
  story.finish();
}

// A pool of three whose members fall silent one by one; the requests that wait for them fail.
void never_returned(Story& story) {
  Wire* pool[] = {&story.open(), &story.open(), &story.open()};
  for (int request = 0; request < 150; ++request) {
    story.use(*pool[request % 3]);
    story.answer(4ms, {.alone = false});
    story.wait(20ms);
  }
  for (int request = 0; request < 40; ++request) {
    story.wait(100ms);
    story.answer(400ms, {.failed = true});
  }
  story.wait(1s);
  story.finish();
}

// A thread for each request, with a connection of its own that is not closed when it ends.
void dead_owner(Story& story) {
  Wire& pooled = story.open();
  for (std::uint32_t thread = 200; thread < 225; ++thread) {
    Wire& wire = story.open({.thread = thread});
    for (int use = 0; use < 3; ++use) {
      story.use(wire, {thread, "handle"});
      story.wait(10ms);
    }
    story.thread_exit(100, thread);
    story.use(pooled);
    story.wait(500ms);
  }
  story.wait(8s);
  story.finish();
}

// A pool is made for each request, and used for its few queries.
void pool_per_request(Story& story) {
  for (int request = 0; request < 26; ++request) {
    Wire& wire = story.open();
    for (int use = 0; use < 3; ++use) story.use(wire, {0, "handle"});
    story.wait(250ms);
  }
  story.wait(2s);
  story.finish();
}

void never_used(Story& story) {
  Wire& used = story.open();
  for (int i = 0; i < 25; ++i) {
    story.opened_at(story.open(), "make_client");
    for (int use = 0; use < 4; ++use) {
      story.use(used);
      story.wait(125ms);
    }
  }
  story.wait(3s);
  story.finish();
}

// The observer comes when the server already refuses: 15 old connections lie idle.
void saturated(Story& story) {
  for (int i = 0; i < 15; ++i) {
    Wire& old = story.open();
    old.record.flags |= WIRE_FLAG_LATE;
    old.record.handshake_ns = 0;
    old.record.turn = WIRE_TURN_UNKNOWN;
    old.record.socket_use_ns = story.now() - 50'000'000'000;
  }
  for (int i = 0; i < 7; ++i) {
    Wire& refused = story.open({.handshake = false});
    refused.record.flags |= WIRE_FLAG_REFUSED;
    story.peer_close(refused);
    story.wait(10ms);
    story.close(refused);
    story.wait(1s);
  }
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
  const std::pair<const char*, void (*)(Story&)> all[] = {{"never-closed", never_closed},
                                                          {"healthy-pool", healthy_pool},
                                                          {"half-closed", half_closed},
                                                          {"wrong-process", wrong_process},
                                                          {"closed-by-gc", closed_by_gc},
                                                          {"open-transaction", open_transaction},
                                                          {"abandoned-result", abandoned_result},
                                                          {"never-returned", never_returned},
                                                          {"dead-owner", dead_owner},
                                                          {"pool-per-request", pool_per_request},
                                                          {"never-used", never_used},
                                                          {"saturated", saturated}};
  bool written = true;
  for (const auto& [name, tell] : all) written = written && write(directory, name, tell);
  return written ? 0 : 1;
}
