// SPDX-License-Identifier: Apache-2.0
#include "symbols/go_build_info.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace connleak {

namespace {

constexpr std::string_view kMagic = "\xff Go buildinf:";
constexpr std::size_t kMaxInfo = 1 << 20;  // bytes; a thousand modules take 150 KB
constexpr std::size_t kMaxModules = 16'384;

std::string read_bytes(const ElfImage& image, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(std::min<std::uint64_t>(size, kMaxInfo), '\0');
  bytes.resize(image.read_at_offset(offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

// From the magic number on; "" where it is not found. The linker aligns it to 16 bytes.
std::string find_bytes(const ElfImage& image) {
  if (const auto section = image.section(".go.buildinfo")) {
    std::string bytes = section->in_file ? read_bytes(image, section->offset, section->size) : "";
    return bytes.starts_with(kMagic) ? bytes : "";
  }
  if (image.has_sections()) return {};
  for (const auto& segment : image.segments()) {
    if (!segment.writable) continue;
    const std::string bytes = read_bytes(image, segment.offset, segment.file_size);
    for (auto at = bytes.find(kMagic); at != std::string::npos; at = bytes.find(kMagic, at + 1))
      if ((segment.address + at) % 16 == 0) return bytes.substr(at);
  }
  return {};
}

std::optional<std::uint64_t> read_uvarint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> read_string(std::string_view bytes, std::size_t& at) {
  const auto size = read_uvarint(bytes, at);
  if (!size || *size > bytes.size() - at) return std::nullopt;
  at += *size;
  return bytes.substr(at - *size, *size);
}

// Cuts off what stands before the next `end`, and that.
std::string_view take(std::string_view& text, char end) {
  const auto size = std::min(text.find(end), text.size());
  const auto taken = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return taken;
}

// "KIND\tPATH\tVERSION\tSUM"; a line "=>" replaces the module of the line before it.
void read_modules(std::string_view lines, GoBuildInfo& info) {
  GoModule* last = nullptr;
  while (!lines.empty() && info.modules.size() < kMaxModules) {
    std::string_view line = take(lines, '\n');
    const auto kind = take(line, '\t');
    if (kind != "mod" && kind != "dep" && kind != "=>") continue;
    const std::string path(take(line, '\t'));
    const std::string version(take(line, '\t'));
    if (kind == "=>") {
      if (last != nullptr) *last = {path, version, last->path};
      last = nullptr;
      continue;
    }
    last = kind == "mod" ? &info.main : &info.modules.emplace_back();
    *last = {path, version, {}};
  }
}

}  // namespace

const GoModule* GoBuildInfo::module(std::string_view path) const {
  const auto found = std::ranges::find_if(modules, [&](const GoModule& module) {
    return (module.replaces.empty() ? module.path : module.replaces) == path;
  });
  return found == modules.end() ? nullptr : &*found;
}

// 14 bytes of magic, pointer size, flags; with flag 2 (from 1.18) two strings follow at 32, each with its length
// before it: the version, and the modules between two marks of 16 bytes.
std::optional<GoBuildInfo> read_go_build_info(const ElfImage& image) {
  const std::string bytes = find_bytes(image);
  if (bytes.size() < 33 || (bytes[15] & 2) == 0) return std::nullopt;
  std::size_t at = 32;
  const auto version = read_string(bytes, at);
  if (!version) return std::nullopt;
  GoBuildInfo info;
  info.version = *version;
  if (auto modules = read_string(bytes, at); modules && modules->size() >= 32)
    read_modules(modules->substr(16, modules->size() - 32), info);
  return info;
}

}  // namespace connleak
