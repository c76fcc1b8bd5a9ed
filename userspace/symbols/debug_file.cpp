// SPDX-License-Identifier: Apache-2.0
// Search for separate debug information.
#include "symbols/debug_file.hpp"

#include <fmt/core.h>

#include <array>
#include <vector>

namespace connleak {

namespace {

// Reading all of a file for its checksum: at some 400 MB/s this is the longest wait that is worth it.
constexpr std::uint64_t kMaxChecksummed = std::uint64_t{256} << 20;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xedb88320U ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}

// The checksum of .gnu_debuglink: CRC-32 as in zlib.
std::uint32_t checksum(const ElfImage& image) {
  static constexpr auto kTable = make_crc_table();
  std::vector<std::byte> chunk(1 << 18);
  std::uint32_t crc = UINT32_MAX;
  for (std::uint64_t at = 0;;) {
    const std::size_t got = image.read_at_offset(at, chunk);
    if (got == 0) return ~crc;
    for (std::size_t i = 0; i < got; ++i) {
      crc = kTable[(crc ^ static_cast<std::uint8_t>(chunk[i])) & 0xff] ^ (crc >> 8);
    }
    at += got;
  }
}

bool belongs(const ElfImage& debug, const ElfImage& image, const ElfImage::DebugLink* link) {
  if (!debug.section(".debug_info")) return false;
  if (!debug.build_id().empty() && !image.build_id().empty()) return debug.build_id() == image.build_id();
  return link != nullptr && debug.file_size() <= kMaxChecksummed && checksum(debug) == link->crc;
}

}  // namespace

Fd find_debug_file(const ElfImage& image, const std::string& module_path, const FileOpener& open) {
  constexpr const char* kRoot = "/usr/lib/debug";
  std::vector<std::string> candidates;
  if (!image.build_id().empty()) {
    std::string digits;
    for (const char c : image.build_id()) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    candidates.push_back(fmt::format("{}/.build-id/{}/{}.debug", kRoot, digits.substr(0, 2), digits.substr(2)));
  }
  const auto link = image.debug_link();
  if (const auto slash = module_path.rfind('/'); link && slash != std::string::npos) {
    const std::string directory = module_path.substr(0, slash);
    candidates.push_back(fmt::format("{}/{}", directory, link->name));
    candidates.push_back(fmt::format("{}/.debug/{}", directory, link->name));
    candidates.push_back(fmt::format("{}{}/{}", kRoot, directory, link->name));
  }
  for (const auto& path : candidates) {
    Fd file = open(path);
    if (!file) continue;
    const auto debug = ElfImage::open(file.get());
    if (debug && belongs(*debug, image, link ? &*link : nullptr)) return file;
  }
  return Fd();
}

}  // namespace connleak
