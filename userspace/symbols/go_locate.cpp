// SPDX-License-Identifier: Apache-2.0
// Finding Go's tables in a file that may have no sections and no symbols.
#include <algorithm>
#include <array>

#include "symbols/go_table.hpp"

namespace connleak {

namespace {

constexpr std::uint32_t kMagic116 = 0xfffffffa;
constexpr std::uint32_t kMagic118 = 0xfffffff0;
constexpr std::uint32_t kMagic120 = 0xfffffff1;
constexpr std::uint64_t kMaxSearch = std::uint64_t{512} << 20;  // bytes; the largest Go programs have some 200 MiB
constexpr std::size_t kChunk = 1 << 18;                         // words read at once

// moduledata of runtime/symtab.go in words, up to what is needed; the order is the linker's (cmd/link, symtab()).
constexpr std::size_t kNames = 1;
constexpr std::size_t kUnits = 4;
constexpr std::size_t kFiles = 7;
constexpr std::size_t kPcValues = 10;
constexpr std::size_t kFunctionTable = 13;
constexpr std::size_t kText = 22;
constexpr std::size_t kFunctionData118 = 38;
constexpr std::size_t kFunctionData120 = 40;  // two words more before it: the coverage counters
constexpr std::size_t kFunctionData127 = 43;  // three more: lengths and offsets beside the bounds of the types
constexpr std::size_t kTypes = 37;            // from 1.20 on; then their end, before which 1.27 has a length
constexpr std::size_t kWords = 44;

using Words = std::array<std::uint64_t, kWords>;

// Calls visit(address, word) for each aligned word of the segments that `wanted` takes, until it returns true.
template <class Wanted, class Visit>
void search_words(const ElfImage& image, Wanted&& wanted, Visit&& visit) {
  std::vector<std::uint64_t> chunk(kChunk);
  std::uint64_t searched = 0;
  for (const auto& segment : image.segments()) {
    if (!wanted(segment)) continue;
    const std::uint64_t lead = (8 - segment.address % 8) % 8;
    for (std::uint64_t done = lead; done < segment.file_size && searched < kMaxSearch;) {
      const std::size_t got = image.read(segment.address + done, std::as_writable_bytes(std::span(chunk)));
      if (got < 8) break;
      for (std::size_t i = 0; i < got / 8; ++i) {
        if (visit(segment.address + done + i * 8, chunk[i])) return;
      }
      done += got / 8 * 8;
      searched += got;
    }
  }
}

// pcHeader of runtime/symtab.go.
std::optional<GoLayout> read_header(const ElfImage& image, std::uint64_t address) {
  const auto start = image.read_value<std::uint64_t>(address);
  if (!start) return std::nullopt;
  GoLayout layout;
  switch (static_cast<std::uint32_t>(*start)) {
    case kMagic116:
      layout.version = GoTableVersion::go116;
      break;
    case kMagic118:
      layout.version = GoTableVersion::go118;
      break;
    case kMagic120:
      layout.version = GoTableVersion::go120;
      break;
    default:
      return std::nullopt;
  }
  const auto padding = static_cast<std::uint16_t>(*start >> 32);
  const auto quantum = static_cast<std::uint8_t>(*start >> 48);
  const auto pointer_size = static_cast<std::uint8_t>(*start >> 56);
  if (padding != 0 || (quantum != 1 && quantum != 2 && quantum != 4) || pointer_size != 8) return std::nullopt;

  std::array<std::uint64_t, 8> words{};
  const auto bytes = std::as_writable_bytes(std::span(words));
  if (image.read(address + 8, bytes) != bytes.size()) return std::nullopt;
  // Behind the counts of functions and files: from 1.18 the text address, unused since 1.26; then the offsets.
  const bool is_old = layout.version == GoTableVersion::go116;
  const auto offsets = std::span(words).subspan(is_old ? 2 : 3, 5);
  if (!std::ranges::is_sorted(offsets) || offsets.front() < 8 || offsets.back() > image.file_size()) {
    return std::nullopt;
  }
  layout.quantum = quantum;
  layout.functions = words[0];
  layout.header = address;
  layout.names = address + offsets[0];
  layout.units = address + offsets[1];
  layout.files = address + offsets[2];
  layout.pc_values = address + offsets[3];
  layout.function_table = address + offsets[4];
  layout.text = is_old ? 0 : words[2];
  if (layout.functions == 0 || layout.functions > image.file_size() / 8) return std::nullopt;
  return layout;
}

std::optional<GoLayout> find_header(const ElfImage& image) {
  for (const char* name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    if (const auto section = image.section(name)) {
      if (auto layout = read_header(image, section->address)) return layout;
    }
  }
  // To 1.25 other linkers put the table of a position-independent program among other constants.
  const bool is_hidden = image.section(".go.buildinfo") && image.section(".data.rel.ro");
  if (image.has_sections() && !is_hidden) return std::nullopt;
  std::optional<GoLayout> found;
  search_words(
      image, [&](const auto& segment) { return !image.has_sections() || segment.writable; },
      [&](std::uint64_t address, std::uint64_t word) {
        const auto magic = static_cast<std::uint32_t>(word);
        if (magic != kMagic120 && magic != kMagic118 && magic != kMagic116) return false;
        found = read_header(image, address);
        return found.has_value();
      });
  return found;
}

// A position-independent file keeps pointers in relocations, not in place.
std::optional<Words> read_words(const ElfImage& image, std::uint64_t address) {
  Words words{};
  const auto bytes = std::as_writable_bytes(std::span(words));
  if (image.read(address, bytes) != bytes.size()) return std::nullopt;
  image.for_each_relative_relocation([&](std::uint64_t at, std::uint64_t value) {
    if (at >= address && at - address < sizeof(Words) && (at - address) % 8 == 0)
      words[(at - address) / 8] = value;
    return true;
  });
  return words;
}

std::size_t function_data_of(GoTableVersion version, const Words& words) {
  if (version == GoTableVersion::go118) return kFunctionData118;
  // The types' start is followed from 1.27 on by a length within them and by their end; before by their end and by
  // the start of the section in which they lie.
  const bool is_127 =
      words[kTypes + 1] <= words[kTypes + 2] && words[kTypes] <= words[kTypes + 2] - words[kTypes + 1];
  return is_127 ? kFunctionData127 : kFunctionData120;
}

// Fills in what only moduledata knows, when the words at the address are it.
bool take_module_data(const ElfImage& image, std::uint64_t address, GoLayout& layout) {
  const auto words = read_words(image, address);
  if (!words || (*words)[0] != layout.header || (*words)[kNames] != layout.names ||
      (*words)[kUnits] != layout.units || (*words)[kFiles] != layout.files ||
      (*words)[kPcValues] != layout.pc_values || (*words)[kFunctionTable] != layout.function_table) {
    return false;
  }
  if (layout.version == GoTableVersion::go116) return true;
  if (!image.is_code((*words)[kText])) return false;
  layout.text = (*words)[kText];
  const std::uint64_t data = (*words)[function_data_of(layout.version, *words)];
  if (image.offset_of_address(data) && !image.is_code(data)) layout.function_data = data;
  return true;
}

bool find_module_data(const ElfImage& image, GoLayout& layout) {
  if (const auto section = image.section(".go.module")) {  // 1.26
    if (take_module_data(image, section->address, layout)) return true;
  }
  std::vector<std::uint64_t> candidates;
  constexpr std::size_t kMaxCandidates = 16;  // each costs a walk over the relocations
  image.for_each_relative_relocation([&](std::uint64_t at, std::uint64_t value) {
    if (value == layout.header) candidates.push_back(at);
    return candidates.size() < kMaxCandidates;
  });
  search_words(
      image, [](const auto& segment) { return segment.writable; },
      [&](std::uint64_t address, std::uint64_t word) {
        if (word == layout.header) candidates.push_back(address);
        return candidates.size() >= 2 * kMaxCandidates;
      });
  return std::ranges::any_of(candidates, [&](std::uint64_t at) { return take_module_data(image, at, layout); });
}

}  // namespace

std::optional<GoLayout> find_go_layout(const ElfImage& image) {
  if (!image.is_64_bit_little_endian()) return std::nullopt;
  auto layout = find_header(image);
  if (!layout) return std::nullopt;
  find_module_data(image, *layout);
  // Entries must lie in code, or every answer would be wrong.
  if (layout->version == GoTableVersion::go116) {
    const auto entry = image.read_value<std::uint64_t>(layout->function_table);
    if (!entry || !image.is_code(*entry)) return std::nullopt;
  } else if (layout->text == 0 || !image.is_code(layout->text)) {
    return std::nullopt;
  }
  return layout;
}

}  // namespace connleak
