// SPDX-License-Identifier: Apache-2.0
// DWARF by libdw. The tree is walked here and not by dwarf_getscopes(), which recurses as deep as the file says.
#include "symbols/dwarf_lines.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/version.h>
#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace connleak {

namespace {

// libdw keeps the sections in memory, and a line table at some 50 times its size.
constexpr std::size_t kMaxSections = std::size_t{512} << 20;
constexpr std::uint64_t kMaxLines = std::uint64_t{128} << 20;
// Measured: a row of a line table, and the rest of a unit that was looked at.
constexpr std::size_t kRowBytes = 40;
constexpr std::size_t kUnitBytes = 16 << 10;
constexpr int kMaxDepth = 128;
// Entries and ranges looked at for one address: about 50 ms.
constexpr int kMaxSteps = 1'000'000;

class ScopeSearch {
 public:
  explicit ScopeSearch(std::uint64_t address) : address_(address) {}

  // The functions around the address, outermost first, inlined ones behind what they are inlined into.
  std::vector<Dwarf_Die> run(Dwarf_Die& unit) {
    // The body of a lambda or of a local class stands inside the function that it was written in, but its code
    // lies outside of that one's. Searching every function costs more, so it comes second.
    if (!descend(unit, 0)) {
      is_thorough_ = true;
      descend(unit, 0);
    }
    return std::move(functions_);
  }

 private:
  enum class Cover { yes, no, says_nothing };

  Cover covers(Dwarf_Die& entry) {
    Dwarf_Addr base = 0;
    Dwarf_Addr start = 0;
    Dwarf_Addr end = 0;
    bool any = false;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&entry, at, &base, &start, &end)) > 0; any = true) {
      if (++steps_ > kMaxSteps) return Cover::no;
      if (address_ >= start && address_ < end) return Cover::yes;
    }
    return any ? Cover::no : Cover::says_nothing;
  }

  bool descend(Dwarf_Die& parent, int depth) {
    Dwarf_Die entry;
    if (depth > kMaxDepth || dwarf_child(&parent, &entry) != 0) return false;
    do {
      if (++steps_ > kMaxSteps) return false;
      const int tag = dwarf_tag(&entry);
      const bool is_function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
      const bool is_block = tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
      const bool is_scope = tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
                            tag == DW_TAG_structure_type;
      if (!is_function && !is_block && !is_scope) continue;
      const Cover cover = is_scope ? Cover::says_nothing : covers(entry);
      if (cover == Cover::yes) {
        if (is_function) functions_.push_back(entry);
        descend(entry, depth + 1);
        return true;
      }
      // A declaration or an abstract function has no code; a block without ranges may hold some that has.
      const bool may_hold = is_thorough_ || (cover == Cover::says_nothing && !is_function);
      if (may_hold && descend(entry, depth + 1)) return true;
    } while (dwarf_siblingof(&entry, &entry) == 0);
    return false;
  }

  std::uint64_t address_;
  std::vector<Dwarf_Die> functions_;
  int steps_ = 0;
  bool is_thorough_ = false;
};

std::optional<std::string> text_attribute(Dwarf_Die& entry, unsigned name) {
  Dwarf_Attribute attribute;
  const char* text = dwarf_formstring(dwarf_attr_integrate(&entry, name, &attribute));
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::string(text);
}

std::optional<std::uint64_t> number_attribute(Dwarf_Die& entry, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(&entry, name, &attribute), &value) != 0) return std::nullopt;
  return value;
}

void set_name(Dwarf_Die& entry, DwarfFrame& frame) {
  frame.function = text_attribute(entry, DW_AT_linkage_name);
  if (!frame.function) frame.function = text_attribute(entry, DW_AT_MIPS_linkage_name);
  frame.is_linker_name = frame.function.has_value();
  if (!frame.function) frame.function = text_attribute(entry, DW_AT_name);
}

void set_position_at(Dwarf_Die& unit, std::uint64_t address, DwarfFrame& frame) {
  Dwarf_Line* row = dwarf_getsrc_die(&unit, address);
  if (row == nullptr) return;
  int line = 0;
  if (const char* file = dwarf_linesrc(row, nullptr, nullptr); file != nullptr) frame.file = file;
  if (dwarf_lineno(row, &line) == 0 && line > 0) frame.line = static_cast<std::uint32_t>(line);
}

void set_call_position(Dwarf_Die& unit, Dwarf_Die& inlined, DwarfFrame& frame) {
  const auto line = number_attribute(inlined, DW_AT_call_line);
  if (line && *line > 0 && *line <= UINT32_MAX) frame.line = static_cast<std::uint32_t>(*line);
  const auto number = number_attribute(inlined, DW_AT_call_file);
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (!number || dwarf_getsrcfiles(&unit, &files, &count) != 0 || *number >= count) return;
  if (const char* file = dwarf_filesrc(files, *number, nullptr, nullptr); file != nullptr) frame.file = file;
}

// libdw gives a name relative to nothing where the compiler was run that way; the unit knows the directory.
void make_absolute(Dwarf_Die& unit, DwarfFrame& frame) {
  if (!frame.file || frame.file->empty() || frame.file->front() == '/' || frame.file->front() == '<') return;
  if (const auto directory = text_attribute(unit, DW_AT_comp_dir))
    frame.file = fmt::format("{}/{}", *directory, *frame.file);
}

bool find_unit(Dwarf* dwarf, std::uint64_t address, Dwarf_Die& unit) {
  if (dwarf_addrdie(dwarf, address, &unit) != nullptr) return true;
#if !_ELFUTILS_PREREQ(0, 191)
  // Before 0.191 only .debug_aranges is looked at, which clang does not write.
  int steps = 0;
  Dwarf_Off at = 0;
  Dwarf_Off next = 0;
  std::size_t header = 0;
  while (++steps < kMaxSteps && dwarf_nextcu(dwarf, at, &next, &header, nullptr, nullptr, nullptr) == 0) {
    if (dwarf_offdie(dwarf, at + header, &unit) != nullptr && dwarf_haspc(&unit, address) > 0) return true;
    at = next;
  }
#endif
  return false;
}

}  // namespace

std::unique_ptr<DwarfLines> DwarfLines::open(const ElfImage& image) {
  if (const auto lines = image.section(".debug_line"); lines && lines->size > kMaxLines) return nullptr;
  auto file = DwarfFile::open(image, kMaxSections);
  if (!file) return nullptr;
  return std::unique_ptr<DwarfLines>(new DwarfLines(*std::move(file)));
}

std::vector<DwarfFrame> DwarfLines::lookup(std::uint64_t address) const {
  std::vector<DwarfFrame> frames;
  Dwarf_Die unit;
  if (!find_unit(file_.handle(), address, unit)) return frames;
  const bool is_rust = dwarf_srclang(&unit) == DW_LANG_Rust;
  if (units_.insert(dwarf_dieoffset(&unit)).second) {
    Dwarf_Lines* rows = nullptr;
    std::size_t count = 0;
    if (dwarf_getsrclines(&unit, &rows, &count) != 0) count = 0;
    units_bytes_ += kUnitBytes + count * kRowBytes;
  }

  DwarfFrame frame;
  set_position_at(unit, address, frame);
  auto functions = ScopeSearch(address).run(unit);
  std::ranges::reverse(functions);
  for (Dwarf_Die& function : functions) {
    set_name(function, frame);
    make_absolute(unit, frame);
    frame.is_rust = is_rust;
    frames.push_back(std::move(frame));
    frame = DwarfFrame();
    if (dwarf_tag(&function) != DW_TAG_inlined_subroutine) return frames;
    set_call_position(unit, function, frame);
  }
  // No function around it all: what is known is a position only.
  if (frame.file || frame.line) {
    make_absolute(unit, frame);
    frame.is_rust = is_rust;
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace connleak
