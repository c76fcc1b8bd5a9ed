// SPDX-License-Identifier: Apache-2.0
// A Go program with pools (sql_subject, pgx_subject) that does what it is told and says what its pools say.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/process_memory.hpp"
#include "pools/go_pools.hpp"
#include "symbols/elf_image.hpp"

namespace connleak::test {

// Paths of the programs that the build made, by "sql" or "pgx"; skips the test where there is none.
std::vector<std::string> pool_programs(const std::string& kind);

struct GoProgram {
  explicit GoProgram(const std::string& path);
  Fd file;
  std::unique_ptr<ElfImage> image;
};

class PoolSubject {
 public:
  explicit PoolSubject(const std::string& path);
  ~PoolSubject();  // ends it
  PoolSubject(const PoolSubject&) = delete;
  PoolSubject& operator=(const PoolSubject&) = delete;

  // "0 take 3": the pool and the command. What it says of all pools afterwards.
  nlohmann::json ask(const std::string& command);
  [[nodiscard]] const Memory& memory() const { return memory_; }

 private:
  pid_t pid_ = -1;
  Fd input_;
  std::FILE* output_ = nullptr;
  ProcessMemory memory_{-1};
};

// "0x2b18fb33e180"
std::uint64_t address_of(const nlohmann::json& text);
std::vector<std::uint64_t> addresses_of(const nlohmann::json& texts);

// Of the pool that the program said so of; fails the test where it cannot be read.
PoolReading reading_of(const GoPools& pools, PoolKind kind, const Memory& memory, const nlohmann::json& said);

// The handles of the members in this state, as they come.
std::vector<std::uint64_t> members_in(const PoolReading& reading, MemberState state);

}  // namespace connleak::test
