// SPDX-License-Identifier: Apache-2.0
// Entries of functions, and how far they are slid.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sites/code_file.hpp"

using namespace connleak;
using connleak::test::CodeFile;
using connleak::test::sites_subject;

namespace {

const CodeFile& places() {
  static const CodeFile file(sites_subject("places.so"));
  return file;
}

constexpr RegisterSet kArguments = {Register::di, Register::si, Register::dx};
constexpr RegisterSet kGoArguments = {Register::ax, Register::bx, Register::r14, Register::sp};

Result<Site> entry_of(const std::string& name, RegisterSet wanted = kArguments, Abi abi = Abi::system_v) {
  return entry_site(places().image(), places().function(name), wanted, abi);
}

void check_place(const std::string& name, const Result<Site>& site, bool emulated) {
  CAPTURE(name, site ? site->instruction + " " + site->obstacle : site.error().message);
  REQUIRE(site);
  CHECK(site->address == places().address(name + ".site"));
  CHECK(site->slid == site->address - places().address(name));
  CHECK(site->offset == places().image().offset_of_address(site->address));
  CHECK(site->bytes == places().bytes(site->address, site->bytes.size()));
  CHECK(site->emulated == emulated);
  CHECK(site->obstacle.empty() == emulated);
}

std::string why_not(const std::string& name) {
  const auto site = entry_of(name);
  return site ? "a site: " + site->instruction : site.error().message;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an entry is slid to the first emulated instruction", "[sites]") {
  const std::string name =
      GENERATE("push_first", "endbr_push", "null_test", "far_branch", "tail_call", "nop_first", "spill",
               "frame_moved", "vector_first", "long_nops_first", "computed_push");
  const auto site = entry_of(name);
  check_place(name, site, true);
  CHECK(!site->may_repeat);
}

TEST_CASE("Go's stack check is slid over, and that it may be passed twice is said", "[sites]") {
  const std::string name = GENERATE("go_small", "go_large", "go_huge", "go_switch");
  const auto site = entry_of(name, kGoArguments, Abi::go);
  check_place(name, site, true);
  CHECK(site->may_repeat);
  CHECK(site->stack_moved == 0);
}

TEST_CASE("r12, with which Go checks its stack, is not slid over when it is wanted", "[sites]") {
  const auto site = entry_of("go_large", {Register::r12}, Abi::go);
  REQUIRE(site);
  CHECK(!site->emulated);
  CHECK(site->slid == 0);
  CHECK(says(site->obstacle, "changes r12"));
}

TEST_CASE("a loop back to the entry may repeat a site; a call of itself is a call", "[sites]") {
  const auto loop = entry_of("loop_at_entry");
  check_place("loop_at_entry", loop, true);
  CHECK(loop->may_repeat);
  const auto recursion = entry_of("calls_itself");
  check_place("calls_itself", recursion, true);
  CHECK(!recursion->may_repeat);
}

TEST_CASE("an entry is single-stepped where nothing emulated is reached with the arguments untouched", "[sites]") {
  const std::string name = GENERATE("writes_argument", "writes_part", "writes_memory", "loop_behind_entry",
                                    "aligns_stack", "computed_loop", "long_nop_then_frame", "indirect_jump");
  check_place(name, entry_of(name), false);
}

TEST_CASE("why an entry is single-stepped is said", "[sites]") {
  const auto obstacle = [](const std::string& name) { return entry_of(name)->obstacle; };
  CHECK(says(obstacle("writes_argument"), "changes rdi"));
  CHECK(says(obstacle("writes_part"), "(setz dil) changes rdi"));
  CHECK(says(obstacle("writes_memory"), "writes to memory"));
  CHECK(says(obstacle("loop_behind_entry"), "can be reached otherwise"));
  CHECK(says(obstacle("aligns_stack"), "changes rsp"));
}

TEST_CASE("how far the stack pointer was moved is known, unless it is wanted as it was", "[sites]") {
  CHECK(entry_of("frame_moved")->stack_moved == 0x20);
  const auto kept = entry_of("frame_moved", {Register::di, Register::sp});
  REQUIRE(kept);
  CHECK(!kept->emulated);
  CHECK(kept->stack_moved == 0);
  CHECK(says(kept->obstacle, "changes rsp"));
}

TEST_CASE("a call is a site in Go only, where there is no shadow stack", "[sites]") {
  check_place("call_first", entry_of("call_first", kGoArguments, Abi::go), true);
  CHECK(says(why_not("call_first"), "shadow stack"));
}

TEST_CASE("no probe goes to what the kernel refuses, nor to a long nop", "[sites]") {
  CHECK(says(why_not("lock_first"), "(lock inc [rdi])"));
  CHECK(says(why_not("halts"), "(hlt)"));
  CHECK(says(why_not("traps"), "(int3)"));
  CHECK(says(why_not("system_call"), "(syscall)"));
  CHECK(says(why_not("string_move"), "movsb"));
  CHECK(says(why_not("short_call"), "it is a call"));
  CHECK(says(why_not("indirect_call"), "it is a call"));
  CHECK(says(why_not("only_long_nop"), "a nop of several bytes"));
  // A refused first instruction that changes nothing is slid over.
  const auto prefixed = entry_of("prefixed");
  REQUIRE(prefixed);
  CHECK(prefixed->slid == 3);
  CHECK(!prefixed->emulated);
}

TEST_CASE("code that is not decoded to its end is left alone", "[sites]") {
  CHECK(says(why_not("cut_off"), "no instruction"));
  CHECK(says(why_not("jumps_into_itself"), "leads into an instruction"));
  CHECK(says(why_not("empty"), "size is not known"));
}

TEST_CASE("a range that is no code of the file is refused", "[sites]") {
  const auto why = [](FunctionRange range) {
    const auto site = entry_site(places().image(), range, kArguments, Abi::system_v);
    return site ? "a site" : site.error().message;
  };
  const std::uint64_t start = places().address("push_first");
  CHECK(says(why({start, Code::kMaxBytes + 1}), "more than the"));
  CHECK(says(why({start, ~std::uint64_t{0}}), "more than the"));
  CHECK(says(why({start, Code::kMaxBytes}), "not in the file's code"));
  CHECK(says(why({0, 4}), "not in the file's code"));
  CHECK(says(why({~std::uint64_t{0}, 4}), "not in the file's code"));
}

TEST_CASE("other processors' code is skipped with the reason", "[sites]") {
  auto bytes = test::sites_subject_bytes("places.so");
  bytes[18] = 183;  // e_machine: AArch64
  const Fd file = test::file_of(bytes);
  const auto image = ElfImage::open(file.get());
  REQUIRE(image);
  const auto site = entry_site(*image, places().function("push_first"), kArguments, Abi::system_v);
  REQUIRE(!site);
  CHECK(says(site.error().message, "machine 183"));
  CHECK(!after_call_sites(*image, places().function("called_twice"), 0, {}, Abi::go));
  CHECK(!return_sites(*image, places().function("push_first")));
}

TEST_CASE("a file that was replaced since is noticed", "[sites]") {
  auto bytes = test::sites_subject_bytes("places.so");
  const auto site = entry_of("null_test");
  REQUIRE(site);
  REQUIRE(is_unchanged(places().image(), *site));
  bytes[site->offset + 1] ^= 1;  // where the branch goes
  const Fd file = test::file_of(bytes);
  const auto image = ElfImage::open(file.get());
  REQUIRE(image);
  CHECK(!is_unchanged(*image, *site));
  REQUIRE(::ftruncate(file.get(), static_cast<off_t>(site->offset + 1)) == 0);
  CHECK(!is_unchanged(*image, *site));
}
