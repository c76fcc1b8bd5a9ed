// SPDX-License-Identifier: Apache-2.0
#include "app/enrich.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "events/encode.hpp"
#include "probes/process_info.hpp"

namespace connleak {

static_assert(static_cast<int>(Language::go) == WIRE_LANGUAGE_GO &&
              static_cast<int>(Language::rust) == WIRE_LANGUAGE_RUST &&
              static_cast<int>(Language::native) == WIRE_LANGUAGE_NATIVE);

namespace {

// Interpreters are ready some 20 ms after their start, and busy with imports for longer; on a busy machine each
// takes many times as long. What is captured before the look that finds one shows no line of the script.
constexpr std::uint64_t kFirstLook = 30'000'000;
constexpr std::uint64_t kYoung = 1'000'000'000;  // looked at every kFirstLook until this old, then ever less often
constexpr std::uint64_t kLongestPause = 500'000'000;
constexpr std::uint64_t kLookAgain = 10'000'000'000;

// Of programs that nobody asked for only these are looked at before they have a connection.
bool runs_scripts(std::string_view comm) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"python", "php", "ruby", "uwsgi", "gunicorn", "celery", "uvicorn", "puma",
                                       "unicorn", "sidekiq", "apache2", "httpd"});
  return std::ranges::any_of(kNames, [&](std::string_view name) { return comm.starts_with(name); });
}

}  // namespace

void Enrich::watch(std::uint32_t pid) {
  if (!alive_.insert(pid).second) return;
  if (const auto start = read_start_ns(pid)) young_[pid] = {*start, 0, kFirstLook};
}

void Enrich::look_at_processes(std::uint64_t now_ns) {
  look_at_young(now_ns);
  if (!drivers_ || now_ns < next_look_ns_) return;
  next_look_ns_ = now_ns + kLookAgain;
  drivers_->look_again();
}

void Enrich::look_at_young(std::uint64_t now_ns) {
  out_.clear();
  for (auto& [pid, young] : young_) {
    if (young.next_ns > now_ns) continue;
    if (modes_.is_settled(pid, young.start_ns))
      symbolizer_.look_again(pid, young.start_ns);
    else if (modes_.look(pid, young.start_ns) && seen_.contains(pid))
      put_process(pid, young.start_ns, now_ns);
    // Of others only those that have a connection are probed.
    if (drivers_ && (alive_.contains(pid) || seen_.contains(pid))) drivers_->look(pid, young.start_ns);
    young.looked_ns += young.pause_ns;
    if (young.looked_ns > kYoung) young.pause_ns = std::min(2 * young.pause_ns, kLongestPause);
    young.next_ns = now_ns + young.pause_ns;
  }
  std::erase_if(young_, [&](const auto& entry) {
    return modes_.is_settled(entry.first, entry.second.start_ns) && (!drivers_ || entry.second.looked_ns > kYoung);
  });
  if (!out_.empty()) next_.records(out_);
}

void Enrich::records(std::span<const std::byte> bytes) {
  out_.clear();
  while (bytes.size() >= sizeof(wire_header)) {
    wire_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.size < sizeof header || header.size > bytes.size()) break;
    const auto record = bytes.first(header.size);
    bytes = bytes.subspan(header.size);
    if (header.type == CAPTURE_TYPE) {
      take_capture(record);
      continue;
    }
    admitted_ = true;
    decoder_.records(record);
    if (admitted_) out_.insert(out_.end(), record.begin(), record.end());
  }
  // What cannot be walked is left to the reader, which counts it.
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  if (!out_.empty()) next_.records(out_);
}

void Enrich::event(Event&& event) {
  if (const auto* connection = std::get_if<ConnectionEvent>(&event.body))
    see_process(connection->connection.opener, event.time_ns);
  if (const auto* holder = std::get_if<HolderEvent>(&event.body)) see_process(holder->holder, event.time_ns);
  if (const auto* lease = std::get_if<LeaseEvent>(&event.body)) see_process(lease->lease.thread, event.time_ns);
  admitted_ = scope_.admits(event);
  if (!admitted_) return;
  if (const auto* lease = std::get_if<LeaseEvent>(&event.body)) pools_.note(lease->lease);
  // Of the same instant as the levels that end here.
  if (const auto* scan = std::get_if<ScanEvent>(&event.body);
      scan != nullptr && scan->ended && scan->kind == WIRE_SCAN_LEVELS)
    for (const Event& pool : pools_.read(event.time_ns)) encode(pool, out_);
  if (const auto* process = std::get_if<ProcessEvent>(&event.body)) follow(*process, event.time_ns);
  if (auto* stack = std::get_if<StackEvent>(&event.body)) {
    name_addresses(*stack, event.time_ns);
    admitted_ = false;  // what is left of it is put in its place
    if (!stack->addresses.empty()) encode(event, out_);
  }
}

void Enrich::follow(const ProcessEvent& event, std::uint64_t time_ns) {
  const std::uint32_t pid = event.thread.tgid;
  switch (event.type) {
    case WIRE_FORK:
      if (alive_.contains(event.parent.tgid)) alive_.insert(pid);
      break;
    case WIRE_EXEC:
      if (alive_.contains(pid) || runs_scripts(event.comm))
        young_[pid] = {event.thread.process_start_ns, time_ns + kFirstLook, kFirstLook};
      if (seen_.erase(pid) != 0) {
        symbolizer_.process_replaced(pid, event.thread.process_start_ns);
        modes_.process_replaced(pid, event.thread.process_start_ns);
        if (drivers_) drivers_->process_gone(pid);
        see_process(event.thread, time_ns);
      }
      break;
    case WIRE_EXIT:
      alive_.erase(pid);
      young_.erase(pid);
      symbolizer_.process_gone(pid, event.thread.process_start_ns);
      modes_.process_gone(pid, event.thread.process_start_ns);
      if (drivers_) drivers_->process_gone(pid);
      pools_.process_gone(pid);
      break;
    default:
      break;
  }
}

void Enrich::see_process(const wire_thread& thread, std::uint64_t time_ns) {
  if (thread.tgid == 0) return;
  const auto [known, fresh] = seen_.try_emplace(thread.tgid, thread.process_start_ns);
  if (!fresh && known->second == thread.process_start_ns) return;
  ++met_;
  known->second = thread.process_start_ns;
  named_.erase(thread.tgid);
  script_places_.erase(thread.tgid);
  symbolizer_.process_seen(thread.tgid, thread.process_start_ns);
  modes_.look(thread.tgid, thread.process_start_ns);
  if (drivers_) drivers_->look(thread.tgid, thread.process_start_ns);
  if (drivers_ || !modes_.is_settled(thread.tgid, thread.process_start_ns))
    young_[thread.tgid] = {thread.process_start_ns, time_ns + kFirstLook, kFirstLook};
  put_process(thread.tgid, thread.process_start_ns, time_ns);
}

void Enrich::put_process(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t time_ns) {
  const auto info = make_process_record(pid, time_ns, start_ns, modes_.note(pid, start_ns));
  if (info) out_.insert(out_.end(), info->begin(), info->end());
}

void Enrich::take_capture(std::span<const std::byte> record) {
  capture captured{};
  if (record.size() < CAPTURE_SHORT || record.size() > sizeof captured) return;
  std::memcpy(&captured, record.data(), record.size());
  make_out(captured);
  explicit_bzero(&captured, sizeof captured);
}

void Enrich::make_out(const capture& captured) {
  const wire_thread& thread = captured.stack.thread;
  if (captured.stack.kind >= WIRE_STACK_KIND_END) return;
  StackEvent stack;
  stack.cookie = captured.cookie;
  stack.opened_ns = captured.opened_ns;
  stack.thread = thread;
  stack.kind = static_cast<wire_stack_kind>(captured.stack.kind);
  see_process(thread, captured.header.time_ns);
  if (captured.stack.form == CAPTURE_SCRIPT) {
    if (!scope_.admits(Event{captured.header.time_ns, captured.header.cpu, stack})) return;
    stack.addresses = name_script(captured);
    if (!stack.addresses.empty())
      encode(Event{captured.header.time_ns, captured.header.cpu, std::move(stack)}, out_);
    return;
  }
  UnwoundStack unwound = unwinder_.unwind(thread.tgid, thread.process_start_ns, captured);
  stack.addresses = std::move(unwound.addresses);
  if (stack.addresses.empty()) return;
  application_seen_ = false;
  event(Event{captured.header.time_ns, captured.header.cpu, std::move(stack)});
  if (unwound.is_deep)
    modes_.deep_seen(thread.tgid, thread.process_start_ns, application_seen_);
  else if (unwound.cut_at != 0 && !application_seen_)
    modes_.deepen(thread.tgid, thread.process_start_ns, unwound.cut_at);
}

// Lines of a script have no addresses: each place gets a number above all of them, 2^62 on.
std::vector<std::uint64_t> Enrich::name_script(const capture& captured) {
  constexpr std::uint64_t kPlaces = std::uint64_t{1} << 62;
  const wire_thread& thread = captured.stack.thread;
  const std::size_t count = std::min<std::size_t>(captured.stack.size / sizeof(script_frame), SCRIPT_FRAMES);
  std::vector<script_frame> raw(count);
  std::memcpy(raw.data(), captured.stack.data, count * sizeof(script_frame));
  auto& places = script_places_[thread.tgid];
  std::vector<std::uint64_t> addresses;
  for (SymbolFrame& frame : modes_.name(thread.tgid, thread.process_start_ns, raw)) {
    if (addresses.size() == WIRE_FRAMES) break;
    frame.application = is_application({}, frame);
    const std::string place =
        fmt::format("{}\n{}\n{}", frame.file.value_or(""), frame.function.value_or(""), frame.line.value_or(0));
    const auto [known, is_new] = places.try_emplace(place, kPlaces + places.size());
    if (is_new) put_symbols(known->second, {&frame, 1}, thread, captured.header.time_ns);
    addresses.push_back(known->second);
  }
  return addresses;
}

// A walk that left the frames ends in whatever lay on the stack: text, for one. It is cut there, before it can get
// into a recording.
void Enrich::name_addresses(StackEvent& stack, std::uint64_t time_ns) {
  see_process(stack.thread, time_ns);
  auto& named = named_[stack.thread.tgid];
  for (std::size_t i = 0; i < stack.addresses.size(); ++i) {
    const std::uint64_t address = stack.addresses[i];
    const auto& frames = symbolizer_.resolve(stack.thread.tgid, stack.thread.process_start_ns, address, i > 0);
    application_seen_ = application_seen_ || culprit(frames) != nullptr;
    if (frames.empty()) {
      stack.addresses.resize(i);
      return;
    }
    const bool is_known = frames.front().function.has_value() || frames.front().module != "[generated]";
    if (!is_known || named.insert(address).second) put_symbols(address, frames, stack.thread, time_ns);
  }
}

void Enrich::put_symbols(std::uint64_t address, std::span<const SymbolFrame> frames, const wire_thread& thread,
                         std::uint64_t time_ns) {
  std::uint32_t index = 0;
  for (const SymbolFrame& frame : frames) {
    SymbolEvent symbol;
    symbol.process = thread;
    symbol.process.tid = thread.tgid;
    symbol.process.thread_start_ns = thread.process_start_ns;
    symbol.address = address;
    symbol.index = index++;
    symbol.count = static_cast<std::uint32_t>(frames.size());
    symbol.offset = frame.offset;
    symbol.line = frame.line;
    symbol.function = frame.function;
    symbol.file = frame.file;
    if (!frame.module.empty()) symbol.module = frame.module;
    symbol.language = static_cast<wire_language>(frame.language);
    symbol.application = frame.application;
    symbol.housekeeping = is_housekeeping(frame);
    encode(Event{time_ns, 0, std::move(symbol)}, out_);
  }
}

}  // namespace connleak
