// SPDX-License-Identifier: Apache-2.0
#include "interpreters/interpreter_file.hpp"

#include <algorithm>
#include <span>

namespace connleak {

namespace {

// Of the constants; PHP has half a megabyte, with every extension built in some ten.
constexpr std::size_t kMaxConstants = std::size_t{32} << 20;

std::optional<ElfVariable> variable_in(const MappedFile& file, const ElfImage* image, SymbolTable table,
                                       std::string_view name) {
  auto found = image != nullptr ? find_variable(*image, table, name) : std::nullopt;
  if (found) found->address += file.bias;
  return found;
}

}  // namespace

std::optional<ElfVariable> find_exported_variable(const MappedFile& file, std::string_view name) {
  return variable_in(file, file.image, SymbolTable::exported, name);
}

std::optional<ElfVariable> find_variable(const MappedFile& file, std::string_view name) {
  auto found = find_exported_variable(file, name);
  if (!found) found = variable_in(file, file.image, SymbolTable::all, name);
  return found ? found : variable_in(file, file.debug, SymbolTable::all, name);
}

std::string_view file_name(const MappedFile& file) {
  return std::string_view(file.path).substr(file.path.rfind('/') + 1);  // npos + 1 is 0
}

bool is_readable(const MappedFile& file) { return file.image != nullptr && file.image->is_64_bit_little_endian(); }

std::optional<std::string> version_in_constants(const ElfImage& image, std::string_view prefix) {
  const auto section = image.section(".rodata");
  if (!section || !section->in_file) return std::nullopt;
  constexpr std::size_t kPart = std::size_t{1} << 20;
  // Parts overlap by more than the longest version, so that none is cut in two.
  constexpr std::size_t kOverlap = 256;
  const std::uint64_t size = std::min<std::uint64_t>(section->size, kMaxConstants);
  std::string part;
  for (std::uint64_t done = 0; done < size; done += kPart - kOverlap) {
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPart, size - done)));
    const auto got = image.read_at_offset(section->offset + done, std::as_writable_bytes(std::span(part)));
    const std::string_view text(part.data(), got);
    const auto at = text.find(prefix);
    if (at != std::string_view::npos) {
      const std::string_view rest = text.substr(at + prefix.size(), 16);
      return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
    }
    if (got != part.size()) break;
  }
  return std::nullopt;
}

std::string_view minor_version(std::string_view version) {
  return version.substr(0, version.find('.', version.find('.') + 1));
}

}  // namespace connleak
