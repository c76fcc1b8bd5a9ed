// SPDX-License-Identifier: Apache-2.0
// Goroutines of programs built by every Go that is installed.
#include <fcntl.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cstring>
#include <fstream>

#include "base/process_memory.hpp"
#include "interpreters/go_runtime.hpp"
#include "symbols/go_build_info.hpp"
#include "symbols/go_table.hpp"
#include "symbols/subject.hpp"
#include "symbols/symbolizer.hpp"

namespace connleak::test {

namespace {

// "go_1.26-exe", one for each Go and way to build; empty without Go.
std::vector<std::string> programs(std::string_view way = "") {
  std::vector<std::string> found;
  std::ifstream list(subject_path("go_versions"));
  for (std::string name; std::getline(list, name);)
    if (name.ends_with(way)) found.push_back(name);
  return found;
}

struct Program {
  explicit Program(const std::string& name)
      : file(::open(subject_path(name).c_str(), O_RDONLY | O_CLOEXEC)),
        image(ElfImage::open(file.get()).value()) {}
  Fd file;
  ElfImage image;
  [[nodiscard]] std::uint64_t text() const { return find_go_layout(image).value().text; }
};

// The executable of a process, as the symbolizer finds it.
std::optional<goroutine_layout> look(const Subject& subject, const Memory& memory) {
  Symbolizer symbolizer;
  for (const LoadedFile& file : symbolizer.files(subject.pid(), subject.start_ns())) {
    if (!file.module->is_go()) continue;
    const auto runtime = GoRuntime::open({file.path, file.bias, &file.module->image(), file.module->debug_image()},
                                         file.module->go_table()->layout().text);
    return runtime ? runtime->find(memory) : std::nullopt;
  }
  return std::nullopt;
}

// Memory in which the word `from`, where it is read alone, is another one.
class Altered final : public Memory {
 public:
  Altered(const Memory& memory, std::uint64_t from, std::uint64_t to) : memory_(memory), from_(from), to_(to) {}
  bool read(std::uint64_t address, std::span<std::byte> out) const override {
    if (!memory_.read(address, out)) return false;
    if (out.size() == sizeof from_ && std::memcmp(out.data(), &from_, sizeof from_) == 0)
      std::memcpy(out.data(), &to_, sizeof to_);
    return true;
  }

 private:
  const Memory& memory_;
  std::uint64_t from_;
  std::uint64_t to_;
};

}  // namespace

TEST_CASE("Go: what the table says of a version is what its debug information says", "[interpreters][go]") {
  const auto all = programs("-exe");
  if (all.empty()) SKIP("go was not found when the build was configured");
  const std::string name = GENERATE_COPY(from_range(all));
  const Program program(name);
  const std::string version = read_go_build_info(program.image).value().version;
  const auto described = described_go_structs(program.image);
  const auto known = known_go_structs(version);
  CAPTURE(name, version);
  REQUIRE(described);
  CAPTURE(described->self, described->thread, described->current, described->id, described->frame);
  CHECK(std::ranges::find(known, *described) != known.end());
}

TEST_CASE("Go: the goroutines of a living program are found, however it was built", "[interpreters][go]") {
  const auto all = programs();
  if (all.empty()) SKIP("go was not found when the build was configured");
  const std::string name = GENERATE_COPY(from_range(all));
  CAPTURE(name);
  const Program program(name);
  const Subject subject(subject_path(name));
  const auto found = look(subject, ProcessMemory(static_cast<pid_t>(subject.pid())));
  REQUIRE(found);
  if (const auto described = described_go_structs(program.image)) {
    CHECK(GoStructs{found->self, found->thread, found->current, found->id, found->frame} == *described);
  }
  // Where C has thread-local variables, too, g lies elsewhere.
  const auto running = go_thread_local(program.image, program.text());
  CHECK(running == found->running);
  CHECK((*running == -8) == !name.ends_with("-c"));
}

TEST_CASE("Go: a program whose goroutines are not what its version says has none", "[interpreters][go]") {
  const auto all = programs("-exe");
  if (all.empty()) SKIP("go was not found when the build was configured");
  const Subject subject(subject_path(all.back()));
  const ProcessMemory memory(static_cast<pid_t>(subject.pid()));
  CHECK(look(subject, memory));
  // Ids of goroutines.
  CHECK_FALSE(look(subject, Altered(memory, 1, 2)));
  CHECK_FALSE(look(subject, Altered(memory, 2, 3)));
  CHECK(look(subject, Altered(memory, 2, 0)));  // as one that is being made
}

TEST_CASE("Go: versions that are not known have no layout", "[interpreters][go]") {
  for (const char* version : {"", "go1", "go1.", "go1.x", "go1.18.10", "go1.28", "go1.127", "go2.23",
                              "devel go1.26-abc", "unknown", "go1.99999999999999999999"})
    CHECK(known_go_structs(version).empty());
  CHECK(known_go_structs("go1.19.8").size() == 1);
  CHECK(known_go_structs("go1.24.1").size() == 2);
  CHECK(known_go_structs("go1.27rc1").size() == 1);
  CHECK(known_go_structs("go1.26.8 X:nojsonv2").size() == 1);
  CHECK(known_go_structs("go1.22.12").front().id == 152);
  CHECK(known_go_structs("go1.23.5").front().id == 160);
}

}  // namespace connleak::test
