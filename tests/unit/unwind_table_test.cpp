// SPDX-License-Identifier: Apache-2.0
// .eh_frame of real files, compared with what libdw reads there; and of files that lie.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "base/fd.hpp"
#include "symbols/maps.hpp"
#include "temporary_directory.hpp"
#include "unwind/call_frames.hpp"
#include "unwind/frame_program.hpp"
#include "unwind/stopped.hpp"

using namespace connleak;
using connleak::test::content_of;
using connleak::test::unwind_subject;
using Kind = FrameRule::Kind;

#ifdef __x86_64__

namespace {

constexpr std::size_t kPreserved[] = {kBx, kBp, kR12, kR12 + 1, kR12 + 2, kR12 + 3, kReturnAddress};

Fd memory_file(const std::string& bytes) {
  Fd file(::memfd_create("subject", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

std::string path_of_libc() {
  std::ifstream in("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const MapsEntry& entry : parse_maps(text))
    if (entry.path.find("/libc.so") != std::string::npos) return entry.path;
  return "";
}

std::string rule_text(const FrameRule& rule) {
  switch (rule.kind) {
    case Kind::undefined:
      return "undefined";
    case Kind::same:
      return "same";
    case Kind::at_offset:
      return "[cfa" + std::to_string(rule.offset) + "]";
    case Kind::register_offset:
      return std::to_string(rule.base) + "+" + std::to_string(rule.offset);
    case Kind::frame_offset:
    case Kind::expression:
    case Kind::at_expression:
      return "expression";
  }
  return "";
}

std::string libdw_frame_address(Dwarf_Frame* frame) {
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_cfa(frame, &operations, &count) != 0 || count == 0) return "undefined";
  if (count > 1 || operations[0].atom != DW_OP_bregx) return "expression";
  return std::to_string(operations[0].number) + "+" +
         std::to_string(static_cast<std::int64_t>(operations[0].number2));
}

std::string libdw_rule(Dwarf_Frame* frame, std::size_t number) {
  Dwarf_Op place[3];
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_register(frame, static_cast<int>(number), place, &operations, &count) != 0) return "error";
  if (count == 0) return operations == nullptr ? "same" : "undefined";
  const bool is_offset = operations[0].atom == DW_OP_call_frame_cfa &&
                         operations[count - 1].atom != DW_OP_stack_value &&
                         (count == 1 || (count == 2 && operations[1].atom == DW_OP_plus_uconst));
  if (!is_offset) return "expression";
  return "[cfa" + std::to_string(count == 2 ? static_cast<std::int64_t>(operations[1].number) : 0) + "]";
}

struct Compared {
  std::size_t rows = 0;
  std::size_t expressions = 0;
};

// At `samples` addresses of the file's code.
Compared compare(const std::string& path, std::size_t samples) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto image = ElfImage::open(file.get());
  REQUIRE(image);
  const auto other = ElfImage::open(file.get());
  Dwarf_CFI* reference = dwarf_getcfi_elf(other->handle());
  REQUIRE(reference != nullptr);
  CallFrames frames(*image);
  Compared compared;
  for (const auto& segment : image->segments()) {
    if (!segment.executable) continue;
    for (std::uint64_t at = 0; at < segment.file_size; at += segment.file_size / samples + 1) {
      const std::uint64_t address = segment.address + at;
      const FrameRow* row = frames.row(address);
      Dwarf_Frame* frame = nullptr;
      const bool is_known = dwarf_cfi_addrframe(reference, address, &frame) == 0;
      CAPTURE(path, address);
      REQUIRE((row != nullptr) == is_known);
      if (!is_known) continue;
      CHECK(rule_text(row->frame_address) == libdw_frame_address(frame));
      for (const std::size_t number : kPreserved) {
        CAPTURE(number);
        // libdw 0.192 takes rax for the preserved register that rbx is.
        if (number == kBx && row->registers[number].kind == Kind::same) continue;
        CHECK(rule_text(row->registers[number]) == libdw_rule(frame, number));
      }
      bool is_signal = false;
      CHECK(dwarf_frame_info(frame, nullptr, nullptr, &is_signal) == row->return_address);
      CHECK(is_signal == row->is_signal_frame);
      ++compared.rows;
      if (row->frame_address.kind == Kind::expression) ++compared.expressions;
      std::free(frame);
    }
  }
  dwarf_cfi_end(reference);
  return compared;
}

}  // namespace

TEST_CASE("the rows of real files are those that libdw reads", "[unwind]") {
  SECTION("subjects, with and without a table to search") {
    const std::string name = GENERATE("c_pie", "c_fixed", "c_unsorted", "c_stripped", "cpp", "library.so");
    CHECK(compare(unwind_subject(name), 2000).rows > 100);
  }
  SECTION("libc") { CHECK(compare(path_of_libc(), 3000).rows > 2000); }
  SECTION("this program") { CHECK(compare("/proc/self/exe", 2000).rows > 1500); }
  SECTION("stubs of the linker") { CHECK(compare(unwind_subject("c_pie"), 10'000).expressions > 10); }
}

TEST_CASE("what describes itself, or another function, or nothing, has no row", "[unwind][hostile]") {
  const std::string whole = content_of(unwind_subject("c_fixed"));
  const Fd file = memory_file(whole);
  const auto image = ElfImage::open(file.get());
  REQUIRE(image);
  const auto section = image->section(".eh_frame");
  REQUIRE(section);
  std::vector<std::uint64_t> addresses;
  for (const auto& segment : image->segments()) {
    for (std::uint64_t at = 0; segment.executable && at < segment.file_size; at += 9)
      addresses.push_back(segment.address + at);
  }
  const auto rows = [&](const std::string& bytes) {
    const Fd changed = memory_file(bytes);
    const auto opened = ElfImage::open(changed.get());
    REQUIRE(opened);
    CallFrames frames(*opened);
    const auto count =
        std::ranges::count_if(addresses, [&](auto address) { return frames.row(address) != nullptr; });
    CHECK(frames.memory_bytes() < 1'000'000);
    return count;
  };
  CHECK(rows(whole) > 50);
  // Word by word: lengths, and offsets to the common part.
  for (const std::uint32_t value : {0U, 4U, 8U, 0x7fff'ffffU, 0xffff'fff0U, 0xffff'ffffU}) {
    std::string broken = whole;
    for (std::uint64_t at = section->offset; at + 4 <= section->offset + section->size; at += 4)
      std::memcpy(broken.data() + at, &value, 4);
    CAPTURE(value);
    CHECK(rows(broken) == 0);
  }
  std::mt19937 random(3);  // the same files on every run
  for (int round = 0; round < 60; ++round) {
    std::string broken = whole;
    for (int i = 0; i < 8; ++i) broken[section->offset + random() % section->size] = static_cast<char>(random());
    (void)rows(broken);
  }
}

TEST_CASE("a table to search that lies gives no row of another function", "[unwind][hostile]") {
  const std::string whole = content_of(unwind_subject("c_fixed"));
  const Fd file = memory_file(whole);
  const auto image = ElfImage::open(file.get());
  REQUIRE((image && image->frame_header()));
  const auto header = image->offset_of_address(*image->frame_header());
  REQUIRE(header);
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::string broken = whole;
    // Behind the version and the encodings: the count, and the table.
    for (int i = 0; i < 4; ++i) broken[*header + 4 + random() % 200] = static_cast<char>(random());
    const Fd changed = memory_file(broken);
    const auto opened = ElfImage::open(changed.get());
    REQUIRE(opened);
    const FrameTable table(*opened);
    for (std::uint64_t at = 0x401000; at < 0x402000; at += 64) {
      const auto entry = table.find(at);
      if (entry) CHECK((at >= entry->start && at - entry->start < entry->size));
    }
  }
}

#endif
