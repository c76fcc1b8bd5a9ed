// SPDX-License-Identifier: Apache-2.0
// Any code leads to sites on its instructions, or to none. A byte of choices, then the code.
#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "elf_file.hpp"
#include "fuzz.hpp"
#include "sites/accessor.hpp"
#include "sites/kernel_rules.hpp"
#include "sites/sites.hpp"

using namespace connleak;

namespace {

constexpr std::uint64_t kStart = 0x401000;

// A program of one segment, code.
std::vector<std::uint8_t> program(std::span<const std::uint8_t> code) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_vaddr = kStart;
  segment.p_filesz = code.size();
  segment.p_memsz = code.size();
  std::vector<std::uint8_t> file(sizeof header + sizeof segment + code.size());
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &segment, sizeof segment);
  std::ranges::copy(code, file.begin() + sizeof header + sizeof segment);
  return file;
}

void check_site(const ElfImage& image, const Code& code, const Site& site) {
  const auto found =
      std::ranges::find(code.instructions(), site.address, [](const Instruction& each) { return each.address; });
  if (found == code.instructions().end() || found->end() > code.range().address + code.range().size) std::abort();
  if (!std::ranges::equal(found->code(), site.bytes) || !is_unchanged(image, site)) std::abort();
  const Handling handling = rule_on(*found).handling;
  if (handling == Handling::forbidden || site.emulated != (handling == Handling::emulated)) std::abort();
  if (site.emulated != site.obstacle.empty() || site.instruction.empty()) std::abort();
}

void check(const ElfImage& image, const FunctionRange& range, RegisterSet wanted, Abi abi) {
  const auto code = Code::read(image, range);
  const auto entry = entry_site(image, range, wanted, abi);
  const auto returns = return_sites(image, range);
  const auto accessor = accessor_offset(image, range);
  if (!code && (entry || returns || accessor)) std::abort();
  if (entry) check_site(image, *code, *entry);
  if (returns)
    for (const Site& site : *returns) check_site(image, *code, site);
  // The target of each of the first calls in turn.
  std::size_t calls = 0;
  for (std::size_t i = 0; code && i < code->instructions().size() && calls < 3; ++i) {
    const Instruction& call = code->instructions()[i];
    if (call.kind != InstructionKind::call || !call.target) continue;
    ++calls;
    const auto behind = after_call_sites(image, range, *call.target, wanted, abi);
    if (!behind || behind->empty()) std::abort();
    for (const CallSite& each : *behind)
      if (each.site) check_site(image, *code, *each.site);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint8_t choices = data[0];
  const std::span<const std::uint8_t> code(data + 1, size - 1);
  const Fd file = test::file_of(program(code));
  const auto image = ElfImage::open(file.get());
  if (!image) std::abort();
  RegisterSet wanted;
  if ((choices & 1) != 0) wanted.add(Register::di);
  if ((choices & 2) != 0) wanted.add(Register::ax);
  if ((choices & 4) != 0) wanted.add(Register::sp);
  const Abi abi = (choices & 8) != 0 ? Abi::go : Abi::system_v;
  check(*image, {kStart, code.size()}, wanted, abi);
  check(*image, {kStart + choices / 16U, code.size() - std::min<std::size_t>(code.size(), choices / 16U)}, wanted,
        abi);
  check(*image, {kStart, code.size() + 1}, wanted, abi);
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds = {
      // Go: cmp rsp, [r14+16]; jbe 1f; call 2f; test rbx, rbx; jne 2f; nop of 3; 2: ret; 1: jmp back
      {0x0e, 0x49, 0x3b, 0x66, 0x10, 0x76, 0x0e, 0xe8, 0x08, 0x00, 0x00, 0x00,
       0x48, 0x85, 0xdb, 0x75, 0x03, 0x0f, 0x1f, 0x00, 0xc3, 0xeb, 0xe9},
      // lea r12, [rsp-240]; cmp r12, [r14+16]; jbe 1f; sub rsp, 24; 1: int3
      {0x0e, 0x4c, 0x8d, 0xa4, 0x24, 0x10, 0xff, 0xff, 0xff, 0x4d,
       0x3b, 0x66, 0x10, 0x76, 0x04, 0x48, 0x83, 0xec, 0x18, 0xcc},
      // PQsocket: test rdi, rdi; je 1f; mov eax, [rdi+0x1b8]; ret; 1: mov eax, -1; ret
      {0x01, 0x48, 0x85, 0xff, 0x74, 0x07, 0x8b, 0x87, 0xb8, 0x01, 0x00, 0x00, 0xc3, 0xb8, 0xff, 0xff, 0xff, 0xff,
       0xc3},
      // SSL_read: sub rsp, 24; mov rax, fs:[40]; mov [rsp+8], rax; xor eax, eax; test edx, edx; js .
      {0x01, 0x48, 0x83, 0xec, 0x18, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0x00, 0x00,
       0x00, 0x48, 0x89, 0x44, 0x24, 0x08, 0x31, 0xc0, 0x85, 0xd2, 0x78, 0xfe},
      // endbr64; nop of 5; push rbp; a switch
      {0x01, 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55,
       0x48, 0x8d, 0x0d, 0x00, 0x00, 0x00, 0x00, 0xff, 0x24, 0xc1, 0xc3},
  };
  // What a compiler makes.
  const auto file = test::seed_file("frames_stripped");
  const Fd opened = test::file_of(file);
  const auto image = ElfImage::open(opened.get());
  for (const auto& segment : image->segments()) {
    if (!segment.executable) continue;
    std::vector<std::uint8_t> seed(1 + std::min<std::uint64_t>(segment.file_size, 2048), 0x01);
    const auto got = image->read(segment.address, std::as_writable_bytes(std::span(seed).subspan(1)));
    seed.resize(1 + got);
    seeds.push_back(std::move(seed));
  }
  return seeds;
}
