// SPDX-License-Identifier: Apache-2.0
// --config: a TOML file -> arguments.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace connleak {

// Keys of the file as arguments, for options that the command line, which `app` has parsed, did not set. Keys that
// only another command knows are accepted, for one file serves all: `known` has the options of every command.
[[nodiscard]] Result<std::vector<std::string>> config_arguments(const std::string& path, const CLI::App& app,
                                                                const CLI::App& known);

}  // namespace connleak
