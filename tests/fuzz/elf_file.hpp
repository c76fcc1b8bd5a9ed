// SPDX-License-Identifier: Apache-2.0
// Files that exist in memory only, and the programs that the build made to start from.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace connleak::test {

inline Fd file_of(std::span<const std::uint8_t> bytes) {
  Fd file(::memfd_create("fuzz", MFD_CLOEXEC));
  if (!file || ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  return file;
}

inline std::vector<std::uint8_t> seed_file(const std::string& name) {
  std::ifstream in(std::string(CONNLEAK_FUZZ_SEEDS) + "/" + name, std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.empty()) std::abort();
  return bytes;
}

}  // namespace connleak::test
