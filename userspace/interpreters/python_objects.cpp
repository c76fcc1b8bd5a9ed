// SPDX-License-Identifier: Apache-2.0
#include "interpreters/python_objects.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "interpreters/script_text.hpp"

namespace connleak {

namespace {

// The start of an object. What lies behind what was read is 0.
class Header {
 public:
  static std::optional<Header> read(const Memory& memory, std::uint64_t address, std::size_t size) {
    Header header;
    header.size_ = std::min(size, kPythonHeader);
    if (!memory.read(address, std::span(header.bytes_).first(header.size_))) return std::nullopt;
    return header;
  }
  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    T value{};
    if (offset <= size_ && size_ - offset >= sizeof value)
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  // FNV-1a-64.
  [[nodiscard]] std::uint64_t hash(std::size_t from, std::size_t to) const {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t i = from; i < std::min(to, size_); ++i) {
      hash = (hash ^ std::to_integer<std::uint64_t>(bytes_[i])) * 0x100000001b3;
    }
    return hash;
  }

 private:
  std::array<std::byte, kPythonHeader> bytes_;
  std::size_t size_ = 0;
};

// `width`: bytes of a character; `ascii`: none may be above 0x7f.
std::optional<std::string> decode(std::span<const std::byte> characters, std::size_t width, bool ascii) {
  std::string text;
  for (std::size_t at = 0; at + width <= characters.size(); at += width) {
    std::uint32_t code_point = 0;
    std::memcpy(&code_point, characters.data() + at, width);
    if ((ascii && code_point > 0x7f) || code_point == 0 || !append_utf8(text, code_point)) return std::nullopt;
  }
  return text;
}

}  // namespace

bool PythonObjects::is(const Memory& memory, std::uint64_t type, Type& known) const {
  if (type == 0) return false;
  if (type == known.address) return true;
  const auto name = memory.value<std::uint64_t>(type + layout_.type_name);
  std::array<char, 16> text{};
  const std::size_t size = known.name.size() + 1;
  if (!name || !memory.read(*name, std::as_writable_bytes(std::span(text)).first(size))) return false;
  if (std::string_view(text.data(), size) != std::string_view(known.name.data(), size)) return false;
  known.address = type;
  return true;
}

std::optional<PythonCode> PythonObjects::code(const Memory& memory, std::uint64_t address) {
  const bool inside = layout_.minor >= 11;
  const std::size_t fixed_end = layout_.code_lines + 8;
  const auto header = Header::read(memory, address, inside ? layout_.code_bytes : fixed_end);
  if (!header || !is(memory, header->at<std::uint64_t>(layout_.object_type), code_)) return std::nullopt;
  PythonCode code;
  // All but the count of references, which is in front, is set once; from 3.12 on a number of its own is in it.
  code.stamp = header->hash(layout_.object_type, fixed_end);
  code.name = header->at<std::uint64_t>(layout_.code_name);
  code.file = header->at<std::uint64_t>(layout_.code_file);
  code.lines = header->at<std::uint64_t>(layout_.code_lines);
  code.first_line = header->at<std::int32_t>(layout_.code_first_line);
  if (!inside) {
    code.bytes = header->at<std::uint64_t>(layout_.code_bytes);
    return code;
  }
  code.bytes = address + layout_.code_bytes;
  code.units = header->at<std::uint64_t>(layout_.object_size);
  code.first_trace = header->at<std::int32_t>(layout_.code_first_trace);
  if (layout_.code_copies != 0) code.copies = header->at<std::uint64_t>(layout_.code_copies);
  return code;
}

bool PythonObjects::is_none(const Memory& memory, std::uint64_t address) {
  const auto type = memory.value<std::uint64_t>(address + layout_.object_type);
  return type && is(memory, *type, none_);
}

std::optional<std::string> PythonObjects::text(const Memory& memory, std::uint64_t address, std::uint64_t limit) {
  const auto header = Header::read(memory, address, layout_.text_ascii);
  if (!header || !is(memory, header->at<std::uint64_t>(layout_.object_type), text_)) return std::nullopt;
  const auto length = header->at<std::uint64_t>(layout_.text_length);
  const std::uint32_t state = header->at<std::uint32_t>(layout_.text_state) >> layout_.text_kind;
  const std::uint32_t width = state & 7;
  const bool compact = (state & 8) != 0;
  const bool ascii = (state & 16) != 0;
  if (length == 0 || length > limit || !compact || (width != 1 && width != 2 && width != 4)) return std::nullopt;
  if (ascii && width != 1) return std::nullopt;
  std::vector<std::byte> characters(length * width);
  if (!memory.read(address + (ascii ? layout_.text_ascii : layout_.text_wide), characters)) return std::nullopt;
  return decode(characters, width, ascii);
}

std::optional<std::uint64_t> PythonObjects::bytes_size(const Memory& memory, std::uint64_t address) {
  const auto header = Header::read(memory, address, layout_.object_size + 8);
  if (!header || !is(memory, header->at<std::uint64_t>(layout_.object_type), bytes_)) return std::nullopt;
  return header->at<std::uint64_t>(layout_.object_size);
}

std::optional<std::vector<std::byte>> PythonObjects::bytes(const Memory& memory, std::uint64_t address,
                                                           std::uint64_t limit) {
  const auto size = bytes_size(memory, address);
  if (!size) return std::nullopt;
  std::vector<std::byte> found;
  if (*size > limit) return found;
  found.resize(*size);
  return memory.read(address + layout_.bytes_data, found) ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace connleak
