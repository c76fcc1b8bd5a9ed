// SPDX-License-Identifier: Apache-2.0
// What a user says of frames stands above the built-in rule.
#include <catch2/catch_test_macros.hpp>

#include "model/culprit_rules.hpp"
#include "wire_builder.hpp"

namespace connleak::test {
namespace {

using Role = CulpritRules::Role;

model::StackFrame frame(const char* function, const char* file, const char* module, bool application) {
  model::StackFrame out;
  out.function = function;
  out.file = file;
  out.module = module;
  out.application = application;
  return out;
}

CulpritRules rules(Role role, std::string_view pattern) {
  CulpritRules out;
  REQUIRE(out.add(role, pattern).has_value());
  return out;
}

bool is_helper(std::string_view pattern,
               model::StackFrame seen = frame("shop.db.query", "/srv/shop/lib/db.py", "db.py", true)) {
  rules(Role::helper, pattern).apply(seen);
  return seen.helper;
}

SymbolEvent symbol(std::uint64_t address, const char* function, bool application) {
  return {thread_of(9),         address,    0, 1, address, 42, function, "orders.c", "app",
          WIRE_LANGUAGE_NATIVE, application};
}

// The name of the culprit of the stack 1, 2, 3: a driver, a helper, who called it.
std::optional<std::string> blamed(const CulpritRules& rules) {
  model::StackBook book;
  book.add_symbol(symbol(1, "PQexec", false), rules);
  book.add_symbol(symbol(2, "db_query", true), rules);
  book.add_symbol(symbol(3, "find_order", true), rules);
  const model::Stack* stack = book.intern({1, 2, 3}, book);
  REQUIRE(stack != nullptr);
  return stack->culprit_frame() != nullptr ? stack->culprit_frame()->function : std::nullopt;
}

}  // namespace

TEST_CASE("a pattern names a function, a module or a file") {
  CHECK(is_helper("function:shop.db.*"));
  CHECK(is_helper("module:db.py"));
  CHECK(is_helper("file:/srv/shop/lib/db.py"));
  CHECK(is_helper("shop.db.query"));
  CHECK(is_helper("/srv/*/db.py"));
  CHECK_FALSE(is_helper("function:db.py"));
  CHECK_FALSE(is_helper("module:shop.db.query"));
  CHECK_FALSE(is_helper("file:shop.db.query"));
  CHECK_FALSE(is_helper("shop.db"));
  // The last part of a path is enough, from a slash on.
  CHECK(is_helper("lib/db.py"));
  CHECK(is_helper("file:db.py"));
  CHECK_FALSE(is_helper("file:b.py"));
  CHECK_FALSE(is_helper("file:/lib/db.py"));
  // Names of C++ are full of colons.
  CHECK(is_helper("std::shop::*", frame("std::shop::query", "x.cpp", "shop", true)));
  CHECK(is_helper("function:node:net", frame("node:net", "x", "y", true)));
  model::StackFrame unknown;
  CHECK_FALSE(is_helper("file:db.py", unknown));
}

TEST_CASE("the function that cgo puts around a call is not blamed, one that somebody wrote is") {
  const auto blamed_at = [](std::uint32_t line_of_caller, const char* called) {
    model::StackBook book;
    const auto add = [&](std::uint64_t address, const char* function, const char* file, std::uint32_t line,
                         bool own) {
      book.add_symbol({thread_of(9), address, 0, 1, address, line, function, file, "shop", WIRE_LANGUAGE_GO, own},
                      {});
    };
    add(1, called, "_cgo_gotypes.go", 210, false);
    add(2, "main.order.func1", "/srv/shop/order.go", 35, true);
    add(3, "main.order", "/srv/shop/order.go", line_of_caller, true);
    const model::StackFrame* culprit = book.intern({1, 2, 3}, book)->culprit_frame();
    return culprit != nullptr ? culprit->function : std::nullopt;
  };
  CHECK(blamed_at(35, "main._Cfunc_PQexec") == "main.order");
  CHECK(blamed_at(36, "main._Cfunc_PQexec") == "main.order.func1");
  CHECK(blamed_at(35, "github.com/lib/pq.(*conn).Exec") == "main.order.func1");
}

TEST_CASE("application stands above library, and a helper stays what it is") {
  CulpritRules both = rules(Role::library, "file:/srv/shop/vendor/*");
  REQUIRE(both.add(Role::application, "file:/srv/shop/vendor/acme/*").has_value());
  model::StackFrame vendored = frame("f", "/srv/shop/vendor/x/f.go", "shop", true);
  both.apply(vendored);
  CHECK_FALSE(vendored.application);
  model::StackFrame own = frame("f", "/srv/shop/vendor/acme/f.go", "shop", false);
  both.apply(own);
  CHECK(own.application);
  model::StackFrame helper = frame("query", "/srv/shop/db.go", "shop", true);
  rules(Role::helper, "query").apply(helper);
  CHECK(helper.application);
  CHECK(helper.helper);
}

TEST_CASE("a pattern that names nothing or is of no kind is refused in a sentence") {
  for (const char* pattern : {"", "*", "**", "function:", "module:*", "path:/srv", "node:net", "phar://x"}) {
    CulpritRules out;
    const auto added = out.add(Role::library, pattern);
    INFO(pattern);
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().kind == ErrorKind::usage);
    CHECK(added.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("the culprit is the first application frame that is no helper") {
  CHECK(blamed({}) == "db_query");
  CHECK(blamed(rules(Role::helper, "db_*")) == "find_order");
  CHECK(blamed(rules(Role::library, "db_*")) == "find_order");
  CHECK(blamed(rules(Role::application, "PQ*")) == "PQexec");
  CHECK(blamed(rules(Role::helper, "*_*")) == std::nullopt);
}

TEST_CASE("a stack of helpers alone still has application frames") {
  model::StackBook book;
  const CulpritRules all = rules(Role::helper, "*_*");
  book.add_symbol(symbol(1, "PQexec", false), all);
  book.add_symbol(symbol(2, "db_query", true), all);
  CHECK(book.intern({1, 2}, book)->has_application_frame());
  CHECK_FALSE(book.intern({1}, book)->has_application_frame());
}

}  // namespace connleak::test
