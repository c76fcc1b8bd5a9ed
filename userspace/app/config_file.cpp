// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "base/text.hpp"

namespace connleak {

Result<std::vector<std::string>> config_arguments(const std::string& path, const CLI::App& app,
                                                  const CLI::App& known) {
  std::ifstream file(path);
  if (!file)
    return failure(ErrorKind::usage, fmt::format("{}: cannot read the configuration file.", escape(path)));
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const std::exception&) {
    return failure(ErrorKind::usage, fmt::format("{}: not a TOML file.", escape(path)));
  }
  std::vector<std::string> arguments;
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // CLI11's marks for sections
    const std::string name = "--" + item.name;
    const bool valid = item.parents.empty() && item.name != "config" && known.get_option_no_throw(name) != nullptr;
    if (!valid)
      return failure(ErrorKind::usage,
                     fmt::format("{}: unknown key '{}'.", escape(path), escape(item.fullname())));
    const CLI::Option* option = app.get_option_no_throw(name);
    if (option == nullptr || option->count() > 0) continue;
    if (option->get_expected_max() == 0) {
      const std::string value = item.inputs.empty() ? "" : item.inputs.front();
      if (value != "true" && value != "false")
        return failure(ErrorKind::usage, fmt::format("{}: {} is true or false.", escape(path), item.name));
      if (value == "true") arguments.push_back(name);
      continue;
    }
    for (const std::string& input : item.inputs) arguments.push_back(fmt::format("{}={}", name, input));
  }
  return arguments;
}

}  // namespace connleak
