// SPDX-License-Identifier: Apache-2.0
// Lookups in .gopclntab.
#include "symbols/go_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace connleak {

namespace {

constexpr std::uint32_t kInlineIndexTable = 2;  // PCDATA_InlTreeIndex
constexpr std::uint32_t kInlineTree = 3;        // FUNCDATA_InlTree
constexpr std::uint32_t kNoFunctionData = UINT32_MAX;
constexpr std::uint32_t kMaxTables = 64;           // of one function; the compiler has 5 and 8 kinds
constexpr std::uint64_t kMaxPcTable = 4 << 20;     // bytes; the largest generated functions stay below 1 MiB
constexpr int kMaxInlined = 64;                    // the inliner stops far earlier
constexpr std::int32_t kMaxInlineIndex = 1 << 20;  // as in the runtime's own inlTree type

// Reads a byte stream at an address in pieces.
class ByteStream {
 public:
  ByteStream(const ElfImage& image, std::uint64_t address) : image_(image), address_(address) {}

  std::optional<std::uint8_t> next() {
    if (at_ == size_) {
      if (total_ >= kMaxPcTable) return std::nullopt;
      size_ = image_.read(address_ + total_, buffer_);
      total_ += size_;
      at_ = 0;
      if (size_ == 0) return std::nullopt;
    }
    return static_cast<std::uint8_t>(buffer_[at_++]);
  }

  std::optional<std::uint32_t> next_varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const auto byte = next();
      if (!byte) return std::nullopt;
      if (shift < 32) value |= static_cast<std::uint32_t>(*byte & 0x7f) << shift;
      if ((*byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

 private:
  const ElfImage& image_;
  std::uint64_t address_;
  std::array<std::byte, 256> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

std::optional<std::uint64_t> GoTable::entry_at(const ElfImage& image, std::uint64_t index) const {
  if (layout_.version == GoTableVersion::go116) {
    return image.read_value<std::uint64_t>(layout_.function_table + index * 16);
  }
  const auto offset = image.read_value<std::uint32_t>(layout_.function_table + index * 8);
  if (!offset) return std::nullopt;
  return layout_.text + *offset;
}

std::optional<GoTable::Function> GoTable::find(const ElfImage& image, std::uint64_t address) const {
  const auto first = entry_at(image, 0);
  const auto end = entry_at(image, layout_.functions);
  if (!first || !end || address < *first || address >= *end) return std::nullopt;
  std::uint64_t low = 0;
  std::uint64_t high = layout_.functions;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto entry = entry_at(image, middle);
    if (!entry) return std::nullopt;
    (*entry <= address ? low : high) = middle;
  }
  std::optional<std::uint64_t> offset;
  if (layout_.version == GoTableVersion::go116) {
    offset = image.read_value<std::uint64_t>(layout_.function_table + low * 16 + 8);
  } else if (const auto small = image.read_value<std::uint32_t>(layout_.function_table + low * 8 + 4)) {
    offset = *small;
  }
  const auto entry = entry_at(image, low);
  if (!offset || !entry || *offset > image.file_size()) return std::nullopt;
  auto function = read_function(image, layout_.function_table + *offset);
  if (!function || function->entry != *entry) return std::nullopt;
  return function;
}

// struct _func of runtime/runtime2.go. Behind its entry: name, args, deferreturn, pcsp, pcfile, pcln, npcdata,
// unit, from 1.20 the first line, then four bytes of which the last is the number of funcdata.
std::optional<GoTable::Function> GoTable::read_function(const ElfImage& image, std::uint64_t at) const {
  Function function;
  const bool is_old = layout_.version == GoTableVersion::go116;
  if (is_old) {
    const auto entry = image.read_value<std::uint64_t>(at);
    if (!entry) return std::nullopt;
    function.entry = *entry;
    function.fields = at + 8;
  } else {
    const auto entry = image.read_value<std::uint32_t>(at);
    if (!entry) return std::nullopt;
    function.entry = layout_.text + *entry;
    function.fields = at + 4;
  }
  const std::size_t count = layout_.version == GoTableVersion::go120 ? 10 : 9;
  std::array<std::uint32_t, 10> field{};
  const auto wanted = std::as_writable_bytes(std::span(field).first(count));
  if (image.read(function.fields, wanted) != wanted.size()) return std::nullopt;
  function.name = field[0];
  function.pc_file = field[4];
  function.pc_line = field[5];
  const std::uint32_t pc_tables = field[6];
  function.unit = field[7];
  const std::uint32_t data_tables = field[count - 1] >> 24;
  if (pc_tables > kMaxTables) return std::nullopt;

  const std::uint64_t tables = function.fields + count * 4;
  if (pc_tables > kInlineIndexTable) {
    const auto table = image.read_value<std::uint32_t>(tables + std::uint64_t{kInlineIndexTable} * 4);
    if (!table) return std::nullopt;
    function.inline_index = *table;
  }
  if (data_tables > kInlineTree && !is_old && layout_.function_data) {
    const auto offset = image.read_value<std::uint32_t>(tables + std::uint64_t{pc_tables + kInlineTree} * 4);
    if (offset && *offset != kNoFunctionData) function.inline_tree = *layout_.function_data + *offset;
  }
  return function;
}

// pcvalue() and step() of runtime/symtab.go: pairs of a zig-zag value delta and a pc delta, from value -1 at the
// function's entry; a value delta of 0 ends the table, but not at its start.
std::optional<std::int32_t> GoTable::pc_value(const ElfImage& image, const Function& function, std::uint32_t table,
                                              std::uint64_t address) const {
  if (table == 0) return std::nullopt;
  ByteStream stream(image, layout_.pc_values + table);
  std::uint64_t pc = function.entry;
  std::uint32_t value = UINT32_MAX;
  for (bool first = true;; first = false) {
    const auto value_delta = stream.next_varint();
    if (!value_delta || (*value_delta == 0 && !first)) return std::nullopt;
    const auto pc_delta = stream.next_varint();
    if (!pc_delta) return std::nullopt;
    value += (*value_delta & 1) != 0 ? ~(*value_delta >> 1) : *value_delta >> 1;
    pc += std::uint64_t{*pc_delta} * layout_.quantum;
    if (address < pc) return static_cast<std::int32_t>(value);
  }
}

// struct inlinedCall of runtime/symtabinl.go: id, name, parent pc, first line; before 1.20 (parent, id), file,
// line, name, parent pc.
std::optional<GoTable::InlinedCall> GoTable::inlined_call(const ElfImage& image, const Function& function,
                                                          std::int32_t index) const {
  if (!function.inline_tree || index < 0 || index >= kMaxInlineIndex) return std::nullopt;
  const bool is_118 = layout_.version == GoTableVersion::go118;
  const std::uint64_t size = is_118 ? 20 : 16;
  std::array<std::uint32_t, 5> field{};
  const auto wanted = std::as_writable_bytes(std::span(field)).first(size);
  const std::uint64_t at = *function.inline_tree + static_cast<std::uint64_t>(index) * size;
  if (image.read(at, wanted) != size) return std::nullopt;
  return is_118 ? InlinedCall{field[3], field[4]} : InlinedCall{field[1], field[2]};
}

std::optional<std::string> GoTable::name_at(const ElfImage& image, std::uint32_t offset) const {
  auto name = image.read_string(layout_.names + offset);
  if (!name || name->empty()) return std::nullopt;
  // As the runtime prints it: Each[...] for Each[go.shape.int].
  const auto open = name->find('[');
  const auto close = name->rfind(']');
  if (open != std::string::npos && close != std::string::npos && open < close) {
    name->replace(open, close - open + 1, "[...]");
  }
  return name;
}

void GoTable::add_position(const ElfImage& image, const Function& function, std::uint64_t address,
                           GoFrame& frame) const {
  const auto file = pc_value(image, function, function.pc_file, address);
  const auto line = pc_value(image, function, function.pc_line, address);
  if (line && *line > 0) frame.line = static_cast<std::uint32_t>(*line);
  if (!file || *file < 0) return;
  const std::uint64_t slot = std::uint64_t{function.unit} + static_cast<std::uint32_t>(*file);
  const auto offset = image.read_value<std::uint32_t>(layout_.units + slot * 4);
  if (!offset || *offset == UINT32_MAX) return;
  frame.file = image.read_string(layout_.files + *offset);
  if (frame.file && frame.file->empty()) frame.file.reset();
}

std::vector<GoFrame> GoTable::lookup(const ElfImage& image, std::uint64_t address) const {
  std::vector<GoFrame> frames;
  const auto function = find(image, address);
  if (!function) return frames;
  std::uint64_t at = address;
  for (int depth = 0; depth < kMaxInlined; ++depth) {
    GoFrame frame;
    add_position(image, *function, at, frame);
    const std::int32_t index = pc_value(image, *function, function->inline_index, at).value_or(-1);
    if (index < 0) {
      frame.function = name_at(image, function->name);
      frames.push_back(std::move(frame));
      return frames;
    }
    const auto call = inlined_call(image, *function, index);
    if (call) frame.function = name_at(image, call->name);
    frames.push_back(std::move(frame));
    if (!call) break;
    at = function->entry + call->parent;
  }
  // The caller of what was inlined is not known, only the function that it all is in.
  frames.push_back({name_at(image, function->name), std::nullopt, std::nullopt});
  return frames;
}

}  // namespace connleak
