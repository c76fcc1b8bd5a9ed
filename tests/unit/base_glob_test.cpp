// SPDX-License-Identifier: Apache-2.0
// Patterns of names.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/glob.hpp"

using connleak::glob_matches;

TEST_CASE("a pattern fits the whole text, and only '*' stands for anything") {
  CHECK(glob_matches("find", "find"));
  CHECK_FALSE(glob_matches("find", "find_order"));
  CHECK_FALSE(glob_matches("find", "a find"));
  CHECK(glob_matches("find*", "find_order"));
  CHECK(glob_matches("*order", "find_order"));
  CHECK(glob_matches("*d*r*", "find_order"));
  CHECK_FALSE(glob_matches("*x*", "find_order"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("**", "any"));
  CHECK(glob_matches("", ""));
  CHECK_FALSE(glob_matches("", "any"));
  CHECK(glob_matches("*ab", "aab"));
  CHECK(glob_matches("a*bc*bd", "abcxbcybd"));
  // Names are full of what other patterns take for signs.
  CHECK(glob_matches("main.(*Store[...]).Get", "main.(*Store[...]).Get"));
  CHECK_FALSE(glob_matches("active?", "actives"));
}

TEST_CASE("a pattern of many stars ends soon") {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "a*";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}
