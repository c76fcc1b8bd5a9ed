// SPDX-License-Identifier: Apache-2.0
// A program or library whose functions are found by name.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "sites/sites.hpp"

namespace connleak::test {

struct NamedFunction {
  std::string name;
  FunctionRange range;
};

class CodeFile {
 public:
  // Throws where there is no such file, as a test that needs it must fail.
  explicit CodeFile(const std::string& path);

  [[nodiscard]] const ElfImage& image() const { return image_; }
  // Also labels, whose size is 0.
  [[nodiscard]] const std::vector<NamedFunction>& functions() const { return functions_; }
  // Throws where there is none of that name. Of several versions, the one whose size is known.
  [[nodiscard]] FunctionRange function(const std::string& name) const;
  [[nodiscard]] std::uint64_t address(const std::string& name) const { return function(name).address; }
  // The bytes at a link-time address.
  [[nodiscard]] std::vector<std::byte> bytes(std::uint64_t address, std::size_t size) const;

 private:
  std::string path_;
  Fd file_;
  ElfImage image_;
  std::vector<NamedFunction> functions_;
};

// A program or library built by sites.cmake.
std::string sites_subject(const std::string& name);
std::vector<std::uint8_t> sites_subject_bytes(const std::string& name);
// A file that exists in memory only.
Fd file_of(const std::vector<std::uint8_t>& bytes);

}  // namespace connleak::test
