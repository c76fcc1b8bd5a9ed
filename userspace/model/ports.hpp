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
    case 27017:
      return WIRE_PROTOCOL_MONGODB;
    case 1433:
      return WIRE_PROTOCOL_TDS;
    case 1521:
      return WIRE_PROTOCOL_ORACLE;
    case 9042:
      return WIRE_PROTOCOL_CASSANDRA;
    case 11211:
      return WIRE_PROTOCOL_MEMCACHED;
    default:
      return WIRE_PROTOCOL_UNKNOWN;
  }
}

}  // namespace connleak::model
