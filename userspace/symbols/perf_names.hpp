// SPDX-License-Identifier: Apache-2.0
// The names that JIT compilers write into perf maps.
#pragma once

#include <string_view>

#include "symbols/frame.hpp"

namespace connleak {

// V8: "LazyCompile:*queryOrders /app/server.js:12:9", "JS:~ file:///app/a.mjs:1:1", "Builtin:ArrayMap".
// Java: "long com.acme.Orders.find(long)" of jcmd, "Lcom/acme/Orders;::find" of perf-map-agent.
// `line` is where the function begins: these maps know no calls. Java has neither file nor line. Of a name that is
// neither, the language is unknown and the function is the name.
[[nodiscard]] SymbolFrame perf_name_frame(std::string_view name);

}  // namespace connleak
