// SPDX-License-Identifier: Apache-2.0
#include "unwind/frame_table.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "unwind/cursor.hpp"

namespace connleak {

namespace {

constexpr std::size_t kUsualEntry = 512;
// The largest functions of generated code have some 100 KiB.
constexpr std::uint32_t kMaxEntry = 1 << 20;
// Without a table to search; programs of 100 MB have some 10 MB of it.
constexpr std::uint64_t kMaxScan = std::uint64_t{64} << 20;
constexpr std::size_t kMaxIndex = 1 << 20;

// A length of four bytes, then as much. Empty: the end, or nothing that is read.
std::vector<std::byte> read_entry(const ElfImage& image, std::uint64_t at) {
  std::vector<std::byte> bytes(kUsualEntry);
  bytes.resize(image.read(at, bytes));
  const auto length = Cursor(bytes).number<std::uint32_t>();
  if (length < 4 || length > kMaxEntry) return {};
  const std::size_t size = sizeof length + length;
  const std::size_t known = std::min(bytes.size(), size);
  bytes.resize(size);
  if (known < size && image.read(at + known, std::span(bytes).subspan(known)) != size - known) return {};
  return bytes;
}

// An address in one of the encodings DW_EH_PE_*. `address`: of the first byte that the cursor reads.
std::optional<std::uint64_t> pointer(Cursor& cursor, std::uint8_t encoding, std::uint64_t address) {
  const std::uint64_t own = address + cursor.position();
  std::uint64_t value = 0;
  switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
      value = cursor.number<std::uint64_t>();
      break;
    case DW_EH_PE_udata4:
      value = cursor.number<std::uint32_t>();
      break;
    case DW_EH_PE_sdata4:
      value = static_cast<std::uint64_t>(std::int64_t{cursor.number<std::int32_t>()});
      break;
    case DW_EH_PE_udata2:
      value = cursor.number<std::uint16_t>();
      break;
    case DW_EH_PE_sdata2:
      value = static_cast<std::uint64_t>(std::int64_t{cursor.number<std::int16_t>()});
      break;
    case DW_EH_PE_uleb128:
      value = cursor.unsigned_leb();
      break;
    case DW_EH_PE_sleb128:
      value = static_cast<std::uint64_t>(cursor.signed_leb());
      break;
    default:
      return std::nullopt;
  }
  if (!cursor.is_good()) return std::nullopt;
  switch (encoding & 0xf0) {
    case 0:
      return value;
    case DW_EH_PE_pcrel:
      return value + own;
    default:
      return std::nullopt;
  }
}

// What an entry has in common with others (a CIE).
struct Common {
  std::uint64_t code_factor = 1;
  std::int64_t data_factor = 1;
  std::uint64_t return_address = 0;
  std::uint8_t encoding = DW_EH_PE_absptr;
  bool has_sizes = false;
  bool is_signal_frame = false;
  std::size_t program = 0;  // where it begins
};

bool read_augmentation(std::string_view letters, Cursor cursor, Common& common) {
  for (const char letter : letters) {
    switch (letter) {
      case 'R':
        common.encoding = cursor.number<std::uint8_t>();
        break;
      case 'P': {
        // Of no use here, but others may follow. What matters is its size.
        const auto encoding = cursor.number<std::uint8_t>();
        if (!pointer(cursor, encoding & 0x0f, 0)) return false;
        break;
      }
      case 'L':
        cursor.number<std::uint8_t>();
        break;
      case 'S':
        common.is_signal_frame = true;
        break;
      case 'B':  // of arm64
        break;
      default:
        return false;
    }
  }
  return cursor.is_good();
}

std::optional<Common> read_common(std::span<const std::byte> entry) {
  Cursor cursor(entry);
  cursor.number<std::uint32_t>();
  if (cursor.number<std::uint32_t>() != 0) return std::nullopt;
  const auto version = cursor.number<std::uint8_t>();
  if (version != 1 && version != 3 && version != 4) return std::nullopt;
  constexpr std::size_t kMaxLetters = 8;
  std::string_view letters(reinterpret_cast<const char*>(entry.data()) + cursor.position(), cursor.left());
  letters = letters.substr(0, letters.find('\0'));
  if (letters.size() > kMaxLetters) return std::nullopt;
  cursor.take(letters.size() + 1);
  if (version == 4) cursor.take(2);  // sizes of an address and of a segment selector
  Common common;
  common.code_factor = cursor.unsigned_leb();
  common.data_factor = cursor.signed_leb();
  common.return_address = version == 1 ? cursor.number<std::uint8_t>() : cursor.unsigned_leb();
  if (letters.starts_with('z')) {
    common.has_sizes = true;
    const auto augmentation = cursor.take(cursor.unsigned_leb());
    if (!read_augmentation(letters.substr(1), Cursor(augmentation), common)) return std::nullopt;
  } else if (!letters.empty()) {
    return std::nullopt;
  }
  if (!cursor.is_good()) return std::nullopt;
  common.program = cursor.position();
  return common;
}

struct Range {
  std::uint64_t start = 0, size = 0;
};

// `cursor` stands behind the offset of the common part.
std::optional<Range> read_range(Cursor& cursor, const Common& common, std::uint64_t at) {
  const auto start = pointer(cursor, common.encoding, at);
  const auto size = pointer(cursor, common.encoding & 0x0f, at);
  if (!start || !size) return std::nullopt;
  return Range{*start, *size};
}

}  // namespace

FrameTable::FrameTable(const ElfImage& image) : image_(image) {
  constexpr std::uint16_t kX86_64 = 62;  // EM_X86_64
  if (!image.is_64_bit_little_endian() || image.machine() != kX86_64) return;
  if (image.frame_header() && read_header(*image.frame_header())) return;
  if (const auto section = image.section(".eh_frame"); section && section->in_file)
    scan(section->address, section->size);
}

// False: no table in it that can be searched.
bool FrameTable::read_header(std::uint64_t address) {
  std::array<std::byte, 32> bytes{};
  const std::size_t size = image_.read(address, bytes);
  Cursor cursor{std::span<const std::byte>(bytes).first(size)};
  const auto version = cursor.number<std::uint8_t>();
  const auto frames_encoding = cursor.number<std::uint8_t>();
  const auto count_encoding = cursor.number<std::uint8_t>();
  const auto table_encoding = cursor.number<std::uint8_t>();
  if (version != 1 || count_encoding == DW_EH_PE_omit || table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
    return false;
  const auto frames = pointer(cursor, frames_encoding, address);
  const auto count = pointer(cursor, count_encoding, address);
  if (!frames || !count || *count == 0) return false;
  header_ = address;
  table_ = address + cursor.position();
  count_ = *count;
  return true;
}

void FrameTable::scan(std::uint64_t from, std::uint64_t size) {
  if (size > kMaxScan) return;
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  bytes.resize(image_.read(from, bytes));
  std::map<std::size_t, std::optional<Common>> commons;
  for (std::size_t at = 0; at + 8 <= bytes.size() && index_.size() < kMaxIndex;) {
    const auto length = Cursor(std::span(bytes).subspan(at)).number<std::uint32_t>();
    if (length < 4 || length > bytes.size() - at - 4) break;
    const auto entry = std::span(bytes).subspan(at, length + 4);
    Cursor cursor(entry.subspan(4));
    const auto back = cursor.number<std::uint32_t>();
    if (back != 0 && back <= at + 4) {
      const std::size_t common_at = at + 4 - back;
      auto [common, is_new] = commons.try_emplace(common_at);
      if (is_new) {
        const auto rest = std::span(bytes).subspan(common_at);
        const auto common_length = Cursor(rest).number<std::uint32_t>();
        if (common_length <= kMaxEntry && common_length + 4 <= rest.size())
          common->second = read_common(rest.first(common_length + 4));
      }
      if (common->second) {
        if (const auto range = read_range(cursor, *common->second, from + at + 4))
          index_.emplace_back(range->start, from + at);
      }
    }
    at += length + 4;
  }
  std::ranges::sort(index_);
  index_.shrink_to_fit();
}

std::optional<std::uint64_t> FrameTable::entry_for(std::uint64_t address) const {
  if (count_ == 0) {
    const auto next = std::ranges::upper_bound(index_, address, {}, [](const auto& entry) { return entry.first; });
    if (next == index_.begin()) return std::nullopt;
    return std::prev(next)->second;
  }
  const auto relative = [&](std::int32_t offset) {
    return header_ + static_cast<std::uint64_t>(std::int64_t{offset});
  };
  std::optional<std::uint64_t> found;
  for (std::uint64_t low = 0, high = count_; low < high;) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto row = image_.read_value<std::array<std::int32_t, 2>>(table_ + middle * 8);
    if (!row) return std::nullopt;
    if (relative((*row)[0]) <= address) {
      found = relative((*row)[1]);
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return found;
}

std::optional<FrameEntry> FrameTable::read(std::uint64_t at) const {
  const auto bytes = read_entry(image_, at);
  if (bytes.empty()) return std::nullopt;
  Cursor cursor{std::span<const std::byte>(bytes).subspan(4)};
  const auto back = cursor.number<std::uint32_t>();
  if (back == 0) return std::nullopt;
  FrameEntry entry;
  entry.bytes = read_entry(image_, at + 4 - back);
  if (entry.bytes.empty()) return std::nullopt;
  const auto common = read_common(entry.bytes);
  if (!common) return std::nullopt;
  const auto range = read_range(cursor, *common, at + 4);
  if (!range) return std::nullopt;
  if (common->has_sizes) cursor.take(cursor.unsigned_leb());
  if (!cursor.is_good()) return std::nullopt;
  entry.start = range->start;
  entry.size = range->size;
  entry.code_factor = common->code_factor;
  entry.data_factor = common->data_factor;
  entry.return_address = common->return_address;
  entry.is_signal_frame = common->is_signal_frame;
  entry.common_begin = common->program;
  entry.common_end = entry.bytes.size();
  entry.own_begin = entry.bytes.size() + 4 + cursor.position();
  entry.bytes.insert(entry.bytes.end(), bytes.begin(), bytes.end());
  return entry;
}

std::optional<FrameEntry> FrameTable::find(std::uint64_t address) const {
  const auto at = entry_for(address);
  auto entry = at ? read(*at) : std::nullopt;
  if (!entry || address < entry->start || address - entry->start >= entry->size) return std::nullopt;
  return entry;
}

}  // namespace connleak
