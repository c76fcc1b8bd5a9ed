// SPDX-License-Identifier: Apache-2.0
#include "sites/code_file.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace connleak::test {
namespace {

ElfImage open_image(const Fd& file, const std::string& path) {
  auto image = ElfImage::open(file.get());
  if (!image) throw std::runtime_error(path + ": " + image.error().message);
  return *std::move(image);
}

void read_table(::Elf* elf, Elf_Scn* section, const GElf_Shdr& header, std::vector<NamedFunction>& functions) {
  Elf_Data* data = elf_getdata(section, nullptr);
  for (std::size_t i = 0; data != nullptr && header.sh_entsize != 0 && i < header.sh_size / header.sh_entsize;
       ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr || symbol.st_value == 0) continue;
    const auto type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_NOTYPE) continue;
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name != nullptr) functions.push_back({name, {symbol.st_value, symbol.st_size}});
  }
}

}  // namespace

CodeFile::CodeFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), image_(open_image(file_, path)) {
  ::Elf* elf = image_.handle();
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) read_table(elf, section, header, functions_);
  }
}

FunctionRange CodeFile::function(const std::string& name) const {
  const NamedFunction* found = nullptr;
  for (const NamedFunction& function : functions_)
    if (function.name == name && (found == nullptr || found->range.size == 0)) found = &function;
  if (found == nullptr) throw std::runtime_error(path_ + " has no function " + name);
  return found->range;
}

std::vector<std::byte> CodeFile::bytes(std::uint64_t address, std::size_t size) const {
  std::vector<std::byte> result(size);
  if (image_.read(address, result) != size) throw std::runtime_error(path_ + ": no such code");
  return result;
}

std::string sites_subject(const std::string& name) { return std::string(CONNLEAK_SITES_SUBJECTS) + "/" + name; }

std::vector<std::uint8_t> sites_subject_bytes(const std::string& name) {
  std::ifstream in(sites_subject(name), std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.size() < 64) throw std::runtime_error(name + " was not built");
  return bytes;
}

Fd file_of(const std::vector<std::uint8_t>& bytes) {
  Fd file(::memfd_create("subject", MFD_CLOEXEC));
  if (!file || ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("no file in memory");
  return file;
}

}  // namespace connleak::test
