// SPDX-License-Identifier: Apache-2.0
#include "interpreters/python.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "interpreters/named_frame.hpp"
#include "interpreters/python_find.hpp"
#include "interpreters/python_lines.hpp"
#include "interpreters/python_objects.hpp"
#include "interpreters/script_text.hpp"
#include "symbols/script_frame.hpp"

namespace connleak {

namespace {

constexpr std::uint64_t kMaxName = 1024;  // characters; longer ones are left out
// A module of 100,000 lines has some 400 KiB; with more the line is left out.
constexpr std::uint64_t kMaxLines = 1 << 20;
// Places of the frames above database calls; when it is full all are read anew.
constexpr std::size_t kMaxCached = 1024;
// Copies of the bytecode: one a thread that ran it.
constexpr std::uint64_t kMaxCopies = 4096;

constexpr std::int64_t kUnit = 2;  // bytes of one code unit

class Python final : public Interpreter {
 public:
  explicit Python(FoundPython found)
      : version_(std::move(found.version)),
        layout_(found.layout),
        walk_(walk_of(found.layout, found.interpreter)),
        objects_(found.layout) {}

  [[nodiscard]] const std::string& version() const override { return version_; }
  [[nodiscard]] const frame_layout& layout() const override { return walk_; }
  [[nodiscard]] std::vector<SymbolFrame> name(const Memory& memory,
                                              std::span<const script_frame> frames) override {
    return name_frames(frames, [&](const script_frame& place) { return name_one(memory, place); });
  }

 private:
  using Kind = NamedFrame::Kind;
  struct Cached {
    std::uint64_t stamp = 0;
    SymbolFrame frame;
  };
  NamedFrame name_one(const Memory& memory, script_frame place);
  std::optional<std::int64_t> offset_of(const Memory& memory, const PythonCode& code, std::uint64_t place);
  std::optional<std::int64_t> offset_in_copy(const Memory& memory, const PythonCode& code,
                                             std::uint64_t place) const;
  [[nodiscard]] std::optional<std::uint32_t> line_of(std::span<const std::byte> table, std::int32_t first,
                                                     std::int64_t offset) const;

  std::string version_;
  PythonLayout layout_;
  frame_layout walk_;
  PythonObjects objects_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Cached> cache_;  // by code and place
};

NamedFrame Python::name_one(const Memory& memory, script_frame place) {
  // From 3.14 on the lowest bits say how the reference is counted.
  const std::uint64_t address = layout_.minor >= 14 ? place.code & ~std::uint64_t{7} : place.code;
  const auto code = objects_.code(memory, address);
  // A call from C has a frame of its own, from 3.13 on with None for its code.
  if (!code) return {objects_.is_none(memory, address) ? Kind::own : Kind::broken, {}};
  const auto cached = cache_.find({address, place.place});
  if (cached != cache_.end() && cached->second.stamp == code->stamp) return {Kind::script, cached->second.frame};
  const auto offset = offset_of(memory, *code, place.place);
  if (!offset) return {};
  // Not begun, or the interpreter's own: Python's tracebacks leave them out too.
  if (layout_.minor >= 11 && *offset < kUnit * code->first_trace) return {Kind::own, {}};
  auto function = objects_.text(memory, code->name, kMaxName);
  auto file = objects_.text(memory, code->file, kMaxScriptText);
  const auto table = objects_.bytes(memory, code->lines, kMaxLines);
  if ((!function && !file) || !table) return {};
  auto frame = script_frame_of(Language::python, std::move(function), std::move(file),
                               line_of(*table, code->first_line, *offset));
  if (cache_.size() >= kMaxCached) cache_.clear();
  cache_[{address, place.place}] = {code->stamp, frame};
  return {Kind::script, std::move(frame)};
}

// In bytes; nullopt: not in this code.
std::optional<std::int64_t> Python::offset_of(const Memory& memory, const PythonCode& code, std::uint64_t place) {
  if (layout_.minor < 11) {
    const auto size = objects_.bytes_size(memory, code.bytes);
    const std::int64_t last = static_cast<std::int32_t>(place);  // f_lasti, an int; -1: not begun
    const std::int64_t offset = layout_.minor == 10 && last > 0 ? kUnit * last : last;
    if (!size || offset < -1 || offset >= static_cast<std::int64_t>(*size)) return std::nullopt;
    return offset;
  }
  // prev_instr of what has not begun is one in front.
  const std::uint64_t before = code.bytes - kUnit;
  if (code.units < UINT32_MAX && place >= before && place - before <= kUnit * code.units && place % kUnit == 0) {
    return static_cast<std::int64_t>(place - code.bytes);
  }
  return offset_in_copy(memory, code, place);
}

std::optional<std::int64_t> Python::offset_in_copy(const Memory& memory, const PythonCode& code,
                                                   std::uint64_t place) const {
  if (code.copies == 0) return std::nullopt;
  const auto count = memory.value<std::uint64_t>(code.copies);
  if (!count || *count > kMaxCopies) return std::nullopt;
  std::vector<std::uint64_t> copies(*count);
  if (!memory.read(code.copies + 8, std::as_writable_bytes(std::span(copies)))) return std::nullopt;
  for (const std::uint64_t copy : copies) {
    if (copy != 0 && place >= copy && place - copy < kUnit * code.units) {
      return static_cast<std::int64_t>(place - copy);
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Python::line_of(std::span<const std::byte> table, std::int32_t first,
                                             std::int64_t offset) const {
  if (layout_.minor < 10) return line_of_lnotab(table, first, offset);
  if (layout_.minor == 10) return line_of_ranges(table, first, offset);
  return line_of_locations(table, first, offset);
}

}  // namespace

std::optional<FoundInterpreter> find_python(std::span<const MappedFile> files, const Memory& memory) {
  auto python = locate_python(files, memory);
  if (!python) return std::nullopt;
  FoundInterpreter found;
  found.why_not = std::move(python->why_not);
  found.not_yet = python->not_yet;
  if (python->interpreter != 0) found.interpreter = std::make_unique<Python>(*std::move(python));
  return found;
}

}  // namespace connleak
