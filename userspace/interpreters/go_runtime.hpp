// SPDX-License-Identifier: Apache-2.0
// Goroutines of a Go program: where the kernel side finds the one that runs, and its frames while it calls C.
//
// Structures g, gobuf and m of Go's runtime/runtime2.go, on linux/amd64. A program keeps its g in thread-local
// storage, where its assembly finds it; asmcgocall (runtime/asm_amd64.s) saves the goroutine's frame pointer in
// g.sched before it goes on to C on the thread's own stack.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "interpreters/interpreter.hpp"

namespace connleak {

// The versions that are understood without debug information: 1.kGoOldest to 1.kGoNewest.
constexpr unsigned kGoOldest = 19;
constexpr unsigned kGoNewest = 27;

// Offsets in bytes, as in goroutine_layout.
struct GoStructs {
  std::uint32_t self = 0;     // g.sched.g
  std::uint32_t thread = 0;   // g.m
  std::uint32_t current = 0;  // m.curg
  std::uint32_t id = 0;       // g.goid
  std::uint32_t frame = 0;    // g.sched.bp
  friend bool operator==(const GoStructs&, const GoStructs&) = default;
};

// What a runtime of this version may have, as runtime.Version() gives it: a process shows which of them it is.
// Empty: not known.
[[nodiscard]] std::span<const GoStructs> known_go_structs(std::string_view version);
// By the program's debug information.
[[nodiscard]] std::optional<GoStructs> described_go_structs(const ElfImage& image);
// Where g is from the thread pointer, as the program's own code takes it from there. `text`: link-time address of
// Go's code.
[[nodiscard]] std::optional<std::int32_t> go_thread_local(const ElfImage& image, std::uint64_t text);

// What the file of a program says of its runtime. Keeps nothing of the file.
class GoRuntime {
 public:
  // nullopt: it cannot be understood. `text` as above.
  [[nodiscard]] static std::optional<GoRuntime> open(const MappedFile& file, std::uint64_t text);

  // Looks in the process whether its goroutines are what is expected: the list of all of them begins with the main
  // one, whose id is 1, and their ids differ. nullopt: the runtime has not started, or is another one.
  [[nodiscard]] std::optional<goroutine_layout> find(const Memory& memory) const;

 private:
  struct Range {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
  };
  GoRuntime() = default;

  std::int32_t running_ = 0;
  std::vector<GoStructs> structs_;
  std::vector<Range> data_;  // variables that begin as zeros: the list of goroutines is one of them
};

}  // namespace connleak
