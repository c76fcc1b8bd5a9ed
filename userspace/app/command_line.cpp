// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "app/config_file.hpp"
#include "app/version.hpp"
#include "base/text.hpp"
#include "drivers/plan.hpp"

namespace connleak {
namespace {

struct CommandInfo {
  Command command;
  const char* name;
  const char* summary;
};
constexpr CommandInfo kCommands[] = {
    {Command::top, "top", "live view, one row per process and endpoint"},
    {Command::report, "report", "observe for a while (or read a recording), print findings once"},
    {Command::run, "run", "run a command, exit non-zero if it leaked (for CI)"},
    {Command::export_, "export", "run on: periodic summaries to files"},
    {Command::explain, "explain", "PID or PID:FD: the facts, and every rule's yes or no"},
    {Command::record, "record", "save the raw event stream to a file"},
    {Command::doctor, "doctor", "what this kernel and these privileges allow"},
};

// What CLI11 collects as text; turned into Options once everything is there.
struct Raw {
  std::string idle_after, hold_after, max_age, duration, interval, format = "text", fail_on, target;
  std::string from, output, textfile, suppress, baseline, config, probes = "auto";
  std::vector<std::string> pids, ports, endpoints, libraries, applications, helpers;
};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Result<EndpointPattern> parse_endpoint(const std::string& text) {
  EndpointPattern pattern;
  pattern.host = text;
  const auto bad = [&] {
    return failure(ErrorKind::usage,
                   fmt::format("--endpoint {}: expected HOST, HOST:PORT or [IPV6]:PORT.", escape(text)));
  };
  std::string port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string::npos) return bad();
    pattern.host = text.substr(1, close - 1);
    if (close + 1 < text.size()) {
      if (text[close + 1] != ':') return bad();
      port = text.substr(close + 2);
      if (port.empty()) return bad();
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const auto colon = text.find(':');
    pattern.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return bad();
  }
  if (pattern.host == "localhost") pattern.host = "127.0.0.1";
  if (!port.empty()) {
    std::uint16_t number = 0;
    if (!parse_number(port, number) || number == 0) return bad();
    pattern.port = number;
  }
  return pattern;
}

Result<void> parse_probes(const std::string& text, Options& options) {
  if (text == "auto") return {};
  options.probes.emplace();
  if (text == "off") return {};
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string name = text.substr(at, comma - at);
    if (std::ranges::find(kDriverNames, name) == kDriverNames.end())
      return failure(ErrorKind::usage,
                     fmt::format("--probes {}: expected auto, off, or some of {} with commas between.",
                                 escape(text), fmt::join(kDriverNames, ", ")));
    options.probes->push_back(name);
    at = comma + 1;
  }
  return {};
}

void add_scope(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--pid", raw.pids, "only this process and its descendants")->type_name("N");
  app.add_option("--comm", options.scope.comms, "only processes of this name")->type_name("NAME");
  app.add_option("--exe", options.scope.exes, "only this executable")->type_name("PATH");
  app.add_option("--cgroup", options.scope.cgroups, "only this cgroup and below")->type_name("PATH");
  app.add_option("--endpoint", raw.endpoints, "only to it, or a unix socket's path")->type_name("HOST[:PORT]");
  app.add_option("--port", raw.ports, "only connections to this port")->type_name("N");
  app.add_flag("--all", options.all, "every outgoing connection, not only databases");
}

void add_rules(CLI::App& app, Options& options, Raw& raw, const char* idle, const char* hold,
               const char* fail_on) {
  app.add_option("--idle-after", raw.idle_after, fmt::format("floor of the idle clock [{}]", idle))
      ->type_name("DUR");
  app.add_option("--hold-after", raw.hold_after, fmt::format("held longer is HELD [{}]", hold))->type_name("DUR");
  app.add_option("--max-age", raw.max_age, "older connections are STALE [off]")->type_name("DUR");
  app.add_option("--fail-on", raw.fail_on, fmt::format("leak, suspect, open or never [{}]", fail_on))
      ->type_name("WHAT");
  app.add_option("--leak-exit-code", options.leak_exit_code, "exit status of such a failure [23]")->type_name("N");
  app.add_option("--suppress", raw.suppress, "functions, modules, endpoints to hide")->type_name("FILE");
  app.add_option("--library", raw.libraries, "library code: never blamed")->type_name("PATTERN");
  app.add_option("--application", raw.applications, "the application's own code")->type_name("PATTERN");
  app.add_option("--helper", raw.helpers, "blame who calls it")->type_name("PATTERN");
}

void add_command_options(CLI::App& app, Command command, Options& options, Raw& raw) {
  app.add_option("--config", raw.config, "the same options as a TOML file")->type_name("FILE");
  if (command == Command::doctor) {
    app.add_option("--pid", raw.pids, "also what would be probed in this process")->type_name("N");
    return;
  }
  add_scope(app, options, raw);
  app.add_option("--probes", raw.probes, "driver and pool probes: auto, off or a list [auto]")->type_name("LIST");
  const bool run = command == Command::run;
  if (command != Command::record)
    add_rules(app, options, raw, run ? "1s" : "30s", run ? "5s" : "60s", run ? "leak" : "never");
  if (command == Command::record)
    app.add_option("--idle-after", raw.idle_after, "idle longer at close: stacks are kept [30s]")
        ->type_name("DUR");
  if (command == Command::report || command == Command::top)
    app.add_option("--from", raw.from, "read a recording instead of the kernel")->type_name("FILE");
  if (command == Command::report || run)
    app.add_option("--baseline", raw.baseline, "a JSON report whose findings are known")->type_name("FILE");
  if (!run) app.add_option("--duration", raw.duration, "how long")->type_name("DUR");
  if (command == Command::top || command == Command::export_)
    app.add_option("--interval", raw.interval, "how often")->type_name("DUR");
  if (command == Command::report || run)
    app.add_option("--format", raw.format, "text, json, csv or html [text]")->type_name("FORMAT");
  if (command != Command::top && command != Command::explain)
    app.add_option(
           "--output", raw.output,
           command == Command::export_ ? "append one JSON line each interval" : "written whole or not at all")
        ->type_name("FILE");
  if (command == Command::export_) {
    app.add_option("--textfile", raw.textfile, "Prometheus text, replaced whole each interval")->type_name("FILE");
    app.add_flag("--label-pid", options.label_pid, "add a pid label");
    app.add_option("--max-series", options.max_series, "bound on series [10000]")->type_name("N");
  }
  if (command == Command::explain) app.add_option("target", raw.target, "PID or PID:FD")->type_name("TARGET");
  for (CLI::Option* option : app.get_options())
    if (option->get_expected_max() > 1) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--ring-bytes", options.ring_bytes)->group("");
  app.add_option("--capture-bytes", options.capture_bytes)->group("");
  app.add_option("--drop-one-in", options.drop_one_in)->group("");
}

std::string overview() {
  std::string text =
      "connleak: finds leaked database connections from outside the process\n\n"
      "usage: connleak COMMAND [OPTION...]\n\n";
  for (const CommandInfo& info : kCommands) text += fmt::format("  {:<10}{}\n", info.name, info.summary);
  text +=
      "\n'connleak COMMAND --help' lists a command's options. Observing needs root.\n"
      "Exit status: 0 done, 23 leak found, 2 usage, 1 failed, 3 not possible here.\n";
  return text;
}

// CLI11 breaks no lines: two columns, the second wrapped to 80.
std::string command_help(const CommandInfo& info, const CLI::App& app) {
  const char* tail = info.command == Command::run       ? " [OPTION...] -- COMMAND [ARG...]"
                     : info.command == Command::explain ? " [OPTION...] PID[:FD]"
                                                        : " [OPTION...]";
  std::string text = fmt::format("usage: connleak {}{}\n{}\n\n", info.name, tail, info.summary);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_group().empty()) continue;
    std::string name = "--" + option->get_lnames().front();
    if (option->get_expected_max() > 0 && !option->get_type_name().empty()) name += " " + option->get_type_name();
    text += fmt::format("  {:<28}{}\n", name, option->get_description());
  }
  text += "\nDurations read 250ms, 30s, 5m, 2h.\n";
  if (app.get_option_no_throw("--helper") != nullptr)
    text +=
        "A PATTERN is a function or a file ('shop.db.*', lib/query.py), or one of\n"
        "function:NAME, module:NAME, file:NAME; * is any text.\n";
  return text;
}

Result<void> duration_option(const char* name, const std::string& text, std::chrono::nanoseconds& value) {
  if (text.empty()) return {};
  auto parsed = parse_duration(text);
  if (!parsed) return within(name, parsed.error());
  value = *parsed;
  return {};
}

Result<void> numbers(const char* name, const std::vector<std::string>& texts, auto& values) {
  for (const std::string& text : texts) {
    typename std::remove_reference_t<decltype(values)>::value_type number{};
    if (!parse_number(text, number) || number == 0)
      return failure(ErrorKind::usage, fmt::format("{} {}: expected a positive number.", name, escape(text)));
    values.push_back(number);
  }
  return {};
}

template <class T>
Result<void> choice(const char* name, const std::string& text, const std::map<std::string, T>& values, T& value) {
  if (text.empty()) return {};
  const auto found = values.find(text);
  if (found == values.end()) {
    std::string names;
    for (const auto& [key, ignored] : values) names += (names.empty() ? "" : ", ") + key;
    return failure(ErrorKind::usage, fmt::format("{} {}: expected one of {}.", name, escape(text), names));
  }
  value = found->second;
  return {};
}

Result<void> culprit_rules(CulpritRules& rules, const Raw& raw) {
  using Role = CulpritRules::Role;
  for (const auto& [name, role, patterns] : {std::tuple{"--library", Role::library, &raw.libraries},
                                             {"--application", Role::application, &raw.applications},
                                             {"--helper", Role::helper, &raw.helpers}})
    for (const std::string& pattern : *patterns)
      if (auto added = rules.add(role, pattern); !added) return within(name, added.error());
  return {};
}

Result<void> fill(Options& options, const Raw& raw) {
  using std::chrono::seconds;
  const bool run = options.command == Command::run;
  options.idle_after = run ? seconds(1) : seconds(30);
  options.hold_after = run ? seconds(5) : seconds(60);
  options.interval = options.command == Command::export_ ? seconds(60) : seconds(1);
  options.fail_on = run ? FailOn::leak : FailOn::never;
  if (options.command == Command::report) options.duration = seconds(30);
  if (options.command == Command::explain) options.duration = seconds(10);
  std::chrono::nanoseconds maximum{0}, duration{0};
  for (auto result :
       {duration_option("--idle-after", raw.idle_after, options.idle_after),
        duration_option("--hold-after", raw.hold_after, options.hold_after),
        duration_option("--max-age", raw.max_age, maximum), duration_option("--duration", raw.duration, duration),
        duration_option("--interval", raw.interval, options.interval), culprit_rules(options.culprit_rules, raw),
        parse_probes(raw.probes, options), numbers("--pid", raw.pids, options.scope.pids),
        numbers("--port", raw.ports, options.scope.ports),
        choice<Format>(
            "--format", raw.format,
            {{"text", Format::text}, {"json", Format::json}, {"csv", Format::csv}, {"html", Format::html}},
            options.format),
        choice<FailOn>("--fail-on", raw.fail_on,
                       {{"leak", FailOn::leak},
                        {"suspect", FailOn::suspect},
                        {"open", FailOn::open},
                        {"never", FailOn::never}},
                       options.fail_on)})
    if (!result) return result;
  if (!raw.max_age.empty()) options.max_age = maximum;
  if (!raw.duration.empty()) options.duration = duration;
  if (options.interval < std::chrono::milliseconds(100))
    return failure(ErrorKind::usage, "--interval: must be at least 100ms.");
  if (options.leak_exit_code < 1 || options.leak_exit_code > 255)
    return failure(ErrorKind::usage, "--leak-exit-code: must be between 1 and 255.");
  for (const std::string& text : raw.endpoints) {
    auto pattern = parse_endpoint(text);
    if (!pattern) return tl::unexpected(pattern.error());
    options.scope.endpoints.push_back(*pattern);
  }
  if (!raw.from.empty()) options.from = raw.from;
  if (!raw.output.empty()) options.output = raw.output;
  if (!raw.textfile.empty()) options.textfile = raw.textfile;
  if (!raw.suppress.empty()) options.suppress = raw.suppress;
  if (!raw.baseline.empty()) options.baseline = raw.baseline;
  if (run && options.argv.empty())
    return failure(ErrorKind::usage, "run: name the command to run, as in 'connleak run -- ./program'.");
  if (options.command == Command::record && !options.output)
    return failure(ErrorKind::usage, "record: name the file with --output FILE ('-' for a pipe).");
  if (options.command == Command::export_ && !options.output && !options.textfile)
    return failure(ErrorKind::usage, "export: name a file with --output FILE or --textfile FILE.");
  if (options.command == Command::explain) {
    const auto colon = raw.target.find(':');
    std::uint32_t fd = 0;
    if (!parse_number(std::string_view(raw.target).substr(0, colon), options.target_pid) ||
        options.target_pid == 0 ||
        (colon != std::string::npos && !parse_number(std::string_view(raw.target).substr(colon + 1), fd)))
      return failure(ErrorKind::usage, "explain: name a process as PID or a descriptor as PID:FD.");
    if (colon != std::string::npos) options.target_fd = fd;
    options.scope.pids.push_back(options.target_pid);
  }
  return {};
}

// The index of the command in `run`'s arguments: after "--", or the first word that is neither an option
// nor an option's value.
std::size_t command_begins(const std::vector<std::string>& arguments, const CLI::App& app) {
  std::size_t i = 0;
  for (; i < arguments.size() && arguments[i].starts_with('-') && arguments[i] != "--"; ++i) {
    const auto equals = arguments[i].find('=');
    const CLI::Option* option = app.get_option_no_throw(arguments[i].substr(0, equals));
    if (option != nullptr && option->get_expected_max() > 0 && equals == std::string::npos) ++i;
  }
  return std::min(i, arguments.size());
}

struct Parser {
  Options options;
  Raw raw;
  CLI::App app;
  explicit Parser(Command command) {
    options.command = command;
    app.set_help_flag("-h,--help", "this text");
    add_command_options(app, command, options, raw);
  }
  // CLI11 takes arguments reversed.
  Result<void> parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      throw;
    } catch (const CLI::ParseError& error) {
      std::string what = error.what();
      std::replace(what.begin(), what.end(), '\n', ' ');
      return failure(ErrorKind::usage, fmt::format("{} (see --help)", escape(what)));
    }
    return {};
  }
};

std::unique_ptr<Parser> every_option() {
  auto parser = std::make_unique<Parser>(Command::doctor);
  CLI::App& app = parser->app;
  for (const CommandInfo& info : kCommands) {
    Parser other(info.command);
    for (const CLI::Option* option : other.app.get_options())
      if (!option->get_lnames().empty() && app.get_option_no_throw("--" + option->get_lnames().front()) == nullptr)
        app.add_flag("--" + option->get_lnames().front());
  }
  return parser;
}

}  // namespace

Result<std::variant<Options, Printed>> parse_command_line(std::span<const char* const> argv) {
  std::vector<std::string> arguments(argv.begin() + (argv.empty() ? 0 : 1), argv.end());
  if (arguments.empty())
    return failure(ErrorKind::usage,
                   "name a command: top, report, run, export, explain, record or doctor (see --help).");
  const std::string first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") return Printed{overview()};
  if (first == "--version") return Printed{fmt::format("connleak {}\n", kVersion)};
  const auto* info = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [&](const CommandInfo& candidate) { return first == candidate.name; });
  if (info == std::end(kCommands))
    return failure(ErrorKind::usage, fmt::format("{}: unknown {} (see --help).", escape(first),
                                                 first.starts_with('-') ? "option" : "command"));
  arguments.erase(arguments.begin());
  auto parser = std::make_unique<Parser>(info->command);
  std::vector<std::string> command;
  if (info->command == Command::run) {
    const std::size_t begin = command_begins(arguments, parser->app);
    const bool dashes = begin < arguments.size() && arguments[begin] == "--";
    command.assign(arguments.begin() + static_cast<std::ptrdiff_t>(begin + (dashes ? 1 : 0)), arguments.end());
    arguments.resize(begin);
  }
  try {
    if (auto parsed = parser->parse(arguments); !parsed) return tl::unexpected(parsed.error());
    if (!parser->raw.config.empty()) {
      auto extra = config_arguments(parser->raw.config, parser->app, every_option()->app);
      if (!extra) return tl::unexpected(extra.error());
      const std::string path = parser->raw.config;
      arguments.insert(arguments.begin(), extra->begin(), extra->end());
      parser = std::make_unique<Parser>(info->command);
      if (auto parsed = parser->parse(arguments); !parsed) return within(escape(path), parsed.error());
    }
  } catch (const CLI::CallForHelp&) {
    return Printed{command_help(*info, parser->app)};
  }
  parser->options.argv = std::move(command);
  if (auto filled = fill(parser->options, parser->raw); !filled) return tl::unexpected(filled.error());
  return std::move(parser->options);
}

}  // namespace connleak
