// SPDX-License-Identifier: Apache-2.0
// base/atomic_file.hpp: files replaced whole, lines appended whole.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "base/atomic_file.hpp"
#include "temporary_directory.hpp"

using namespace connleak;
using test::content_of;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

}  // namespace

TEST_CASE("a file is replaced whole and keeps its mode", "[base]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("report.json");
  REQUIRE(write_whole(path, "first, and longer"));
  CHECK(content_of(path) == "first, and longer");
  CHECK((mode_of(path) & 0600) == 0600);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  REQUIRE(write_whole(path, "second"));
  CHECK(content_of(path) == "second");
  CHECK(mode_of(path) == 0640);
  CHECK(directory.entries() == 1);
}

TEST_CASE("a failed replacement leaves no trace", "[base]") {
  const test::TemporaryDirectory directory;
  const auto missing = write_whole(directory.file("missing/report.json"), "x");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("missing/report.json") != std::string::npos);
  std::filesystem::create_directory(directory.file("folder"));
  CHECK_FALSE(write_whole(directory.file("folder"), "x"));
  CHECK(directory.entries() == 1);
}

TEST_CASE("a symbolic link stays one: what it names is replaced", "[base]") {
  const test::TemporaryDirectory directory;
  test::put_content(directory.file("real"), "old");
  std::filesystem::create_symlink("real", directory.file("link"));
  REQUIRE(write_whole(directory.file("link"), "new"));
  CHECK(std::filesystem::is_symlink(directory.file("link")));
  CHECK(content_of(directory.file("real")) == "new");
}

TEST_CASE("a device is written to, never replaced", "[base]") {
  CHECK(write_whole("/dev/null", "x"));
  CHECK(std::filesystem::is_character_file("/dev/null"));
  const auto full = write_whole("/dev/full", "x");
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::failed);
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("lines are appended", "[base]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("log.jsonl");
  REQUIRE(append_line(path, "{\"a\":1}"));
  REQUIRE(append_line(path, "{\"a\":2}"));
  CHECK(content_of(path) == "{\"a\":1}\n{\"a\":2}\n");
  CHECK_FALSE(append_line("/dev/full", "x"));
  CHECK_FALSE(append_line(directory.file("missing/log.jsonl"), "x"));
}
