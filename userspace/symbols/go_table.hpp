// SPDX-License-Identifier: Apache-2.0
// Functions, files and lines of Go programs from the table that the Go runtime itself uses; it survives stripping.
//
// Format: Go's internal/abi/symtab.go, runtime/symtab.go, runtime/symtabinl.go, cmd/link/internal/ld/pcln.go and
// symtab.go, as of Go 1.16 (magic 0xfffffffa), 1.18 (0xfffffff0) and 1.20 to 1.26 (0xfffffff1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/elf_image.hpp"

namespace connleak {

enum class GoTableVersion { go116, go118, go120 };

// Where the parts of the table are: link-time addresses.
struct GoLayout {
  GoTableVersion version = GoTableVersion::go120;
  std::uint32_t quantum = 1;  // bytes of the smallest instruction
  std::uint64_t functions = 0;
  std::uint64_t header = 0;
  std::uint64_t names = 0;
  std::uint64_t units = 0;
  std::uint64_t files = 0;
  std::uint64_t pc_values = 0;
  std::uint64_t function_table = 0;
  std::uint64_t text = 0;  // what entry offsets count from; 0 in go116, whose entries are absolute
  std::optional<std::uint64_t> function_data;  // go:func.*; without it inlined frames cannot be told
};

// Finds and checks the table: by section, else, in files without sections, by its magic number. nullopt: not a Go
// program, or one whose table this code does not understand.
[[nodiscard]] std::optional<GoLayout> find_go_layout(const ElfImage& image);

struct GoFunction {
  std::string name;
  std::uint64_t address = 0;  // link-time
  std::uint64_t size = 0;     // to the next function, bytes: padding included
};

struct GoFrame {
  std::optional<std::string> function;
  std::optional<std::string> file;
  std::optional<std::uint32_t> line;
};

// Reads only what one lookup needs: some 30 small reads, no table in memory.
class GoTable {
 public:
  explicit GoTable(const GoLayout& layout) : layout_(layout) {}

  [[nodiscard]] const GoLayout& layout() const { return layout_; }

  // Innermost first, the physical function last; empty when the address is in no Go function. Where the code at
  // the address was inlined but from which function cannot be told, the first frame has no function.
  [[nodiscard]] std::vector<GoFrame> lookup(const ElfImage& image, std::uint64_t address) const;

  // Those whose names begin with one of the prefixes, by address; a thousand at most. Reads all of the table: some
  // milliseconds for 10,000 functions.
  [[nodiscard]] std::vector<GoFunction> functions(const ElfImage& image,
                                                  std::span<const std::string_view> prefixes) const;

 private:
  struct Function {
    std::uint64_t entry = 0;
    std::uint64_t fields = 0;  // address of the fields behind the entry
    std::uint32_t pc_file = 0;
    std::uint32_t pc_line = 0;
    std::uint32_t unit = 0;
    std::uint32_t name = 0;
    std::uint32_t inline_index = 0;            // offset of the pc table of PCDATA_InlTreeIndex; 0: none
    std::optional<std::uint64_t> inline_tree;  // address of FUNCDATA_InlTree
  };
  struct InlinedCall {
    std::uint32_t name = 0;
    std::uint32_t parent = 0;  // offset from the function's entry
  };

  [[nodiscard]] std::optional<std::uint64_t> entry_at(const ElfImage& image, std::uint64_t index) const;
  [[nodiscard]] std::optional<Function> find(const ElfImage& image, std::uint64_t address) const;
  [[nodiscard]] std::optional<Function> read_function(const ElfImage& image, std::uint64_t at) const;
  [[nodiscard]] std::optional<std::int32_t> pc_value(const ElfImage& image, const Function& function,
                                                     std::uint32_t table, std::uint64_t address) const;
  [[nodiscard]] std::optional<InlinedCall> inlined_call(const ElfImage& image, const Function& function,
                                                        std::int32_t index) const;
  [[nodiscard]] std::optional<std::string> name_at(const ElfImage& image, std::uint32_t offset) const;
  void add_position(const ElfImage& image, const Function& function, std::uint64_t address, GoFrame& frame) const;

  GoLayout layout_;
};

}  // namespace connleak
