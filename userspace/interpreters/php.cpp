// SPDX-License-Identifier: Apache-2.0
// Structures of Zend/zend_compile.h, zend_globals.h, zend_types.h.
#include "interpreters/php.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include "interpreters/interpreter_file.hpp"
#include "interpreters/named_frame.hpp"
#include "interpreters/script_text.hpp"
#include "symbols/script_frame.hpp"

namespace connleak {

namespace {

// zend_op_array, where it differs.
struct Version {
  std::string_view name;
  std::uint32_t last;  // number of opcodes
  std::uint32_t opcodes;
  std::uint32_t filename;
  std::uint32_t line_start;
};
constexpr Version kVersions[] = {
    {"7.4", 60, 64, 136, 144}, {"8.0", 68, 72, 144, 152}, {"8.1", 68, 72, 144, 152},
    {"8.2", 80, 88, 152, 160}, {"8.3", 76, 80, 144, 152}, {"8.4", 96, 104, 168, 176},
};

// The same in all of these.
constexpr std::uint32_t kStackPageSize = 480;       // zend_executor_globals.vm_stack_page_size
constexpr std::uint32_t kCurrentExecuteData = 488;  // .current_execute_data
constexpr std::uint32_t kOpline = 0;                // zend_execute_data
constexpr std::uint32_t kFunc = 24;
constexpr std::uint32_t kPrevExecuteData = 48;
constexpr std::uint32_t kFunctionName = 8;  // zend_op_array, zend_internal_function; the type is at 0
constexpr std::uint32_t kScope = 16;
constexpr std::size_t kOpArrayBytes = 184;
constexpr std::uint32_t kOpSize = 32;
constexpr std::uint32_t kLineno = 24;      // zend_op
constexpr std::uint32_t kClassName = 8;    // zend_class_entry
constexpr std::uint32_t kStringText = 24;  // zend_string
constexpr std::uint8_t kInternal = 1;
constexpr std::uint8_t kUser = 2;
constexpr std::uint8_t kEval = 4;
constexpr std::uint32_t kIsString = 6;

struct ZendString {
  std::uint32_t references;
  std::uint32_t type;
  std::uint64_t hash;
  std::uint64_t length;
};
static_assert(sizeof(ZendString) == kStringText);

std::optional<std::string> read_string(const Memory& memory, std::uint64_t address) {
  const auto header = memory.value<ZendString>(address);
  if (!header || (header->type & 0xF) != kIsString) return std::nullopt;
  auto text = read_script_text(memory, address + kStringText, header->length);
  // What follows the NUL in the name of a class without one is a file and a number.
  if (text && text->find('\0') != std::string::npos) text->resize(text->find('\0'));
  return text;
}

class OpArray {
 public:
  [[nodiscard]] bool read(const Memory& memory, std::uint64_t address) {
    return memory.read(address, std::as_writable_bytes(std::span(bytes_)));
  }
  [[nodiscard]] std::uint8_t type() const { return bytes_[0]; }
  template <class T>
  [[nodiscard]] T at(std::uint32_t offset) const {
    T value{};
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

 private:
  std::array<std::uint8_t, kOpArrayBytes> bytes_{};
};

class Php : public Interpreter {
 public:
  Php(const Version& version, std::string name, ElfVariable globals)
      : php_(version), version_(std::move(name)), globals_(globals) {
    layout_.root = globals.address + kCurrentExecuteData;
    layout_.next = kPrevExecuteData;
    layout_.code = kFunc;
    layout_.place = kOpline;
  }
  [[nodiscard]] const std::string& version() const override { return version_; }
  [[nodiscard]] const frame_layout& layout() const override { return layout_; }
  [[nodiscard]] std::vector<SymbolFrame> name(const Memory& memory,
                                              std::span<const script_frame> frames) override {
    return name_frames(frames, [&](const script_frame& frame) { return name_one(memory, frame); });
  }

 private:
  [[nodiscard]] NamedFrame name_one(const Memory& memory, const script_frame& frame) const;
  [[nodiscard]] std::optional<std::string> function_name(const Memory& memory, const OpArray& op_array) const;

  const Version& php_;
  std::string version_;
  ElfVariable globals_;
  frame_layout layout_{};
};

std::optional<std::string> Php::function_name(const Memory& memory, const OpArray& op_array) const {
  const auto name = op_array.at<std::uint64_t>(kFunctionName);
  // The code of a file outside its functions, whether it is run or included.
  if (name == 0) return op_array.type() == kEval ? "eval" : "{main}";
  auto function = read_string(memory, name);
  const auto scope = op_array.at<std::uint64_t>(kScope);
  if (!function || scope == 0) return function;
  const auto class_name = memory.value<std::uint64_t>(scope + kClassName);
  const auto text = class_name ? read_string(memory, *class_name) : std::nullopt;
  if (!text) return std::nullopt;
  return *text + "::" + *function;
}

NamedFrame Php::name_one(const Memory& memory, const script_frame& frame) const {
  // Between the engine's C code and the script's, and functions that are C.
  if (frame.code == 0 || memory.value<std::uint8_t>(frame.code) == kInternal) return {NamedFrame::Kind::own, {}};
  OpArray op_array;
  if (!op_array.read(memory, frame.code)) return {};
  if (op_array.type() != kUser && op_array.type() != kEval) return {};
  const std::uint64_t opline = frame.place;
  const auto opcodes = op_array.at<std::uint64_t>(php_.opcodes);
  const auto last = op_array.at<std::uint32_t>(php_.last);
  std::optional<std::uint32_t> line;
  if (opline - opcodes < std::uint64_t{last} * kOpSize && (opline - opcodes) % kOpSize == 0) {
    line = memory.value<std::uint32_t>(opline + kLineno);
    if (!line) return {};
    // Not so for the code that the compiler adds.
    const auto start = op_array.at<std::uint32_t>(php_.line_start);
    const auto end = op_array.at<std::uint32_t>(php_.line_start + 4);
    if (*line == 0 || *line < start || *line > end) line.reset();
  } else if (opline != 0 && opline - globals_.address >= globals_.size) {
    // While an exception is thrown it is in the globals. Elsewhere: the function is gone, another one is here now.
    return {};
  }
  auto function = function_name(memory, op_array);
  auto file = read_string(memory, op_array.at<std::uint64_t>(php_.filename));
  if (!function || !file) return {};
  return {NamedFrame::Kind::script, script_frame_of(Language::php, std::move(function), std::move(file), line)};
}

enum class State { runs, not_yet, unlike };

// What the globals look like.
State state_of(const Memory& memory, const ElfVariable& globals) {
  if (globals.size != 0 && globals.size < kCurrentExecuteData + 8) return State::unlike;
  const auto page = memory.value<std::uint64_t>(globals.address + kStackPageSize);
  const auto frame = memory.value<std::uint64_t>(globals.address + kCurrentExecuteData);
  if (!page || !frame || *frame % 8 != 0) return State::unlike;
  if (*page == 0) return *frame == 0 ? State::not_yet : State::unlike;
  // 256 KiB, of fibers 16 KiB.
  const bool is_size = std::has_single_bit(*page) && *page >= 4096 && *page <= std::uint64_t{1} << 24;
  return is_size ? State::runs : State::unlike;
}

FoundInterpreter not_understood(std::string why, bool not_yet = false) {
  return {nullptr, std::move(why), not_yet};
}

FoundInterpreter understand(const MappedFile& file, const Memory& memory, const std::string& full) {
  const auto globals = find_variable(file, "executor_globals");
  if (!globals && find_variable(file, "executor_globals_offset")) {
    return not_understood(fmt::format(
        "PHP {} is built for threads (ZTS), where its frames are not found; use a build without (NTS)", full));
  }
  if (!globals) {
    return not_understood(fmt::format(
        "PHP {} has no symbol executor_globals, it is linked statically and stripped; use a build that "
        "keeps its symbols",
        full));
  }
  const auto* version = std::ranges::find(kVersions, minor_version(full), &Version::name);
  const State state = version == std::end(kVersions) ? State::unlike : state_of(memory, *globals);
  switch (state) {
    case State::runs:
      return {std::make_unique<Php>(*version, "PHP " + full, *globals), "", false};
    case State::not_yet:
      return not_understood(fmt::format("PHP {} has not started yet; look again when it runs a script", full),
                            true);
    case State::unlike:
      break;
  }
  return not_understood(
      fmt::format("PHP {} is built in a way that is not known here; 7.4 to 8.4 are, as Debian builds them", full));
}

}  // namespace

std::optional<FoundInterpreter> find_php(std::span<const MappedFile> files, const Memory& memory) {
  for (const MappedFile& file : files) {
    if (!is_readable(file) || file_name(file).find("php") == std::string_view::npos) continue;
    // The libraries of extensions have php in their names too.
    const auto version = version_in_constants(*file.image, "X-Powered-By: PHP/");
    if (version && !version->empty()) return understand(file, memory, *version);
  }
  return std::nullopt;
}

}  // namespace connleak
