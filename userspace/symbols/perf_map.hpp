// SPDX-License-Identifier: Apache-2.0
// /tmp/perf-PID.map: where a JIT compiler put the functions of a process (node --perf-basic-prof; jcmd PID
// Compiler.perfmap, from JDK 17; perf-map-agent). Lines "START SIZE name", numbers in hex.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "symbols/frame.hpp"

namespace connleak {

class PerfMap {
 public:
  // The map that the process wrote, in its own root and under the pid that it has in its own namespace. `process`:
  // see open_process. nullopt: there is none, or one that is not to be trusted: no regular file, on FUSE, or owned
  // by somebody who is neither root nor the user of the process.
  [[nodiscard]] static std::optional<PerfMap> open(const Fd& process);

  // What is beyond is not read. node with a big application writes some 20 MB.
  struct Limits {
    std::uint64_t bytes = std::uint64_t{64} << 20;
    std::size_t functions = 1'000'000;
  };
  explicit PerfMap(Fd file) : PerfMap(std::move(file), Limits()) {}
  PerfMap(Fd file, Limits limits);

  // Reads what was added since, or all of it where the file was written anew. false: the file is deleted, open
  // again.
  bool refresh();

  // The function at the address; of several that cover it the one that was written last. perf_names.hpp says what
  // is known of it: `line` is where it begins.
  [[nodiscard]] std::optional<SymbolFrame> lookup(std::uint64_t address) const;

  [[nodiscard]] std::size_t size() const { return functions_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const {
    return names_.capacity() + functions_.capacity() * sizeof(Function) + pieces_.capacity() * sizeof(Piece);
  }

 private:
  struct Function {
    std::uint64_t start;
    std::uint64_t end;
    std::uint32_t name;  // in names_
    std::uint32_t name_size;
  };
  // From here to the next one is this function, or nothing.
  struct Piece {
    std::uint64_t start;
    std::uint32_t function;
  };
  void clear();
  void read_on(std::uint64_t size);
  void add_line(std::string_view line);
  void sort();
  [[nodiscard]] bool is_continued() const;
  [[nodiscard]] SymbolFrame frame(const Function& function) const;

  Fd file_;
  Limits limits_;
  std::uint64_t done_ = 0;  // bytes, of whole lines
  std::string last_;        // the end of them: still the same where the file only grew
  std::string names_;
  std::vector<Function> functions_;  // as written
  std::size_t sorted_ = 0;           // how many of them pieces_ has; the later ones are few and looked through
  std::vector<Piece> pieces_;
};

}  // namespace connleak
