// SPDX-License-Identifier: Apache-2.0
// Stacks of programs without frame pointers, captured as the kernel side does, compared with what the programs do.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>

#include "temporary_directory.hpp"
#include "unwind/stopped.hpp"
#include "unwind/unwinder.hpp"

using namespace connleak;
using connleak::test::Stopped;
using connleak::test::unwind_subject;

#ifdef __x86_64__

namespace {

using Names = std::vector<std::string>;

bool is_ours(const std::string& module) {
  return module.starts_with("c_") || module == "cpp" || module == "library.so";
}

// Functions of the subject by name, what is inlined first; of each other module its name, once for all frames in a
// row.
Names name_all(Symbolizer& symbolizer, std::uint32_t pid, const std::vector<std::uint64_t>& addresses) {
  Names names;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto& frames = symbolizer.resolve(pid, 0, addresses[i], i > 0);
    if (frames.empty()) names.emplace_back("nothing");
    for (const SymbolFrame& frame : frames) {
      const std::string& module = frame.module;
      const std::string other =
          module.starts_with('[') ? module : "[" + module.substr(0, module.find(".so")) + "]";
      if (is_ours(frame.module)) {
        names.push_back(frame.function.value_or("?"));
      } else if (names.empty() || names.back() != other) {
        names.push_back(other);
      }
    }
  }
  return names;
}

struct Unwound {
  Names names;
  UnwoundStack stack;
};

Unwound unwind(const Stopped& subject, bool is_deep = false) {
  const auto taken = subject.take(is_deep);
  REQUIRE(taken);
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  Unwound result;
  result.stack = unwinder.unwind(subject.pid(), 0, *taken);
  result.names = name_all(symbolizer, subject.pid(), result.stack.addresses);
  CHECK(unwinder.stats().cut == (result.stack.cut_at != 0 ? 1 : 0));
  return result;
}

Names with_start(Names names) {
  for (const char* outer : {"main", "[libc]", "_start"}) names.emplace_back(outer);
  return names;
}

}  // namespace

TEST_CASE("a C program without frame pointers has its whole stack", "[unwind]") {
  const std::string program = GENERATE("c_pie", "c_fixed", "c_pointers", "c_unsorted");
  CAPTURE(program);
  const std::string path = unwind_subject(program);
  struct Place {
    std::string name;
    Names frames;
  };
  const Place place = GENERATE(Place{"plain", {"plain"}}, Place{"arrays", {"with_alloca", "with_array"}},
                               Place{"aligned", {"aligned"}});
  Names expected{"[libc]", "wait_here", "inner"};
  expected.insert(expected.end(), place.frames.begin(), place.frames.end());
  const Stopped subject({path, place.name});
  const Unwound result = unwind(subject);
  CHECK(result.names == with_start(expected));
  CHECK(result.stack.cut_at == 0);
}

TEST_CASE("a stack goes on through libc, which keeps no frame pointer", "[unwind]") {
  const Stopped subject({unwind_subject("c_pie"), "sort"});
  CHECK(unwind(subject).names == with_start({"[libc]", "wait_here", "inner", "compare", "[libc]", "sort"}));
}

TEST_CASE("a stack goes on through a signal's frame to what was interrupted", "[unwind]") {
  const std::string program = GENERATE("c_pie", "c_pointers");
  const Stopped subject({unwind_subject(program), "interrupted"});
  const Unwound result = unwind(subject, true);  // the vector registers are saved there, too
  CHECK(result.names == with_start({"[libc]", "wait_here", "inner", "handle", "[libc]", "interrupted"}));
}

TEST_CASE("a handler on a stack of its own ends at the interrupted function, and is not cut", "[unwind]") {
  const Stopped subject({unwind_subject("c_fixed"), "elsewhere"});
  const Unwound result = unwind(subject);
  CHECK(result.names == Names{"[libc]", "wait_here", "inner", "handle", "[libc]"});
  CHECK(result.stack.cut_at == 0);
}

TEST_CASE("a thread's stack ends where the thread began", "[unwind]") {
  const Stopped subject({unwind_subject("c_pie"), "thread"});
  const Unwound result = unwind(subject);
  CHECK(result.names == Names{"[libc]", "wait_here", "inner", "thread_main", "[libc]"});
  CHECK(result.stack.cut_at == 0);
}

TEST_CASE("generated code that keeps a frame pointer does not end the stack", "[unwind]") {
  const Stopped subject({unwind_subject("c_pie"), "generated"});
  CHECK(unwind(subject).names == with_start({"[libc]", "wait_here", "inner", "[generated]", "generated"}));
}

TEST_CASE("a library that was loaded later is gone through", "[unwind]") {
  const std::string library = unwind_subject("library.so");
  SECTION("called") {
    const Stopped subject({unwind_subject("c_pie"), "library", library});
    CHECK(unwind(subject).names ==
          with_start({"[libc]", "wait_here", "inner", "library_inner", "library_call", "library"}));
  }
  SECTION("while a function of it is bound") {
    const Stopped subject({unwind_subject("c_pie"), "binding", library});
    CHECK(unwind(subject).names == with_start({"[libc]", "wait_here", "inner", "library_chosen",
                                               "[ld-linux-x86-64]", "library_bind", "binding"}));
  }
}

TEST_CASE("a recursion deeper than what was captured is cut, the deeper the later", "[unwind]") {
  const auto recursions = [](const Unwound& result) {
    return std::ranges::count(result.names, std::string("recurse"));
  };
  SECTION("fits") {
    const Stopped subject({unwind_subject("c_pie"), "recurse", "8"});
    const Unwound result = unwind(subject);
    CHECK(recursions(result) == 8);
    CHECK(result.names.back() == "_start");
    CHECK(result.stack.cut_at == 0);
  }
  SECTION("fits what is captured of deep ones") {
    const Stopped subject({unwind_subject("c_pie"), "recurse", "20"});
    const Unwound result = unwind(subject);
    CHECK(recursions(result) >= 11);
    CHECK(recursions(result) <= 17);
    CHECK(result.stack.cut_at >= CAPTURE_BYTES);
    const Unwound deep = unwind(subject, true);
    CHECK(recursions(deep) == 20);
    CHECK(deep.names.back() == "_start");
    CHECK(deep.stack.cut_at == 0);
  }
  SECTION("fits neither") {
    const Stopped subject({unwind_subject("c_pie"), "recurse", "200"});
    const Unwound deep = unwind(subject, true);
    CHECK(recursions(deep) >= 22);
    CHECK(deep.stack.addresses.size() < WIRE_FRAMES);
    CHECK(deep.stack.cut_at >= std::uint64_t{2} * CAPTURE_BYTES);
  }
}

TEST_CASE("a stripped program has the same stack, with sections or without", "[unwind]") {
  const connleak::test::TemporaryDirectory directory;
  std::string program = unwind_subject("c_stripped");
  SECTION("with sections") {}
  SECTION("without") {
    std::string bytes = connleak::test::content_of(program);
    // e_shoff, and e_shentsize, e_shnum, e_shstrndx.
    std::memset(bytes.data() + 40, 0, 8);
    std::memset(bytes.data() + 58, 0, 6);
    program = directory.file("c_without");
    connleak::test::put_content(program, bytes);
    REQUIRE(::chmod(program.c_str(), 0700) == 0);
  }
  const Stopped subject({program, "sort"});
  const auto taken = subject.take();
  REQUIRE(taken);
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  const auto stack = unwinder.unwind(subject.pid(), 0, *taken);
  CHECK(stack.cut_at == 0);
  // Strip moves nothing: the program that it was made of has the names.
  auto twin = Module::open(Fd(::open(unwind_subject("c_pie").c_str(), O_RDONLY | O_CLOEXEC)), "/c_pie",
                           [](const std::string&) { return Fd(); });
  REQUIRE(twin);
  Names names;
  for (std::size_t i = 0; i < stack.addresses.size(); ++i) {
    const auto& frames = symbolizer.resolve(subject.pid(), 0, stack.addresses[i], i > 0);
    REQUIRE(!frames.empty());
    if (!is_ours(frames[0].module)) continue;
    CHECK(frames.size() == 1);
    CHECK(!frames[0].function);
    const auto offset = (*twin)->image().offset_of_address(frames[0].offset - (i > 0 ? 1 : 0));
    REQUIRE(offset);
    names.push_back((*twin)->resolve(*offset).front().function.value_or("?"));
  }
  CHECK(names == Names{"wait_here", "inner", "compare", "sort", "main", "_start"});
}

TEST_CASE("C++ stacks go through lambdas, inlined functions and exceptions", "[unwind]") {
  const std::string path = unwind_subject("cpp");
  const auto ours = [](const Unwound& result) {
    Names names;
    for (const auto& name : result.names)
      if (!name.starts_with("[")) names.push_back(name.substr(0, name.find("(")));
    return names;
  };
  SECTION("inlined") {
    const Stopped subject({path, "inlined"});
    CHECK(ours(unwind(subject)) == Names{"wait_here", "shop::inlined", "shop::with_inlined", "main", "_start"});
  }
  SECTION("a destructor that an exception runs") {
    const Stopped subject({path, "thrown"});
    CHECK(ours(unwind(subject)) ==
          Names{"wait_here", "shop::Guard::~Guard", "shop::fail", "shop::thrown", "main", "_start"});
  }
  SECTION("a handler of an exception") {
    const Stopped subject({path, "caught"});
    CHECK(ours(unwind(subject)) ==
          Names{"wait_here", "shop::inlined", "shop::with_inlined", "shop::caught", "main", "_start"});
  }
  SECTION("called back") {
    const Stopped subject({path, "called back"});
    const Names names = ours(unwind(subject));
    CAPTURE(names);
    REQUIRE(names.size() >= 6);
    CHECK(names.front() == "wait_here");
    CHECK(std::ranges::find(names, "shop::Cart::check") != names.end());
    CHECK(names[names.size() - 3] == "shop::called_back");
    CHECK(names[names.size() - 2] == "main");
  }
}

TEST_CASE("what is no raw stack has no frames", "[unwind]") {
  const Stopped subject({unwind_subject("c_pie"), "plain"});
  const auto taken = subject.take();
  REQUIRE(taken);
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  for (const std::uint16_t form : {CAPTURE_NONE, CAPTURE_SCRIPT, CAPTURE_FORM_END}) {
    taken->stack.form = form;
    CHECK(unwinder.unwind(subject.pid(), 0, *taken).addresses.empty());
  }
  CHECK(unwinder.stats().stacks == 0);
  taken->stack.form = CAPTURE_RAW;
  taken->stack.registers[CAPTURE_IP] = 1;
  CHECK(unwinder.unwind(subject.pid(), 0, *taken).addresses.empty());
}

TEST_CASE("a stack of garbage ends, and each of its frames lies in code", "[unwind][hostile]") {
  const Stopped subject({unwind_subject("c_pie"), "sort"});
  const auto right = subject.take();
  REQUIRE(right);
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  const auto whole = unwinder.unwind(subject.pid(), 0, *right);
  for (std::uint16_t size = 0; size < right->stack.size; size = static_cast<std::uint16_t>(size + 13)) {
    auto cut = *right;
    cut.stack.size = size;
    std::memset(cut.stack.data + size, 0, sizeof cut.stack.data - size);
    const auto stack = unwinder.unwind(subject.pid(), 0, cut);
    REQUIRE(stack.addresses.size() <= whole.addresses.size());
    CHECK(std::ranges::equal(stack.addresses, std::span(whole.addresses).first(stack.addresses.size())));
    CHECK(stack.cut_at == 0);
  }
  // Every word an address of the stack itself, or of code.
  for (const std::uint64_t word : {right->stack.registers[CAPTURE_SP], right->stack.registers[CAPTURE_IP]}) {
    auto filled = *right;
    for (std::size_t at = 0; at + 8 <= CAPTURE_BYTES; at += 8) std::memcpy(filled.stack.data + at, &word, 8);
    filled.stack.size = CAPTURE_BYTES;
    const auto stack = unwinder.unwind(subject.pid(), 0, filled);
    CHECK(stack.addresses.size() <= WIRE_FRAMES);
    for (const std::uint64_t address : stack.addresses) CHECK(symbolizer.code_at(subject.pid(), 0, address - 1));
  }
}

TEST_CASE("rows are forgotten under a limit, and read again", "[unwind]") {
  const Stopped subject({unwind_subject("c_pie"), "sort"});
  const auto taken = subject.take();
  REQUIRE(taken);
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  const auto whole = unwinder.unwind(subject.pid(), 0, *taken);
  CHECK(unwinder.memory_bytes() > 1000);
  CHECK(unwinder.memory_bytes() < 20'000);
  Unwinder small(symbolizer, {.files = 1, .bytes = 1});
  for (int i = 0; i < 3; ++i) {
    CHECK(small.unwind(subject.pid(), 0, *taken).addresses == whole.addresses);
    CHECK(small.memory_bytes() < unwinder.memory_bytes());
  }
}

#endif
