// SPDX-License-Identifier: Apache-2.0
// Which connections are wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace connleak {

// One `--endpoint HOST[:PORT]`. HOST is an address, "localhost" or a unix socket's path.
struct EndpointPattern {
  std::string host;
  std::optional<std::uint16_t> port;
};

// AND across kinds, OR within one; an empty kind matches everything.
struct ScopeOptions {
  std::vector<std::uint32_t> pids;  // with their descendants
  std::vector<std::string> comms;
  std::vector<std::string> exes;
  std::vector<std::string> cgroups;  // a path and everything below it
  std::vector<EndpointPattern> endpoints;
  std::vector<std::uint16_t> ports;
};

}  // namespace connleak
