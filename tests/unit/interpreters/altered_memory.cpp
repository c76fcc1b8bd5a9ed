// SPDX-License-Identifier: Apache-2.0
#include "interpreters/altered_memory.hpp"

#include <algorithm>
#include <cstring>

namespace connleak::test {

bool CorruptMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  bytes_ += out.size();
  const bool there = honest_.read(address, out);
  if (random_() % often_ != 0 || out.empty()) return there;
  const auto how = random_() % 8;
  if (how == 0) return false;
  if (how == 1) {
    std::ranges::generate(out, [&] { return static_cast<std::byte>(random_()); });
    return true;
  }
  for (auto flips = 1 + random_() % 3; flips != 0; --flips) {
    out[random_() % out.size()] ^= static_cast<std::byte>(1U << random_() % 8);
  }
  return there;
}

bool CapturedMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  constexpr std::size_t kPage = 4096;
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t page = (address + done) & ~std::uint64_t{kPage - 1};
    auto& bytes = pages_[page];
    if (bytes.empty() && !closed_) {
      bytes.resize(kPage);
      if (!live_.read(page, bytes)) bytes.clear();
    }
    if (bytes.empty()) return false;
    const std::size_t in_page = address + done - page;
    const std::size_t size = std::min(kPage - in_page, out.size() - done);
    std::memcpy(out.data() + done, bytes.data() + in_page, size);
    done += size;
  }
  return true;
}

bool UnstartedMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  std::ranges::fill(out, std::byte{0});
  for (const MappedFile& file : files_) {
    if (file.image->read(address - file.bias, out) != 0) break;
  }
  return true;
}

}  // namespace connleak::test
