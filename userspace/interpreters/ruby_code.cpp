// SPDX-License-Identifier: Apache-2.0
#include "interpreters/ruby_code.hpp"

#include <array>
#include <bit>
#include <optional>
#include <string>
#include <utility>

#include "interpreters/script_text.hpp"
#include "symbols/script_frame.hpp"

namespace connleak {

namespace {

// RBasic.flags
constexpr std::uint64_t kTypeMask = 0x1F;
constexpr std::uint64_t kString = 5;
constexpr std::uint64_t kArray = 7;
constexpr std::uint64_t kImemo = 0x1A;
constexpr unsigned kUserShift = 12;  // FL_USHIFT; the kind of an imemo is there
constexpr std::uint64_t kImemoIseq = 7;
constexpr std::uint64_t kFlag1 = std::uint64_t{1}
                                 << (kUserShift + 1);  // a string is elsewhere, an array is in here

// rb_iseq_struct, rb_iseq_constant_body
constexpr std::uint32_t kBody = 16;
constexpr std::uint32_t kPathObject = 64;
constexpr std::uint32_t kLabel = 80;
struct Body {
  std::uint32_t type;
  std::uint32_t size;  // words
  std::uint64_t encoded;
};
// iseq_insn_info
struct Lines {
  std::uint64_t entries;
  std::uint64_t positions;
  std::uint32_t count;
  std::uint32_t padding;
  std::uint64_t index;  // succ_index_table
};
// A program's biggest method has some thousand words; what has more than this is none.
constexpr std::uint32_t kMaxWords = 1U << 24;

std::optional<std::uint64_t> flags_of(const Memory& memory, std::uint64_t object, std::uint64_t type) {
  if (object == 0 || object % 8 != 0) return std::nullopt;
  const auto flags = memory.value<std::uint64_t>(object);
  if (!flags || (*flags & kTypeMask) != type) return std::nullopt;
  return flags;
}

std::optional<std::string> read_string(const RubyVersion& version, const Memory& memory, std::uint64_t object) {
  const auto flags = flags_of(memory, object, kString);
  if (!flags) return std::nullopt;
  const bool elsewhere = (*flags & kFlag1) != 0;
  auto length = memory.value<std::uint64_t>(object + 16);
  std::optional<std::uint64_t> text = object + version.short_text;
  if (elsewhere) {
    text = memory.value<std::uint64_t>(object + 24);
  } else if (version.short_text == 16) {
    length = (*flags >> (kUserShift + 2)) & 0x1F;
  }
  if (!length || !text) return std::nullopt;
  return read_script_text(memory, *text, *length);
}

// A string, or an array of the path as the script was asked for and the real one.
std::optional<std::string> read_path(const RubyVersion& version, const Memory& memory, std::uint64_t object) {
  const auto flags = flags_of(memory, object, kArray);
  if (!flags) return read_string(version, memory, object);
  std::optional<std::uint64_t> values = object + 16;
  if ((*flags & kFlag1) == 0) values = memory.value<std::uint64_t>(object + 32);
  const auto both = values ? memory.value<std::array<std::uint64_t, 2>>(*values) : std::nullopt;
  if (!both) return std::nullopt;
  auto path = read_string(version, memory, (*both)[0]);
  if (!path || path->starts_with('/')) return path;
  // Relative to a directory that the process may have left. Code that is no file's has nil.
  auto real = read_string(version, memory, (*both)[1]);
  return real && real->starts_with('/') ? real : path;
}

// Which entry of the lines the instruction belongs to, from 1: how many of them begin at it or before.
// succ_index_lookup() of iseq.c: a bit for each word, with counts of what lies before; the first 54 have counts
// alone.
std::optional<std::uint64_t> entry_of(const Memory& memory, std::uint64_t index, std::uint64_t word) {
  constexpr std::uint64_t kDirect = 54;
  constexpr std::uint64_t kDirectBytes = kDirect / 9 * 8;
  if (word < kDirect) {
    const auto part = memory.value<std::uint64_t>(index + word / 9 * 8);
    if (!part) return std::nullopt;
    return (*part >> (word % 9 * 7)) & 0x7F;
  }
  struct Block {
    std::uint32_t before;
    std::uint32_t padding;
    std::uint64_t before_each;  // of its words but the first, 9 bits each
    std::array<std::uint64_t, 8> bits;
  };
  const auto block = memory.value<Block>(index + kDirectBytes + (word - kDirect) / 512 * sizeof(Block));
  if (!block) return std::nullopt;
  const std::uint64_t bit = (word - kDirect) % 512;
  const std::uint64_t part = bit / 64;
  const std::uint64_t before = part == 0 ? 0 : (block->before_each >> ((part - 1) * 9)) & 0x1FF;
  return block->before + before + static_cast<unsigned>(std::popcount(block->bits[part] << (63 - bit % 64)));
}

std::optional<std::uint32_t> line_of(const RubyVersion& version, const Memory& memory, std::uint64_t body,
                                     std::uint64_t word) {
  const auto lines = memory.value<Lines>(body + version.lines);
  if (!lines || lines->entries == 0 || lines->count == 0) return std::nullopt;
  std::optional<std::uint64_t> entry = 1;
  if (lines->count > 1) entry = lines->index == 0 ? std::nullopt : entry_of(memory, lines->index, word);
  if (!entry || *entry == 0 || *entry > lines->count) return std::nullopt;
  const auto line = memory.value<std::int32_t>(lines->entries + (*entry - 1) * version.line_size);
  if (!line || *line <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(*line);
}

}  // namespace

NamedFrame ruby_frame(const RubyVersion& version, const Memory& memory, const script_frame& frame) {
  NamedFrame named;
  if (frame.code == 0 || frame.place == 0) {
    named.kind = NamedFrame::Kind::own;  // of C, or between C and Ruby
    return named;
  }
  const auto flags = flags_of(memory, frame.code, kImemo);
  const auto address = memory.value<std::uint64_t>(frame.code + kBody);
  if (!flags || ((*flags >> kUserShift) & 0xF) != kImemoIseq || !address) return named;
  const auto body = memory.value<Body>(*address);
  if (!body || body->size > kMaxWords) return named;
  const std::uint64_t bytes = frame.place - body->encoded;
  // Outside: the code is gone, and something else is here now. At the end: the last instruction is being run.
  if (bytes > std::uint64_t{body->size} * 8 || bytes % 8 != 0) return named;
  if (bytes == 0) {
    named.kind = NamedFrame::Kind::own;  // below the first one: Init_VM gives it code that it never runs
    return named;
  }
  const auto label = memory.value<std::uint64_t>(*address + kLabel);
  const auto path = memory.value<std::uint64_t>(*address + kPathObject);
  auto function = label ? read_string(version, memory, *label) : std::nullopt;
  auto file = path ? read_path(version, memory, *path) : std::nullopt;
  if (!function || !file) return named;
  if (file->starts_with("<internal:")) {
    named.kind = NamedFrame::Kind::own;
    return named;
  }
  // The place is behind the instruction that calls.
  const auto line = line_of(version, memory, *address, bytes / 8 - 1);
  named.frame = script_frame_of(Language::ruby, std::move(function), std::move(file), line);
  named.kind = NamedFrame::Kind::script;
  return named;
}

}  // namespace connleak
