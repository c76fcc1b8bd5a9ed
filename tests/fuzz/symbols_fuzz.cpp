// SPDX-License-Identifier: Apache-2.0
// Any file is refused or answers, the same each time it is asked, and takes no more memory than a few times its
// size.
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "elf_file.hpp"
#include "fuzz.hpp"
#include "symbols/dwarf_structs.hpp"
#include "symbols/elf_symbols.hpp"
#include "symbols/go_build_info.hpp"
#include "symbols/module.hpp"

using namespace connleak;

namespace {

std::string answers(Module& module, std::size_t size, std::size_t step = 53) {
  std::string all;
  for (std::size_t offset = 0; offset < size; offset += step) {
    for (const SymbolFrame& frame : module.resolve(offset)) {
      all += frame.function.value_or("") + '\0' + frame.file.value_or("") + '\0' +
             std::to_string(frame.line.value_or(0)) + (frame.application ? "a" : "") + '\n';
    }
  }
  return all;
}

std::string go_structs(const ElfImage& image) {
  constexpr std::string_view kNames[] = {"database/sql.DB", "database/sql.driverConn"};
  const auto structs = find_go_structs(image, kNames);
  if (structs.size() > std::size(kNames)) std::abort();
  std::string all = read_go_build_info(image).value_or(GoBuildInfo{}).version;
  for (const DwarfStruct& found : structs)
    for (const auto& field : found.fields) all += ' ' + field.name + '=' + std::to_string(field.offset);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  int asked = 0;
  auto opened = Module::open(test::file_of(bytes), "/srv/bin/shop", [&](const std::string& path) {
    if (path.empty() || ++asked > 8) std::abort();
    return test::file_of(bytes);
  });
  if (!opened) return 0;
  Module& module = **opened;
  const std::string first = answers(module, size);
  if (module.memory_bytes() > (std::size_t{1} << 20) + 16 * size) std::abort();
  module.forget_tables();
  if (module.memory_bytes() != 0 || answers(module, size) != first) std::abort();
  (void)module.is_go();
  for (const SymbolTable table : {SymbolTable::exported, SymbolTable::all})
    (void)find_variable(module.image(), table, "sink");
  (void)go_structs(module.image());
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  // With a name that shows that the table which the seed is there for was read.
  for (const auto& [file, name] : {std::pair{"frames", "with_array"},
                                   {"frames_debug", "frames.c"},
                                   {"go_table", "shop.Each[...]"},
                                   {"go_table_127", "shop.Each[...]"},
                                   {"frames_stripped", ""}}) {
    const auto& seed = seeds.emplace_back(test::seed_file(file));
    auto module = Module::open(test::file_of(seed), "/srv/bin/shop", [](const std::string&) { return Fd(); });
    if (!module || answers(**module, seed.size(), 4).find(name) == std::string::npos) std::abort();
  }
  for (const auto& [file, answer] :
       {std::pair{"go_types", " waitDuration=0 freeConn=40 maxOpen=136 db=0"}, {"go_table", "go1.22"}}) {
    const auto& seed = seeds.emplace_back(test::seed_file(file));
    auto module = Module::open(test::file_of(seed), "/srv/bin/shop", [](const std::string&) { return Fd(); });
    if (!module || go_structs((*module)->image()) != answer) std::abort();
  }
  return seeds;
}
