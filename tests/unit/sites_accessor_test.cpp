// SPDX-License-Identifier: Apache-2.0
// Members told from the functions that return them.
#include <dlfcn.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <numeric>

#include "sites/accessor.hpp"
#include "sites/code_file.hpp"

using namespace connleak;
using connleak::test::CodeFile;

namespace {

std::optional<Accessor> accessor(const std::string& name) {
  static const CodeFile file(test::sites_subject("places.so"));
  return accessor_offset(file.image(), file.function(name));
}

}  // namespace

TEST_CASE("a function that returns one member tells where it is", "[sites]") {
  CHECK(accessor("member") == Accessor{0x1b8, 4});
  CHECK(accessor("member_wide") == Accessor{16, 8});
  CHECK(accessor("member_in_frame") == Accessor{0x40, 4});
}

TEST_CASE("a function that does more than return one member tells nothing", "[sites]") {
  const std::string name = GENERATE("member_of_two", "member_changed", "member_on_condition", "member_of_member",
                                    "member_of_array", "member_not_returned", "no_member", "push_first", "empty");
  CAPTURE(name);
  CHECK(!accessor(name));
}

TEST_CASE("libpq's accessors return the member that was told", "[sites]") {
  void* library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) SKIP("there is no libpq.so.5");
  const std::string name = GENERATE("PQsocket", "PQstatus");
  void* function = ::dlsym(library, name.c_str());
  REQUIRE(function != nullptr);
  Dl_info info{};
  REQUIRE(::dladdr(function, &info) != 0);
  const CodeFile file(info.dli_fname);
  const auto told = accessor_offset(file.image(), file.function(name));
  CAPTURE(name, info.dli_fname);
  REQUIRE(told);
  REQUIRE(told->size == 4);
  // An object in which every word is its own number.
  std::array<int, 1024> object{};
  std::iota(object.begin(), object.end(), 0);
  CHECK(reinterpret_cast<int (*)(void*)>(function)(object.data()) == told->offset / 4);
  ::dlclose(library);
}
