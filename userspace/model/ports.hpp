// SPDX-License-Identifier: Apache-2.0
// Well-known ports.
#pragma once

#include <cstdint>

#include "wire.h"

namespace connleak::model {

// The protocol that IANA's registry of service names has for a TCP port; only for connections of which nothing
// better is known, never against their bytes.
[[nodiscard]] constexpr wire_protocol assigned_protocol(std::uint16_t port) {
  switch (port) {
    case 3306:
      return WIRE_PROTOCOL_MYSQL;
    case 5432:
      return WIRE_PROTOCOL_POSTGRESQL;
    case 6379:
      return WIRE_PROTOCOL_REDIS;
    default:
      return WIRE_PROTOCOL_UNKNOWN;
  }
}

}  // namespace connleak::model
