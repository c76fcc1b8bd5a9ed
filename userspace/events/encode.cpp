// SPDX-License-Identifier: Apache-2.0
// Events to raw records.
#include "events/encode.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace connleak {
namespace {

class Encoder {
 public:
  Encoder(const Event& event, std::vector<std::byte>& out) : event_(event), out_(out) {}

  void operator()(const ConnectionEvent& body) {
    wire_edge record{};
    record.actor = body.actor;
    fill(record.actor_comm, body.actor_comm);
    record.connection = body.connection;
    put(body.type, record);
  }

  void operator()(const ProcessEvent& body) {
    wire_process record{};
    record.thread = body.thread;
    record.parent = body.parent;
    fill(record.comm, body.comm);
    put(body.type, record);
  }

  void operator()(const GapsEvent& body) {
    wire_gaps record{};
    record.cookie = body.cookie;
    record.opened_ns = body.opened_ns;
    std::memcpy(record.counts, body.counts, sizeof record.counts);
    put(WIRE_GAPS, record);
  }

  void operator()(const StackEvent& body) {
    wire_stack record{};
    record.cookie = body.cookie;
    record.opened_ns = body.opened_ns;
    record.thread = body.thread;
    record.kind = body.kind;
    record.goroutine = body.goroutine.value_or(0);
    const std::size_t frames = std::min<std::size_t>(body.addresses.size(), WIRE_FRAMES);
    record.frames = static_cast<__u32>(frames);
    std::copy_n(body.addresses.begin(), frames, record.addresses);
    put(WIRE_STACK, record, offsetof(wire_stack, addresses) + frames * sizeof record.addresses[0]);
  }

  void operator()(const HolderEvent& body) {
    wire_holder record{};
    record.cookie = body.cookie;
    record.opened_ns = body.opened_ns;
    record.holder = body.holder;
    record.fd = body.fd;
    fill(record.comm, body.comm);
    put(WIRE_HOLDER, record);
  }

  void operator()(const SessionEvent& body) {
    wire_session record{};
    record.owner = body.owner;
    record.cookie = body.cookie;
    record.accepted_ns = body.accepted_ns;
    record.last_receive_ns = body.last_receive_ns;
    put(WIRE_SESSION, record);
  }

  void operator()(const RequestsEvent& body) {
    wire_requests record{};
    record.process = body.process;
    record.cpu_ns = body.cpu_ns;
    std::copy(body.answered.begin(), body.answered.end(), std::begin(record.answered));
    std::copy(body.alone.begin(), body.alone.end(), std::begin(record.alone));
    std::copy(body.failed.begin(), body.failed.end(), std::begin(record.failed));
    put(WIRE_REQUESTS, record);
  }

  void operator()(const LeaseEvent& body) {
    wire_lease record = body.lease;
    put(WIRE_LEASE, record);
  }

  void operator()(const PoolEvent& body) {
    wire_pool record = body.pool;
    put(WIRE_POOL, record);
  }

  void operator()(const ScanEvent& body) {
    wire_scan record{};
    record.began_ns = body.began_ns;
    record.kind = body.kind;
    put(body.ended ? WIRE_SCAN_END : WIRE_SCAN_BEGIN, record);
  }

  void operator()(const LossEvent& body) {
    wire_loss record{};
    fill(record.hook, body.hook);
    record.hits = body.hits;
    record.dropped = body.dropped;
    record.missed = body.missed;
    record.attached = body.attached ? 1 : 0;
    put(WIRE_LOSS, record);
  }

  void operator()(const ProcessInfoEvent& body) {
    wire_process_info record{};
    record.process = body.process;
    record.parent = body.parent;
    record.cgroup_id = body.cgroup_id;
    record.uid = body.uid;
    fill(record.comm, body.comm);
    std::array texts{text(body.exe), text(body.cgroup), text(body.frames_note)};
    const std::size_t used = put_texts(texts, record.text);
    record.exe_size = size_of(texts[0]);
    record.cgroup_size = size_of(texts[1]);
    record.frames_note_size = size_of(texts[2]);
    put(WIRE_PROCESS, record, offsetof(wire_process_info, text) + used);
  }

  void operator()(const SymbolEvent& body) {
    wire_symbol record{};
    record.process = body.process;
    record.address = body.address;
    record.index = body.index;
    record.count = body.count;
    record.offset = body.offset;
    record.line = body.line.value_or(0);
    record.language = static_cast<__u8>(body.language);
    record.application = body.application ? 1 : 0;
    record.housekeeping = body.housekeeping ? 1 : 0;
    std::array texts{text(body.function), text(body.file), text(body.module)};
    const std::size_t used = put_texts(texts, record.text);
    record.function_size = size_of(texts[0]);
    record.file_size = size_of(texts[1]);
    record.module_size = size_of(texts[2]);
    put(WIRE_SYMBOL, record, offsetof(wire_symbol, text) + used);
  }

 private:
  using Text = std::optional<std::string_view>;

  static std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }
  static Text text(const std::optional<std::string>& text) { return text ? Text(until_nul(*text)) : Text(); }
  static __u16 size_of(const Text& text) { return text ? static_cast<__u16>(text->size() + 1) : __u16{0}; }

  template <std::size_t N>
  static void fill(char (&field)[N], std::string_view text) {
    text = until_nul(text).substr(0, N - 1);
    std::copy(text.begin(), text.end(), field);
  }

  // Cuts `texts` to what fits, puts them one behind the other and returns the bytes used.
  template <std::size_t Texts, std::size_t N>
  static std::size_t put_texts(std::array<Text, Texts>& texts, char (&area)[N]) {
    const auto needed = [&] {
      std::size_t sum = 0;
      for (const Text& text : texts) sum += text ? text->size() + 1 : 0;
      return sum;
    };
    for (std::size_t sum = needed(); sum > N; sum = needed()) {
      Text& longest = *std::max_element(texts.begin(), texts.end(), [](const Text& a, const Text& b) {
        return (a ? a->size() : 0) < (b ? b->size() : 0);
      });
      // Not all of the excess at once: another string may be the longest on the way.
      const std::size_t excess = std::min(sum - N, (longest->size() + 1) / 2);
      longest->remove_suffix(excess);
    }
    char* at = area;
    for (const Text& text : texts) {
      if (text) at = std::copy(text->begin(), text->end(), at) + 1;
    }
    return static_cast<std::size_t>(at - area);
  }

  template <class T>
  void put(wire_type type, T& record, std::size_t size = sizeof(T)) {
    size = (size + 7) / 8 * 8;
    record.header.type = static_cast<__u16>(type);
    record.header.size = static_cast<__u16>(size);
    record.header.cpu = event_.cpu;
    record.header.time_ns = event_.time_ns;
    const std::size_t before = out_.size();
    out_.resize(before + size);
    std::memcpy(out_.data() + before, &record, size);
  }

  const Event& event_;
  std::vector<std::byte>& out_;
};

}  // namespace

void encode(const Event& event, std::vector<std::byte>& out) { std::visit(Encoder(event, out), event.body); }

std::vector<std::byte> encode(const Event& event) {
  std::vector<std::byte> out;
  encode(event, out);
  return out;
}

}  // namespace connleak
