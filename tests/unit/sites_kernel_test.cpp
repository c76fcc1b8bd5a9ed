// SPDX-License-Identifier: Apache-2.0
// What kernels do with a probed instruction. tests/bench/site_bench.c measures the same on the kernel that is
// there.
#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

#include "sites/kernel_rules.hpp"

using namespace connleak;

namespace {

Handling handling(std::initializer_list<unsigned> code) {
  std::vector<std::byte> bytes;
  for (const unsigned byte : code) bytes.push_back(static_cast<std::byte>(byte));
  const auto instruction = decode(bytes, 0x1000);
  REQUIRE(instruction);
  REQUIRE(instruction->length == bytes.size());
  INFO(instruction->text());
  const Ruling ruling = rule_on(*instruction);
  CHECK((ruling.handling == Handling::forbidden) == !ruling.reason.empty());
  return ruling.handling;
}

}  // namespace

TEST_CASE("push of a register, jumps, branches, calls and the plain nop are emulated", "[sites]") {
  for (unsigned reg = 0x50; reg <= 0x57; ++reg) {
    CHECK(handling({reg}) == Handling::emulated);
    CHECK(handling({0x41, reg}) == Handling::emulated);
  }
  for (unsigned condition = 0; condition < 16; ++condition) {
    CHECK(handling({0x70 + condition, 2}) == Handling::emulated);
    CHECK(handling({0x0f, 0x80 + condition, 0, 1, 0, 0}) == Handling::emulated);
  }
  CHECK(handling({0xeb, 2}) == Handling::emulated);
  CHECK(handling({0xe9, 0, 1, 0, 0}) == Handling::emulated);
  CHECK(handling({0xe8, 0, 1, 0, 0}) == Handling::emulated);
  CHECK(handling({0x90}) == Handling::emulated);
}

TEST_CASE("other forms of what is emulated are forbidden", "[sites]") {
  CHECK(handling({0x66, 0xe8, 0, 1, 0, 0}) == Handling::forbidden);
  CHECK(handling({0x66, 0x0f, 0x84, 0, 1, 0, 0}) == Handling::forbidden);
  CHECK(handling({0x2e, 0x74, 2}) == Handling::forbidden);
  CHECK(handling({0xf2, 0xe9, 0, 1, 0, 0}) == Handling::forbidden);
  CHECK(handling({0x48, 0x50}) == Handling::forbidden);     // push rax with REX.W
  CHECK(handling({0x66, 0x50}) == Handling::forbidden);     // push ax
  CHECK(handling({0xff, 0x75, 8}) == Handling::forbidden);  // push [rbp+8]
  CHECK(handling({0x6a, 1}) == Handling::forbidden);        // push 1
  CHECK(handling({0xe3, 2}) == Handling::forbidden);        // jrcxz
  CHECK(handling({0xe2, 2}) == Handling::forbidden);        // loop
  CHECK(handling({0xff, 0xd0}) == Handling::forbidden);     // call rax
  CHECK(handling({0x41, 0x90}) == Handling::forbidden);     // xchg r8d, eax
  CHECK(handling({0x49, 0x90}) == Handling::forbidden);     // xchg r8, rax
}

TEST_CASE("nops of several bytes are forbidden", "[sites]") {
  CHECK(handling({0x66, 0x90}) == Handling::forbidden);
  CHECK(handling({0x0f, 0x1f, 0x00}) == Handling::forbidden);
  CHECK(handling({0x0f, 0x1f, 0x40, 0x00}) == Handling::forbidden);
  CHECK(handling({0x0f, 0x1f, 0x44, 0x00, 0x00}) == Handling::forbidden);
  CHECK(handling({0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}) == Handling::forbidden);
}

TEST_CASE("what entries and returns are made of is stepped", "[sites]") {
  CHECK(handling({0xf3, 0x0f, 0x1e, 0xfa}) == Handling::stepped);                       // endbr64
  CHECK(handling({0x48, 0x85, 0xff}) == Handling::stepped);                             // test rdi, rdi
  CHECK(handling({0x48, 0x83, 0xec, 0x18}) == Handling::stepped);                       // sub rsp, 0x18
  CHECK(handling({0x49, 0x3b, 0x66, 0x10}) == Handling::stepped);                       // cmp rsp, [r14+0x10]
  CHECK(handling({0x4c, 0x8d, 0x64, 0x24, 0x80}) == Handling::stepped);                 // lea r12, [rsp-0x80]
  CHECK(handling({0x8b, 0x05, 0, 1, 0, 0}) == Handling::stepped);                       // mov eax, [rip+0x100]
  CHECK(handling({0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}) == Handling::stepped);  // mov rax, fs:[0x28]
  CHECK(handling({0x0f, 0x11, 0x44, 0x24, 0x50}) == Handling::stepped);                 // movups [rsp+0x50], xmm0
  CHECK(handling({0xff, 0x25, 0, 1, 0, 0}) == Handling::stepped);                       // jmp [rip+0x100]
  CHECK(handling({0xc3}) == Handling::stepped);
  CHECK(handling({0xf3, 0xc3}) == Handling::stepped);
  CHECK(handling({0xc2, 8, 0}) == Handling::stepped);
}

TEST_CASE("what kernels refuse is forbidden", "[sites]") {
  CHECK(handling({0xf0, 0xff, 0x07}) == Handling::forbidden);                    // lock inc [rdi]
  CHECK(handling({0xf4}) == Handling::forbidden);                                // hlt
  CHECK(handling({0xcc}) == Handling::forbidden);                                // int3
  CHECK(handling({0xcd, 0x80}) == Handling::forbidden);                          // int 0x80
  CHECK(handling({0x0f, 0x05}) == Handling::forbidden);                          // syscall
  CHECK(handling({0x0f, 0x0b}) == Handling::forbidden);                          // ud2
  CHECK(handling({0xcf}) == Handling::forbidden);                                // iret
  CHECK(handling({0xcb}) == Handling::forbidden);                                // far ret
  CHECK(handling({0xfa}) == Handling::forbidden);                                // cli
  CHECK(handling({0xec}) == Handling::forbidden);                                // in al, dx
  CHECK(handling({0x8e, 0xd0}) == Handling::forbidden);                          // mov ss, ax
  CHECK(handling({0x3e, 0x8b, 0x07}) == Handling::forbidden);                    // mov eax, ds:[rdi]
  CHECK(handling({0x9d}) == Handling::forbidden);                                // popf
  CHECK(handling({0xc7, 0xf8, 0, 1, 0, 0}) == Handling::forbidden);              // xbegin
  CHECK(handling({0xc5, 0xfc, 0x10, 0x07}) == Handling::forbidden);              // vmovups ymm0, [rdi]
  CHECK(handling({0x62, 0xf1, 0x7c, 0x48, 0x10, 0x07}) == Handling::forbidden);  // vmovups zmm0, [rdi]
}
