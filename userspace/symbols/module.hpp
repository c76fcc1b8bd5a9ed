// SPDX-License-Identifier: Apache-2.0
// One mapped file, kept open, and everything that is known about addresses in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "symbols/application.hpp"
#include "symbols/debug_file.hpp"
#include "symbols/dwarf_lines.hpp"
#include "symbols/elf_image.hpp"
#include "symbols/elf_symbols.hpp"
#include "symbols/frame.hpp"
#include "symbols/go_table.hpp"

namespace connleak {

class Module {
 public:
  // Takes the file over. `path` is where the process sees it. Opens the separate debug file now, while it can
  // still be reached; tables are read at the first lookup that needs them.
  [[nodiscard]] static Result<std::unique_ptr<Module>> open(Fd file, std::string path,
                                                            const FileOpener& open_debug);

  // Names for the byte at an offset of the file that is mapped executable. Innermost first. One frame without a
  // function where nothing is known; empty where the offset is in no executable part of the file.
  [[nodiscard]] std::vector<SymbolFrame> resolve(std::uint64_t file_offset);

  // It has Go's table of functions. Looks for it at the first call.
  [[nodiscard]] bool is_go();
  // nullptr: not Go's.
  [[nodiscard]] const GoTable* go_table() { return is_go() ? &*go_ : nullptr; }
  [[nodiscard]] const ElfImage& image() const { return image_; }
  [[nodiscard]] const ElfImage* debug_image() const { return debug_image_ ? &*debug_image_ : nullptr; }

  // About what the tables take that lookups have read: symbols, debug information.
  [[nodiscard]] std::size_t memory_bytes() const;
  // Until the next lookup, which reads them again.
  void forget_tables() { tables_.reset(); }

  // What makes it the same file when it is opened again: build id, size, time of last change.
  [[nodiscard]] const std::string& identity() const { return identity_; }

 private:
  struct Tables {
    explicit Tables(const ElfImage& image) : symbols(image) {}
    ElfSymbols symbols;
    bool symbols_in_debug = false;
    std::unique_ptr<DwarfLines> dwarf;
  };

  Module(Fd file, ElfImage image) : file_(std::move(file)), image_(std::move(image)) {}
  void prepare();
  const Tables& tables();
  [[nodiscard]] std::vector<SymbolFrame> go_frames(std::uint64_t address) const;
  [[nodiscard]] std::vector<SymbolFrame> native_frames(std::uint64_t address);

  Fd file_;
  ElfImage image_;
  ModuleFacts facts_;
  std::string name_;
  std::string identity_;
  bool prepared_ = false;
  std::optional<GoTable> go_;
  Fd debug_file_;  // before the image that borrows it
  std::optional<ElfImage> debug_image_;
  std::optional<Tables> tables_;
};

}  // namespace connleak
