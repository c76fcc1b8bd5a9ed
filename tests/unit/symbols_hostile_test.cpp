// SPDX-License-Identifier: Apache-2.0
// Files that lie. Nothing here may crash, hang or name a wrong function.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "symbols/module.hpp"
#include "symbols/subject.hpp"
#include "symbols/symbolizer.hpp"

using namespace connleak;
using connleak::test::subject_path;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Fd memory_file(const std::string& bytes) {
  Fd file(::memfd_create("subject", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

std::unique_ptr<Module> open_bytes(const std::string& bytes) {
  auto module = Module::open(memory_file(bytes), "/subject", [](const std::string&) { return Fd(); });
  return module ? *std::move(module) : nullptr;
}

// All function names that a file gives at every step-th byte of it.
std::set<std::string> names_in(Module& module, std::size_t size, std::size_t step) {
  std::set<std::string> names;
  for (std::size_t offset = 0; offset < size; offset += step) {
    for (const auto& frame : module.resolve(offset)) names.insert(frame.function.value_or(""));
  }
  return names;
}

const char* any_subject() {
#ifdef CONNLEAK_HAVE_GO
  return GENERATE("c_debug", "cpp_debug", "go_stripped", "go_pie");
#else
  return GENERATE("c_debug", "cpp_debug");
#endif
}

}  // namespace

TEST_CASE("a file cut at any length gives fewer names, never others", "[symbols][hostile]") {
  const std::string name = any_subject();
  const std::string whole = read_file(subject_path(name));
  REQUIRE(whole.size() > 1000);
  const bool is_go = name.starts_with("go");
  const std::size_t step = is_go ? 40'009 : 7;
  const std::size_t code = std::min<std::size_t>(whole.size(), is_go ? whole.size() : 0x2000);
  const auto complete = open_bytes(whole);
  REQUIRE(complete);
  const auto right = names_in(*complete, code, step);
  CHECK(right.size() > 3);
  for (std::size_t length = 0; length < whole.size(); length += whole.size() / 60 + 1) {
    const auto module = open_bytes(whole.substr(0, length));
    if (!module) continue;
    for (const auto& found : names_in(*module, code, step)) {
      CAPTURE(name, length, found);
      CHECK((found.empty() || right.contains(found)));
    }
  }
}

TEST_CASE("a file that is cut while it is open gives fewer names", "[symbols][hostile]") {
  const std::string name = any_subject();
  const std::string whole = read_file(subject_path(name));
  Fd file = memory_file(whole);
  const int alias = ::dup(file.get());
  auto module = Module::open(std::move(file), "/subject", [](const std::string&) { return Fd(); });
  REQUIRE(module);
  REQUIRE(::ftruncate(alias, static_cast<off_t>(whole.size() / 3)) == 0);
  (void)names_in(**module, whole.size(), whole.size() / 200 + 1);
  REQUIRE(::ftruncate(alias, 0) == 0);
  (void)names_in(**module, whole.size(), whole.size() / 200 + 1);
  ::close(alias);
}

TEST_CASE("bytes turned over anywhere do no harm", "[symbols][hostile]") {
  const std::string name = any_subject();
  const std::string whole = read_file(subject_path(name));
  std::mt19937 random(7);  // the same files on every run
  for (int round = 0; round < 40; ++round) {
    std::string broken = whole;
    // Headers are where a byte counts; the rest is hit in proportion.
    for (int i = 0; i < 4; ++i) broken[random() % 1024] = static_cast<char>(random());
    for (int i = 0; i < 200; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    std::memcpy(broken.data(), whole.data(), 20);
    if (const auto module = open_bytes(broken)) (void)names_in(*module, whole.size(), whole.size() / 50 + 1);
  }
  SUCCEED();
}

TEST_CASE("a Go table of garbage gives no Go names", "[symbols][hostile][go]") {
#ifndef CONNLEAK_HAVE_GO
  SKIP("go was not found when the build was configured");
#endif
  const std::string whole = read_file(subject_path("go_stripped"));
  const std::string magic("\xf1\xff\xff\xff\x00\x00", 6);
  const auto table = whole.find(magic);
  REQUIRE(table != std::string::npos);
  std::mt19937 random(11);
  SECTION("behind a header that is right") {
    for (int round = 0; round < 20; ++round) {
      std::string broken = whole;
      for (std::size_t i = table + 80; i < std::min(table + 400'000, broken.size()); ++i) {
        broken[i] = static_cast<char>(random());
      }
      const auto module = open_bytes(broken);
      REQUIRE(module);
      for (std::size_t offset = 0x1000; offset < whole.size(); offset += 9973) {
        for (const auto& frame : module->resolve(offset)) {
          CHECK((frame.language != Language::go || !frame.function || !frame.function->starts_with("main.")));
        }
      }
    }
  }
  SECTION("in the header") {
    for (int round = 0; round < 200; ++round) {
      std::string broken = whole;
      for (std::size_t i = 8; i < 72; i += 8) {
        const std::uint64_t value = (std::uint64_t{random()} << 32 | random()) >> (random() % 64);
        if (random() % 2 == 0) std::memcpy(broken.data() + table + i, &value, 8);
      }
      if (const auto module = open_bytes(broken)) (void)names_in(*module, whole.size(), whole.size() / 20);
    }
    SUCCEED();
  }
}

TEST_CASE("what is no ELF file is refused", "[symbols][hostile]") {
  CHECK(!open_bytes(""));
  CHECK(
      !open_bytes("\x7f"
                  "ELF"));
  CHECK(!open_bytes("#!/bin/sh\n" + std::string(1000, 'x')));
  CHECK(!open_bytes(std::string(4096, '\xff')));
  CHECK(
      !open_bytes("\x7f"
                  "ELF\x02\x01\x01" +
                  std::string(4000, '\0')));
  CHECK(!Module::open(Fd(), "", [](const std::string&) { return Fd(); }));
  CHECK(!Module::open(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), "", [](const std::string&) { return Fd(); }));
}

TEST_CASE("a small file that claims gigabytes takes none", "[symbols][hostile]") {
  const std::string whole = read_file(subject_path("c_debug"));
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof header);
  const auto open_sparse = [&](const std::string& bytes) {
    Fd file = memory_file(bytes);
    REQUIRE(::ftruncate(file.get(), off_t{1} << 36) == 0);
    auto module = Module::open(std::move(file), "/subject", [](const std::string&) { return Fd(); });
    if (module) (void)names_in(**module, 0x2000, 64);
    if (module) CHECK((*module)->memory_bytes() < 1'000'000);
    return module.has_value();
  };
  std::string broken = whole;
  SECTION("sections") {
    Elf64_Shdr first{};
    first.sh_size = 1 << 28;
    std::memcpy(broken.data() + header.e_shoff, &first, sizeof first);
    header.e_shnum = 0;
    std::memcpy(broken.data(), &header, sizeof header);
    CHECK(!open_sparse(broken));
  }
  SECTION("segments") {
    Elf64_Shdr first{};
    first.sh_info = 1 << 28;
    std::memcpy(broken.data() + header.e_shoff, &first, sizeof first);
    header.e_phnum = PN_XNUM;
    std::memcpy(broken.data(), &header, sizeof header);
    CHECK(!open_sparse(broken));
  }
  SECTION("each section in turn, also as one that is packed") {
    const bool is_packed = GENERATE(false, true);
    for (std::size_t i = 1; i < header.e_shnum; ++i) {
      broken = whole;
      Elf64_Shdr section;
      std::memcpy(&section, broken.data() + header.e_shoff + i * sizeof section, sizeof section);
      if (is_packed) {
        const Elf64_Chdr packed{ELFCOMPRESS_ZLIB, 0, std::uint64_t{1} << 35, 1};
        if (section.sh_type == SHT_NOBITS || section.sh_size < sizeof packed) continue;
        std::memcpy(broken.data() + section.sh_offset, &packed, sizeof packed);
        section.sh_flags |= SHF_COMPRESSED;
      } else {
        section.sh_size = std::uint64_t{1} << 35;
        section.sh_type = section.sh_type == SHT_NOBITS ? SHT_PROGBITS : section.sh_type;
      }
      std::memcpy(broken.data() + header.e_shoff + i * sizeof section, &section, sizeof section);
      CAPTURE(i);
      CHECK(open_sparse(broken));
    }
  }
}

TEST_CASE("a debug file of another build is passed over", "[symbols][hostile]") {
  for (const char* name : {"c_linked_none", "c_linked_sha1"}) {
    const std::string bytes = read_file(subject_path(name));
    // The other one's debug file under the name that the link gives.
    const std::string other = std::string(name) == "c_linked_none" ? "c_full_sha1" : "c_full_none";
    int asked = 0;
    auto module = Module::open(memory_file(bytes), "/srv/subject", [&](const std::string&) {
      ++asked;
      return memory_file(read_file(subject_path(other)));
    });
    REQUIRE(module);
    CHECK(asked >= 3);
    for (std::size_t offset = 0x1000; offset < 0x1400; offset += 4) {
      for (const auto& frame : (*module)->resolve(offset)) {
        CAPTURE(name, offset, frame.function.value_or(""));
        CHECK(!frame.line);
        CHECK(frame.function.value_or("") != "hidden_function");
      }
    }
  }
}
