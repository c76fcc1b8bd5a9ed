// SPDX-License-Identifier: Apache-2.0
// Starting a subject program.
#include "subject.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "piped_child.hpp"

namespace connleak::test {

namespace {

SaidFrame parse_frame(const std::string& word) {
  SaidFrame frame;
  // FUNCTION:LINE or FUNCTION:LINE:FILE, where a function may hold "::".
  for (auto colon = word.find(':'); colon != std::string::npos; colon = word.find(':', colon + 1)) {
    const auto digits = word.find_first_not_of("0123456789", colon + 1);
    if (digits == colon + 1 || (digits != std::string::npos && word[digits] != ':')) continue;
    frame.function = word.substr(0, colon);
    frame.line = static_cast<std::uint32_t>(std::stoul(word.substr(colon + 1)));
    if (digits != std::string::npos) frame.file = word.substr(digits + 1);
    break;
  }
  // Spaces in parameter lists are written as underscores.
  const auto parameters = std::min(frame.function.find('('), frame.function.size());
  std::replace(frame.function.begin() + static_cast<std::ptrdiff_t>(parameters), frame.function.end(), '_', ' ');
  return frame;
}

std::uint64_t read_start_ns(pid_t pid) {
  constexpr std::size_t kStart = 22 - 3;
  const auto fields = stat_fields(pid, pid);
  return std::stoull(fields.at(kStart)) * (1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK))) +
         1;
}

}  // namespace

std::string subject_path(const std::string& name) { return std::string(CONNLEAK_SYMBOLS_SUBJECTS) + "/" + name; }

Subject::Subject(const std::string& path) {
  PipedChild child = start_piped({path});
  pid_ = child.pid;
  input_ = std::move(child.input);
  output_ = ::fdopen(child.output.release(), "r");
  listen();
  start_ns_ = read_start_ns(pid_);
}

void Subject::listen() {
  char buffer[8192];
  while (std::fgets(buffer, sizeof buffer, output_) != nullptr && std::string(buffer) != "end\n") {
    std::istringstream words(buffer);
    SaidSite site;
    words >> std::hex >> site.address >> site.kind;
    for (std::string word; words >> word;) site.frames.push_back(parse_frame(word));
    sites_.push_back(std::move(site));
  }
}

void Subject::go_on() {
  if (::write(input_.get(), "\n", 1) != 1) throw std::runtime_error("the program is gone");
  listen();
}

void Subject::stop() {
  if (pid_ < 0) return;
  input_ = Fd();
  ::waitpid(pid_, nullptr, 0);
  std::fclose(output_);
  pid_ = -1;
}

const SaidSite& Subject::site(const std::string& kind) const {
  for (const auto& site : sites_) {
    if (site.kind == kind) return site;
  }
  throw std::runtime_error("the program says nothing about " + kind);
}

}  // namespace connleak::test
