// SPDX-License-Identifier: Apache-2.0
// What of a function's name outlives a build.
#include <catch2/catch_test_macros.hpp>

#include "base/stack_hash.hpp"

using namespace connleak;

TEST_CASE("what compilers put behind a name does not last") {
  const auto native = [](const char* name) { return lasting_name(name, NameStyle::native); };
  CHECK(native("find_order") == "find_order");
  CHECK(native("find_order.part.0") == "find_order");
  CHECK(native("find_order.constprop.1") == "find_order");
  CHECK(native("find_order.isra.0.cold") == "find_order");
  CHECK(native("find_order.lto_priv.12") == "find_order");
  CHECK(native("find_order.llvm.1234567890") == "find_order");
  CHECK(native("shop::find(int) [clone .part.0]") == "shop::find(int)");
  CHECK(native("shop::find(int) [clone .isra.0] [clone .cold]") == "shop::find(int)");
  CHECK(native("shop::orders::find::h0123456789abcdef") == "shop::orders::find");
  CHECK(native("shop::orders::find::h0123456789abcdef.llvm.77") == "shop::orders::find");
  CHECK(native("shop::orders::find::{{closure}}") == "shop::orders::find::{{closure}}");
  // These are names.
  CHECK(native("part.0") == "part.0");
  CHECK(native(".cold") == ".cold");
  CHECK(native("find2") == "find2");
  CHECK(native("order.v2") == "order.v2");
  CHECK(native("shop::orders::find::h0123") == "shop::orders::find::h0123");
  CHECK(native("Grid<int>::operator[]") == "Grid<int>::operator[]");
  CHECK(native(" [clone .x]") == " [clone .x]");
  CHECK(native("") == "");
}

TEST_CASE("closures of Go and methods of scripts keep their names whole") {
  CHECK(lasting_name("main.find.func1", NameStyle::other) == "main.find.func1");
  CHECK(lasting_name("main.cold", NameStyle::other) == "main.cold");
}

TEST_CASE("classes that a JVM makes are numbered anew in every run") {
  const auto java = [](const char* name) { return lasting_name(name, NameStyle::java); };
  CHECK(java("com.acme.Orders.find") == "com.acme.Orders.find");
  CHECK(java("com.acme.Orders$$Lambda$14/0x0000000800c03000.run") ==
        java("com.acme.Orders$$Lambda$9/0x00007f.run"));
  CHECK(java("com.acme.Orders$$Lambda/0x00007f01.run") == java("com.acme.Orders$$Lambda/0x00007f02.run"));
  CHECK(java("jdk.proxy2.$Proxy12.find") == java("jdk.proxy2.$Proxy7.find"));
  CHECK(java("com.acme.Orders$$EnhancerBySpringCGLIB$$1f2e.find") ==
        java("com.acme.Orders$$EnhancerBySpringCGLIB$$aa01.find"));
  CHECK(java("com.acme.Orders1.find") != java("com.acme.Orders2.find"));
}

TEST_CASE("a stack's id tells functions from offsets and from addresses") {
  StackHash function;
  function.frame("app", "find", NameStyle::native);
  StackHash offset;
  offset.frame("app", 7);
  StackHash address;
  address.address(7);
  CHECK(function.id() != offset.id());
  CHECK(offset.id() != address.id());
  CHECK(StackHash().id() == "cbf29ce484222325");
}
