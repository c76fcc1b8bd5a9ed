// SPDX-License-Identifier: Apache-2.0
// Linker names to source names.
#pragma once

#include <string>

#include "symbols/frame.hpp"

namespace connleak {

struct DemangledName {
  std::string name;
  Language language = Language::native;  // rust where the mangling says so
};

// C++ (Itanium), Rust legacy (the hash is cut off) and, where libiberty was found at build time, Rust v0. A name
// that is not mangled, too long or grows beyond a few KiB when demangled is returned as it came.
[[nodiscard]] DemangledName demangle(const std::string& linker_name);

}  // namespace connleak
