// SPDX-License-Identifier: Apache-2.0
#include "symbols/dwarf_structs.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>

#include "symbols/dwarf_file.hpp"

namespace connleak {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr int kMaxSteps = 2'000'000;  // entries looked at; a program of 100 MB has some 200,000 of them
constexpr std::size_t kMaxFields = 256;

std::string_view name_of(Dwarf_Die& entry) {
  const char* name = dwarf_diename(&entry);
  return name != nullptr ? name : "";
}

std::optional<std::uint64_t> number(Dwarf_Die& entry, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(&entry, attribute, &found), &value) != 0) return std::nullopt;
  return value;
}

// nullopt: not as Go writes them.
std::optional<DwarfStruct> read_struct(Dwarf_Die& entry) {
  const auto size = number(entry, DW_AT_byte_size);
  Dwarf_Die member;
  if (!size || dwarf_child(&entry, &member) != 0) return std::nullopt;
  DwarfStruct found{std::string(name_of(entry)), *size, {}};
  do {
    if (dwarf_tag(&member) != DW_TAG_member) continue;
    const auto offset = number(member, DW_AT_data_member_location);
    if (!offset || *offset > *size || found.fields.size() == kMaxFields) return std::nullopt;
    found.fields.push_back({std::string(name_of(member)), *offset});
  } while (dwarf_siblingof(&member, &member) == 0);
  return found;
}

}  // namespace

std::optional<std::uint64_t> DwarfStruct::offset(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &Field::name);
  return found == fields.end() ? std::nullopt : std::optional(found->offset);
}

std::vector<DwarfStruct> find_go_structs(const ElfImage& image, std::span<const std::string_view> names) {
  std::vector<DwarfStruct> structs;
  const auto file = DwarfFile::open(image, kMaxBytes);
  if (!file) return structs;
  int steps = 0;
  std::size_t header = 0;
  Dwarf_Off next = 0;
  for (Dwarf_Off at = 0; dwarf_nextcu(file->handle(), at, &next, &header, nullptr, nullptr, nullptr) == 0;
       at = next) {
    Dwarf_Die unit;
    Dwarf_Die entry;
    if (++steps > kMaxSteps) break;
    if (dwarf_offdie(file->handle(), at + header, &unit) == nullptr || name_of(unit) != "runtime" ||
        dwarf_srclang(&unit) != DW_LANG_Go || dwarf_child(&unit, &entry) != 0)
      continue;
    do {
      if (++steps > kMaxSteps || structs.size() == names.size()) return structs;
      if (dwarf_tag(&entry) != DW_TAG_structure_type || std::ranges::find(names, name_of(entry)) == names.end() ||
          std::ranges::find(structs, name_of(entry), &DwarfStruct::name) != structs.end())
        continue;
      if (auto found = read_struct(entry)) structs.push_back(*std::move(found));
    } while (dwarf_siblingof(&entry, &entry) == 0);
  }
  return structs;
}

}  // namespace connleak
