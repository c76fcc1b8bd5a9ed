// SPDX-License-Identifier: Apache-2.0
#include "pools/subject.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "piped_child.hpp"

namespace connleak::test {

std::vector<std::string> pool_programs(const std::string& kind) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(CONNLEAK_POOL_SUBJECTS)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kind + "_")) paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  if (paths.empty()) SKIP("no Go program with such a pool: no go when it was configured, or no module proxy");
  return paths;
}

GoProgram::GoProgram(const std::string& path) : file(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  auto opened = ElfImage::open(file.get());
  if (!opened) throw std::runtime_error(path + ": " + opened.error().message);
  image = std::make_unique<ElfImage>(*std::move(opened));
}

PoolSubject::PoolSubject(const std::string& path) {
  PipedChild child = start_piped({path});
  pid_ = child.pid;
  input_ = std::move(child.input);
  output_ = ::fdopen(child.output.release(), "r");
  memory_ = ProcessMemory(pid_);
}

PoolSubject::~PoolSubject() {
  std::fclose(output_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

nlohmann::json PoolSubject::ask(const std::string& command) {
  const std::string line = command + "\n";
  if (::write(input_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("the program is gone");
  char* text = nullptr;
  std::size_t room = 0;
  const ssize_t size = ::getline(&text, &room, output_);
  const std::string answer(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  std::free(text);
  if (answer.empty()) throw std::runtime_error("the program ended at: " + command);
  return nlohmann::json::parse(answer);
}

std::uint64_t address_of(const nlohmann::json& text) { return std::stoull(text.get<std::string>(), nullptr, 16); }

std::vector<std::uint64_t> addresses_of(const nlohmann::json& texts) {
  std::vector<std::uint64_t> addresses;
  for (const auto& text : texts) addresses.push_back(address_of(text));
  return addresses;
}

std::vector<std::uint64_t> members_in(const PoolReading& reading, MemberState state) {
  std::vector<std::uint64_t> handles;
  for (const PoolMember& member : reading.members)
    if (member.state == state) handles.push_back(member.handle);
  return handles;
}

PoolReading reading_of(const GoPools& pools, PoolKind kind, const Memory& memory, const nlohmann::json& said) {
  const auto reading = pools.read(kind, memory, address_of(said["address"]));
  INFO((reading ? "" : reading.error().message));
  REQUIRE(reading.has_value());
  return *reading;
}

}  // namespace connleak::test
