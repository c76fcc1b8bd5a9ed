// SPDX-License-Identifier: Apache-2.0
// Layouts from a program's own description of its structures.
#include <algorithm>
#include <array>

#include "pools/layouts.hpp"

namespace connleak {

namespace {

constexpr std::string_view kSqlPool = "database/sql.DB";
constexpr std::string_view kSqlConn = "database/sql.driverConn";
constexpr std::string_view kSqlSet = "database/sql.connRequestSet";
constexpr std::string_view kPgxPool = "github.com/jackc/pgx/v5/pgxpool.Pool";
constexpr std::string_view kPuddlePool =
    "github.com/jackc/puddle/v2.Pool[*github.com/jackc/pgx/v5/pgxpool.connResource]";
constexpr std::string_view kPuddleResource =
    "github.com/jackc/puddle/v2.Resource[*github.com/jackc/pgx/v5/pgxpool.connResource]";
constexpr std::string_view kSemaphore = "golang.org/x/sync/semaphore.Weighted";
constexpr std::string_view kList = "container/list.List";
constexpr std::string_view kCond = "sync.Cond";
constexpr std::array kNames = {kSqlPool,        kSqlConn,   kSqlSet, kPgxPool, kPuddlePool,
                               kPuddleResource, kSemaphore, kList,   kCond};

// A structure that may be missing; remembers whether anything that was asked for is.
class Fields {
 public:
  Fields(std::span<const DwarfStruct> structs, std::string_view name, bool& complete) : complete_(complete) {
    const auto found = std::ranges::find(structs, name, &DwarfStruct::name);
    if (found != structs.end() && found->size < kNoOffset) found_ = &*found;
    if (found_ == nullptr) complete_ = false;
  }
  [[nodiscard]] Offset size() const { return found_ != nullptr ? static_cast<Offset>(found_->size) : Offset{0}; }
  [[nodiscard]] bool has(std::string_view field) const { return found_ != nullptr && found_->offset(field); }
  // All fields that are wanted have at least so many bytes, within the structure.
  [[nodiscard]] Offset at(std::string_view field, std::size_t bytes = 8) const {
    const auto offset = found_ != nullptr ? found_->offset(field) : std::nullopt;
    if (!offset || *offset + bytes > found_->size) {
      complete_ = false;
      return 0;
    }
    return static_cast<Offset>(*offset);
  }

 private:
  const DwarfStruct* found_ = nullptr;
  bool& complete_;
};

}  // namespace

std::span<const std::string_view> pool_struct_names() { return kNames; }

std::optional<SqlLayout> described_sql_layout(std::span<const DwarfStruct> structs) {
  bool complete = true;
  const Fields pool(structs, kSqlPool, complete);
  const Fields conn(structs, kSqlConn, complete);
  SqlLayout layout;
  layout.size = pool.size();
  layout.waited = pool.at("waitDuration");
  layout.connector = pool.at("connector", 16);
  layout.mutex = pool.at("mu");
  layout.free = pool.at("freeConn", 24);
  if (pool.has("nextRequest")) {
    layout.requests = pool.at("connRequests");
    layout.requests_are = SqlRequests::map;
  } else {
    const Fields requests(structs, kSqlSet, complete);
    layout.requests = static_cast<Offset>(pool.at("connRequests", requests.size()) + requests.at("s", 24));
    layout.requests_are = SqlRequests::set;
  }
  layout.open = pool.at("numOpen");
  layout.max_open = pool.at("maxOpen");
  layout.waits = pool.at("waitCount");
  layout.idle_closed = pool.at("maxIdleClosed");
  layout.idle_time_closed = pool.at("maxIdleTimeClosed");
  layout.lifetime_closed = pool.at("maxLifetimeClosed");
  layout.conn_size = conn.size();
  layout.conn_pool = conn.at("db");
  layout.conn_in_use = conn.at("inUse", 1);
  layout.conn_closed = conn.at("dbmuClosed", 1);
  return complete ? std::optional(layout) : std::nullopt;
}

std::optional<PgxLayout> described_pgx_layout(std::span<const DwarfStruct> structs) {
  bool complete = true;
  const Fields outer(structs, kPgxPool, complete);
  const Fields pool(structs, kPuddlePool, complete);
  const Fields resource(structs, kPuddleResource, complete);
  PgxLayout layout;
  layout.puddle = outer.at("p");
  layout.pool.size = pool.size();
  if (pool.has("mux")) {
    layout.pool.mutex = pool.at("mux");
    layout.pool.locker = kNoOffset;
  } else {
    const Fields cond(structs, kCond, complete);
    layout.pool.mutex = pool.at("cond");
    layout.pool.locker = cond.at("L", 16);
  }
  layout.pool.semaphore = kNoOffset;
  layout.pool.semaphore_size = kNoOffset;
  layout.pool.semaphore_taken = kNoOffset;
  layout.pool.semaphore_waiting = kNoOffset;
  if (pool.has("acquireSem")) {
    const Fields semaphore(structs, kSemaphore, complete);
    const Fields list(structs, kList, complete);
    layout.pool.semaphore = pool.at("acquireSem");
    layout.pool.semaphore_size = semaphore.at("size");
    layout.pool.semaphore_taken = semaphore.at("cur");
    layout.pool.semaphore_waiting = static_cast<Offset>(semaphore.at("waiters", list.size()) + list.at("len"));
  }
  layout.pool.resources = pool.at("allResources", 24);
  layout.pool.max_size = pool.at("maxSize", 4);
  layout.pool.acquires = pool.at("acquireCount");
  layout.pool.acquire_time = pool.at("acquireDuration");
  layout.pool.empty_acquires = pool.at("emptyAcquireCount");
  layout.pool.empty_time = pool.has("emptyAcquireWaitTime") ? pool.at("emptyAcquireWaitTime") : kNoOffset;
  layout.pool.resource_size = resource.size();
  layout.pool.resource_pool = resource.at("pool");
  layout.pool.resource_state = resource.at("status", 1);
  return complete ? std::optional(layout) : std::nullopt;
}

}  // namespace connleak
