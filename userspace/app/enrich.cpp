// SPDX-License-Identifier: Apache-2.0
#include "app/enrich.hpp"

#include <cstring>

#include "events/encode.hpp"
#include "probes/process_info.hpp"

namespace connleak {

static_assert(static_cast<int>(Language::go) == WIRE_LANGUAGE_GO &&
              static_cast<int>(Language::rust) == WIRE_LANGUAGE_RUST &&
              static_cast<int>(Language::native) == WIRE_LANGUAGE_NATIVE);

void Enrich::records(std::span<const std::byte> bytes) {
  out_.clear();
  while (bytes.size() >= sizeof(wire_header)) {
    wire_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.size < sizeof header || header.size > bytes.size()) break;
    const auto record = bytes.first(header.size);
    bytes = bytes.subspan(header.size);
    if (header.type == CAPTURE_TYPE) {
      capture captured;
      if (record.size() == sizeof captured) {
        std::memcpy(&captured, record.data(), sizeof captured);
        make_out(captured);
        explicit_bzero(&captured, sizeof captured);
      }
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
  admitted_ = scope_.admits(event);
  if (!admitted_) return;
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
      if (seen_.erase(pid) != 0) {
        symbolizer_.process_replaced(pid, event.thread.process_start_ns);
        see_process(event.thread, time_ns);
      }
      break;
    case WIRE_EXIT:
      alive_.erase(pid);
      symbolizer_.process_gone(pid, event.thread.process_start_ns);
      break;
    default:
      break;
  }
}

void Enrich::see_process(const wire_thread& thread, std::uint64_t time_ns) {
  if (thread.tgid == 0) return;
  const auto [known, fresh] = seen_.try_emplace(thread.tgid, thread.process_start_ns);
  if (!fresh && known->second == thread.process_start_ns) return;
  known->second = thread.process_start_ns;
  named_.erase(thread.tgid);
  symbolizer_.process_seen(thread.tgid, thread.process_start_ns);
  const auto info = make_process_record(thread.tgid, time_ns, thread.process_start_ns);
  if (info) out_.insert(out_.end(), info->begin(), info->end());
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
  stack.addresses = unwinder_.addresses(thread.tgid, thread.process_start_ns, captured.stack);
  if (!stack.addresses.empty()) event(Event{captured.header.time_ns, captured.header.cpu, std::move(stack)});
}

// A walk that left the frames ends in whatever lay on the stack: text, for one. It is cut there, before it can get
// into a recording.
void Enrich::name_addresses(StackEvent& stack, std::uint64_t time_ns) {
  see_process(stack.thread, time_ns);
  auto& named = named_[stack.thread.tgid];
  wire_thread process = stack.thread;
  process.tid = process.tgid;
  for (std::size_t i = 0; i < stack.addresses.size(); ++i) {
    const std::uint64_t address = stack.addresses[i];
    if (named.contains(address)) continue;
    const auto& frames = symbolizer_.resolve(process.tgid, process.process_start_ns, address, i > 0);
    if (frames.empty()) {
      stack.addresses.resize(i);
      return;
    }
    named.insert(address);
    std::uint32_t index = 0;
    for (const SymbolFrame& frame : frames) {
      SymbolEvent symbol;
      symbol.process = process;
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
      encode(Event{time_ns, 0, std::move(symbol)}, out_);
    }
  }
}

}  // namespace connleak
