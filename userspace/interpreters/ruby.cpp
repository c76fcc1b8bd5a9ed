// SPDX-License-Identifier: Apache-2.0
#include "interpreters/ruby.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "interpreters/interpreter_file.hpp"
#include "interpreters/ruby_code.hpp"

namespace connleak {

namespace {

constexpr RubyVersion kVersions[] = {
    {"3.0", 0, 80, 40, 56, 120, 8, 16},   {"3.1", 0, 80, 40, 64, 120, 12, 16},
    {"3.2", 40, 8, 48, 64, 112, 12, 24},  {"3.3", 40, 16, 48, 56, 112, 12, 24},
    {"3.4", 40, 16, 48, 56, 112, 12, 24},
};

// The same in all of these.
constexpr std::uint32_t kMainRactor = 32;  // rb_vm_t.ractor.main_ractor, main_thread
constexpr std::uint32_t kThreadNode = 0;   // rb_thread_t
constexpr std::uint32_t kThreadRactor = 24;
constexpr std::uint32_t kStack = 0;  // rb_execution_context_t.vm_stack, vm_stack_size
constexpr std::uint32_t kFrame = 16;
constexpr std::uint32_t kContextThread = 48;  // one word further in 3.0
constexpr std::uint32_t kFrameCode = 16;      // rb_control_frame_t
constexpr std::uint32_t kFramePlace = 0;
// How far into a ractor its list of threads is looked for: behind locks, whose size differs between machines. Some
// 300 bytes as seen.
constexpr std::uint32_t kRactorBytes = 1024;
constexpr int kMaxThreads = 1024;
// Of zeroed variables, where the VM is looked for; Ruby has 80 KiB.
constexpr std::uint64_t kMaxVariables = std::uint64_t{4} << 20;

struct Pair {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

struct Vm {
  std::uint64_t address = 0;
  std::uint64_t ractor = 0;
  std::uint64_t thread = 0;
};

bool is_thread(const Memory& memory, const Vm& vm, std::uint64_t thread) {
  const auto owners = memory.value<Pair>(thread + kThreadRactor);
  return owners && owners->first == vm.ractor && owners->second == vm.address;
}

// What points back from everywhere is it: nothing else does.
std::optional<Vm> vm_at(const RubyVersion& version, const Memory& memory, std::uint64_t address) {
  if (address == 0 || address % 8 != 0) return std::nullopt;
  const auto main = memory.value<Pair>(address + kMainRactor);
  if (!main || main->first == 0 || main->second == 0) return std::nullopt;
  const Vm vm{address, main->first, main->second};
  if (!is_thread(memory, vm, vm.thread)) return std::nullopt;
  const auto context = memory.value<std::uint64_t>(vm.thread + version.thread_context);
  const auto threads = context ? memory.value<Pair>(*context + kContextThread) : std::nullopt;
  if (!threads || (threads->first != vm.thread && threads->second != vm.thread)) return std::nullopt;
  return vm;
}

// ruby_current_vm_ptr. From 3.2 it is no dynamic symbol any more, so of a stripped file all variables are tried.
std::optional<Vm> find_vm(const RubyVersion& version, const MappedFile& file, const Memory& memory) {
  if (const auto pointer = find_variable(file, "ruby_current_vm_ptr"))
    return vm_at(version, memory, memory.value<std::uint64_t>(pointer->address).value_or(0));
  const auto section = file.image->section(".bss");
  if (!section) return std::nullopt;
  std::uint64_t last = 0;
  std::vector<std::uint64_t> words(512);
  const std::uint64_t size = std::min(section->size, kMaxVariables);
  for (std::uint64_t at = (section->address + 7) & ~std::uint64_t{7}; at + 8 <= section->address + size;) {
    const std::uint64_t count = std::min<std::uint64_t>(words.size(), (section->address + size - at) / 8);
    words.resize(count);
    if (!memory.read(file.bias + at, std::as_writable_bytes(std::span(words)))) return std::nullopt;
    for (const std::uint64_t word : words) {
      if (word == last) continue;
      last = word;
      if (const auto vm = vm_at(version, memory, word)) return vm;
    }
    at += count * 8;
  }
  return std::nullopt;
}

// The head of the ring of the ractor's threads.
std::optional<std::uint64_t> find_threads(const Memory& memory, const Vm& vm) {
  for (std::uint32_t offset = 0; offset < kRactorBytes; offset += 8) {
    const std::uint64_t head = vm.ractor + offset;
    auto node = memory.value<std::uint64_t>(head);
    if (!node) return std::nullopt;
    bool has_main = false;
    for (int i = 0; i < kMaxThreads && node && *node != head; ++i) {
      const std::uint64_t thread = *node - kThreadNode;
      if (!is_thread(memory, vm, thread)) break;
      has_main = has_main || thread == vm.thread;
      node = memory.value<std::uint64_t>(*node);
    }
    if (has_main && node == head) return head;
  }
  return std::nullopt;
}

class Ruby : public Interpreter {
 public:
  Ruby(const RubyVersion& version, std::string name, std::uint64_t threads)
      : ruby_(version), version_(std::move(name)) {
    layout_.root = threads;
    layout_.flags = FRAMES_THREADS | FRAMES_TOP_VIA | FRAMES_ARRAY;
    if (version.thread_native != 0) layout_.flags |= FRAMES_THREAD_ID_VIA;
    layout_.thread_node = kThreadNode;
    layout_.thread_next = 0;
    layout_.thread_id = version.thread_id;
    layout_.thread_id_via = version.thread_native;
    layout_.top = version.thread_context;
    layout_.top_via = kFrame;
    layout_.size = version.frame_size;
    layout_.code = kFrameCode;
    layout_.place = kFramePlace;
    layout_.array = kStack;
  }
  [[nodiscard]] const std::string& version() const override { return version_; }
  [[nodiscard]] const frame_layout& layout() const override { return layout_; }
  [[nodiscard]] std::vector<SymbolFrame> name(const Memory& memory,
                                              std::span<const script_frame> frames) override {
    return name_frames(frames, [&](const script_frame& frame) { return ruby_frame(ruby_, memory, frame); });
  }

 private:
  const RubyVersion& ruby_;
  std::string version_;
  frame_layout layout_{};
};

FoundInterpreter understand(const MappedFile& file, const Memory& memory, const std::string& full) {
  const auto* version = std::ranges::find(kVersions, minor_version(full), &RubyVersion::name);
  if (version == std::end(kVersions))
    return {nullptr, fmt::format("Ruby {} is not known here; 3.0 to 3.4 are", full), false};
  const auto vm = find_vm(*version, file, memory);
  const auto threads = vm ? find_threads(memory, *vm) : std::nullopt;
  if (!threads) {
    return {nullptr,
            fmt::format("Ruby {} has no threads yet, or is built in a way that is not known here; look again "
                        "when its program runs",
                        full),
            true};
  }
  return {std::make_unique<Ruby>(*version, "Ruby " + full, *threads), "", false};
}

}  // namespace

std::optional<FoundInterpreter> find_ruby(std::span<const MappedFile> files, const Memory& memory) {
  for (const MappedFile& file : files) {
    if (!is_readable(file) || file_name(file).find("ruby") == std::string_view::npos) continue;
    const auto text = find_variable(file, "ruby_version");
    const auto version = text ? file.image->read_string(text->address - file.bias, 16) : std::nullopt;
    if (version && !version->empty()) return understand(file, memory, *version);
  }
  return std::nullopt;
}

}  // namespace connleak
