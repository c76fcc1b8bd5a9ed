// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include <signal.h>

#include <cstdio>
#include <exception>

#include "app/command_line.hpp"
#include "app/commands.hpp"
#include "app/outcome.hpp"

namespace connleak {
namespace {

Result<int> dispatch(const Options& options) {
  if (auto writable = check_writable(options); !writable) return tl::unexpected(writable.error());
  switch (options.command) {
    case Command::report:
      return report_command(options);
    case Command::top:
      return top_command(options);
    case Command::run:
      return run_command(options);
    case Command::export_:
      return export_command(options);
    case Command::explain:
      return explain_command(options);
    case Command::record:
      return record_command(options);
    case Command::doctor:
      return doctor_command(options);
  }
  return kExitFailed;
}

int complain(const Error& error) {
  std::fprintf(stderr, "connleak: %s\n", error.message.c_str());
  return exit_status(error.kind);
}

}  // namespace

int run_app(std::span<const char* const> argv) {
  // A closed pipe is an error of write(), said in a sentence.
  ::signal(SIGPIPE, SIG_IGN);
  try {
    auto parsed = parse_command_line(argv);
    if (!parsed) return complain(parsed.error());
    if (const auto* printed = std::get_if<Printed>(&*parsed)) {
      auto written = write_stream(1, printed->text);
      return written ? 0 : complain(written.error());
    }
    const auto status = dispatch(std::get<Options>(*parsed));
    return status ? *status : complain(status.error());
  } catch (const std::exception& error) {
    return complain({ErrorKind::failed, std::string("internal error: ") + error.what() + "."});
  }
}

}  // namespace connleak
