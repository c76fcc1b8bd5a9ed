// SPDX-License-Identifier: Apache-2.0
// What the Go toolchain writes into every program: its own version and the modules that were linked.
//
// Format: Go's debug/buildinfo and runtime/debug/mod.go, as of Go 1.18. It survives stripping.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/elf_image.hpp"

namespace connleak {

struct GoModule {
  std::string path;
  std::string version;   // "v5.7.1"; "(devel)" of the main module; "" of a directory
  std::string replaces;  // the path that the sources import, where this module was put in its place
};

struct GoBuildInfo {
  std::string version;  // of the toolchain: "go1.26.8"
  GoModule main;        // "" where it was built without modules
  std::vector<GoModule> modules;

  // What stands for the import path; nullptr: not linked.
  [[nodiscard]] const GoModule* module(std::string_view path) const;
};

// By section, else by its magic number in the first MiB of a writable segment. nullopt: not a Go program, or one
// that was built before 1.18.
[[nodiscard]] std::optional<GoBuildInfo> read_go_build_info(const ElfImage& image);

}  // namespace connleak
