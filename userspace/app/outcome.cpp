// SPDX-License-Identifier: Apache-2.0
#include "app/outcome.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "export/csv.hpp"
#include "export/html.hpp"
#include "export/json.hpp"
#include "views/text_report.hpp"

namespace connleak {
namespace {

std::string render(const Options& options, const Snapshot& snapshot, bool terminal) {
  switch (options.format) {
    case Format::json:
      return to_json(snapshot);
    case Format::csv:
      return to_csv(snapshot);
    case Format::html:
      return to_html(snapshot);
    case Format::text:
      break;
  }
  TextStyle style;
  style.colour = terminal && std::getenv("NO_COLOR") == nullptr;
  return render_report(snapshot, style);
}

// The whole file, or a usage error that names the option.
Result<std::string> read_file(const char* option, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad())
    return failure(ErrorKind::usage, fmt::format("{} {}: cannot be read.", option, escape(path)));
  return text;
}

// Connections in findings of this verdict that no baseline knows.
std::uint64_t fresh(const Snapshot& snapshot, Verdict verdict) {
  std::uint64_t count = 0;
  for (const Process& process : snapshot.processes)
    for (const Group& group : process.groups)
      for (const Finding& finding : group.findings)
        if (finding.verdict == verdict && !finding.known) count += finding.connections;
  return count;
}

}  // namespace

int exit_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return kExitUsage;
    case ErrorKind::unsupported:
      return kExitUnsupported;
    case ErrorKind::failed:
      break;
  }
  return kExitFailed;
}

int verdict_status(const Options& options, const Snapshot& snapshot) {
  bool failed = false;
  switch (options.fail_on) {
    case FailOn::leak:
      failed = fresh(snapshot, Verdict::leak) > 0;
      break;
    case FailOn::suspect:
      failed = fresh(snapshot, Verdict::leak) + fresh(snapshot, Verdict::suspect) > 0;
      break;
    case FailOn::open:
      failed = snapshot.summary.connections_open > 0;
      for (const Process& process : snapshot.processes)
        for (const OpenAtExit& open : process.open_at_exit) failed = failed || open.connections > 0;
      break;
    case FailOn::never:
      break;
  }
  return failed ? options.leak_exit_code : 0;
}

Result<void> write_stream(int fd, const std::string& text) {
  return write_all(fd, text, fd == STDERR_FILENO ? "standard error" : "standard output");
}

Result<void> write_report(const Options& options, const Snapshot& snapshot, int stream) {
  if (options.output && *options.output != "-")
    return write_whole(*options.output, render(options, snapshot, false));
  return write_stream(stream, render(options, snapshot, ::isatty(stream) != 0));
}

Result<void> check_writable(const Options& options) {
  for (const auto& file : {options.output, options.textfile}) {
    if (!file || *file == "-") continue;
    const std::filesystem::path path(*file);
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      return failure(ErrorKind::usage, fmt::format("{}: its folder does not exist.", escape(*file)));
    if (std::filesystem::is_directory(path, error))
      return failure(ErrorKind::usage, fmt::format("{}: is a folder, a file is needed.", escape(*file)));
    if (::access(folder.c_str(), W_OK) != 0)
      return failure(ErrorKind::usage, fmt::format("{}: its folder cannot be written.", escape(*file)));
  }
  return {};
}

Result<Suppressions> load_suppressions(const Options& options) {
  if (!options.suppress) return Suppressions();
  auto text = read_file("--suppress", *options.suppress);
  if (!text) return tl::unexpected(text.error());
  return Suppressions::parse(*text);
}

Result<std::optional<Baseline>> load_baseline(const Options& options) {
  if (!options.baseline) return std::optional<Baseline>();
  auto text = read_file("--baseline", *options.baseline);
  if (!text) return tl::unexpected(text.error());
  auto baseline = Baseline::parse(*text);
  if (!baseline) return within(fmt::format("--baseline {}", escape(*options.baseline)), baseline.error());
  return std::optional<Baseline>(std::move(*baseline));
}

}  // namespace connleak
