// SPDX-License-Identifier: Apache-2.0
#include "model/collectors.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace connleak::model {

namespace {

// Threads that do nothing else, as the kernel has their names: cut at 15 bytes.
constexpr std::array<std::string_view, 7> kThreads = {
    "Finalizer",        // Java
    "Common-Cleaner",   // Java, the cleaner of its own libraries
    "Cleaner-0",        // Java, of others
    "PostgreSQL-JDBC",  // pgjdbc's cleaner
    "mysql-cj-abando",  // Connector/J's
    ".NET Finalizer",
    "Finalizer threa",  // Mono
};

// Functions that run finalizers, wherever they are called.
constexpr std::array<std::string_view, 8> kFunctions = {
    "runtime.runfinq",        // Go, until 1.24
    "runtime.runFinalizers",  // Go 1.25
    "runtime.runCleanups",
    "gc_collect_main",  // CPython
    "gc_collect_region",     "_PyGC_Collect",
    "gc_finalize_deferred",  // Ruby
    "rb_gc_obj_free",
};

bool runs_finalizers(const StackFrame& frame) {
  return frame.function && std::find(kFunctions.begin(), kFunctions.end(), *frame.function) != kFunctions.end();
}

}  // namespace

std::optional<std::string> collector_of(const Connection& connection) {
  if (!connection.closer || connection.closed_at_exit) return std::nullopt;
  if (std::find(kThreads.begin(), kThreads.end(), connection.closer_comm) != kThreads.end())
    return fmt::format("the thread {}", escape(connection.closer_comm));
  if (connection.close_stack == nullptr) return std::nullopt;
  const auto& frames = connection.close_stack->frames;
  const auto found = std::find_if(frames.begin(), frames.end(), runs_finalizers);
  return found == frames.end() ? std::nullopt : std::optional(escape(*found->function));
}

}  // namespace connleak::model
