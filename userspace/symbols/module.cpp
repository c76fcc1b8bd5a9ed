// SPDX-License-Identifier: Apache-2.0
// Names for addresses of one file: Go's table first, then DWARF over the symbol table.
#include "symbols/module.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <utility>

#include "symbols/demangle.hpp"
#include "symbols/go_build_info.hpp"

namespace connleak {

Result<std::unique_ptr<Module>> Module::open(Fd file, std::string path, const FileOpener& open_debug) {
  auto image = ElfImage::open(file.get());
  if (!image) return tl::unexpected<Error>(std::move(image.error()));
  std::unique_ptr<Module> module(new Module(std::move(file), *std::move(image)));

  struct stat status{};
  if (::fstat(module->file_.get(), &status) != 0) return failure(ErrorKind::failed, "the file has no status");
  module->identity_ = fmt::format("{}:{}:{}.{}", module->image_.build_id(), status.st_size, status.st_mtim.tv_sec,
                                  status.st_mtim.tv_nsec);
  module->name_ = module->image_.soname().value_or(path.substr(path.rfind('/') + 1));
  module->facts_.soname = module->image_.soname().value_or("");
  module->facts_.is_executable = module->image_.is_executable();
  if (!module->image_.section(".debug_info")) {
    module->debug_file_ = find_debug_file(module->image_, path, open_debug);
  }
  module->facts_.path = std::move(path);
  return module;
}

void Module::prepare() {
  if (std::exchange(prepared_, true)) return;
  if (const auto layout = find_go_layout(image_)) {
    go_.emplace(*layout);
    if (auto info = read_go_build_info(image_)) facts_.go_main_module = std::move(info->main.path);
    facts_.is_go = true;
  }
  if (debug_file_) {
    if (auto image = ElfImage::open(debug_file_.get())) debug_image_.emplace(*std::move(image));
  }
}

bool Module::is_go() {
  prepare();
  return go_.has_value();
}

std::vector<SymbolFrame> Module::go_frames(std::uint64_t address) const {
  std::vector<SymbolFrame> frames;
  if (!go_) return frames;
  for (GoFrame& known : go_->lookup(image_, address)) {
    SymbolFrame frame;
    frame.function = std::move(known.function);
    frame.file = std::move(known.file);
    frame.line = known.line;
    frame.language = Language::go;
    frames.push_back(std::move(frame));
  }
  return frames;
}

const Module::Tables& Module::tables() {
  if (tables_) return *tables_;
  tables_.emplace(image_);
  // A stripped file keeps only what it exports; its debug file has all.
  if (debug_image_) {
    ElfSymbols full(*debug_image_);
    tables_->symbols_in_debug = !full.empty();
    if (tables_->symbols_in_debug) tables_->symbols = std::move(full);
  }
  tables_->dwarf = DwarfLines::open(debug_image_ ? *debug_image_ : image_);
  return *tables_;
}

std::size_t Module::memory_bytes() const {
  if (!tables_) return 0;
  return tables_->symbols.memory_bytes() + (tables_->dwarf ? tables_->dwarf->memory_bytes() : 0);
}

std::vector<SymbolFrame> Module::native_frames(std::uint64_t address) {
  const Tables& read = tables();
  std::optional<DemangledName> symbol;
  if (const auto name = read.symbols.find(read.symbols_in_debug ? *debug_image_ : image_, address))
    symbol = demangle(*name);

  std::vector<SymbolFrame> frames;
  for (DwarfFrame& known : read.dwarf ? read.dwarf->lookup(address) : std::vector<DwarfFrame>()) {
    SymbolFrame frame;
    frame.language = known.is_rust ? Language::rust : Language::native;
    if (known.function) {
      auto name =
          known.is_linker_name ? demangle(*known.function) : DemangledName{*known.function, frame.language};
      if (name.language == Language::rust) frame.language = Language::rust;
      frame.function = std::move(name.name);
    }
    frame.file = std::move(known.file);
    frame.line = known.line;
    frames.push_back(std::move(frame));
  }
  if (frames.empty()) frames.emplace_back();
  SymbolFrame& physical = frames.back();
  if (symbol) {
    // The source's name alone lacks its scope; the symbol of the physical function has it.
    const bool has_scope = physical.function && physical.function->find("::") != std::string::npos;
    if (!has_scope) physical.function = std::move(symbol->name);
    if (physical.language != Language::rust) physical.language = symbol->language;
  }
  return frames;
}

std::vector<SymbolFrame> Module::resolve(std::uint64_t file_offset) {
  const auto address = image_.address_of_offset(file_offset);
  if (!address) return {};
  prepare();
  auto frames = go_frames(*address);
  if (frames.empty()) frames = native_frames(*address);
  for (SymbolFrame& frame : frames) {
    frame.module = name_;
    frame.offset = *address;
    frame.inlined = &frame != &frames.back();
    frame.application = is_application(facts_, frame);
  }
  return frames;
}

}  // namespace connleak
