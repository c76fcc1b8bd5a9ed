// SPDX-License-Identifier: Apache-2.0
// The culprit rule: data first, then the code that applies it.
#include "symbols/application.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace connleak {

namespace {

using std::string_view;

// Shared libraries by the start of their soname or file name, wherever they lie: wheels bring their own copies.
constexpr auto kLibraries = std::to_array<string_view>({
    "ld-linux",    "ld-musl",    "libc.",     "libc-",     "libm.",      "libpthread",     "libdl.",
    "libresolv",   "librt.",     "libnss",    "libssl",    "libcrypto",  "libgnutls",      "libgssapi",
    "libkrb5",     "libldap",    "libpq",     "libecpg",   "libmariadb", "libmysqlclient", "libmysqlcppconn",
    "libhiredis",  "libredis++", "libmongoc", "libodbc",   "libsybdb",   "libuv.",         "libsqlite",
    "libstdc++",   "libgcc_s",   "libc++",    "libunwind", "libboost_",  "libpqxx",        "libsoci",
    "libPocoData", "libQt5Sql",  "libQt6Sql", "libpython", "libruby",    "libperl",        "libphp",
    "libjvm",      "libnode",    "libasan",   "libtsan",   "libubsan",   "libjemalloc",    "libtcmalloc",
    "linux-vdso",  "[",
});

// Programs that run somebody else's code: their own frames are never the application's.
constexpr auto kInterpreters = std::to_array<string_view>({
    "python",
    "pypy",
    "ruby",
    "perl",
    "php",
    "node",
    "java",
    "beam.smp",
    "dotnet",
    "deno",
    "bun",
    "uwsgi",
});

constexpr auto kLibraryDirectories =
    std::to_array<string_view>({"/usr/lib/", "/usr/lib64/", "/lib/", "/lib64/", "/usr/lib32/", "/lib32/"});
constexpr auto kLibraryPathParts =
    std::to_array<string_view>({"/site-packages/", "/dist-packages/", "/node_modules/"});
constexpr auto kSystemHeaders =
    std::to_array<string_view>({"/usr/include/", "/usr/lib/gcc/", "/usr/local/include/"});

// First elements of the import paths of Go's standard library (go list std).
constexpr auto kGoStandard = std::to_array<string_view>({
    "archive", "bufio", "bytes",    "cmp",      "compress", "container", "context", "crypto",  "database",
    "debug",   "embed", "encoding", "errors",   "expvar",   "flag",      "fmt",     "go",      "hash",
    "html",    "image", "index",    "internal", "io",       "iter",      "log",     "maps",    "math",
    "mime",    "net",   "os",       "path",     "plugin",   "reflect",   "regexp",  "runtime", "simd",
    "slices",  "sort",  "strconv",  "strings",  "structs",  "sync",      "syscall", "testing", "text",
    "time",    "type:", "unicode",  "unique",   "unsafe",   "vendor",    "weak",    "go:",     "_cgo_export",
});

// Drivers, pools and mappers: import path prefixes, ending at a path element.
constexpr auto kGoDrivers = std::to_array<string_view>({
    "github.com/lib/pq",
    "github.com/jackc/pgx",
    "github.com/jackc/pgconn",
    "github.com/jackc/puddle",
    "github.com/jackc/pgproto3",
    "github.com/jackc/chunkreader",
    "github.com/go-pg/pg",
    "github.com/uptrace/bun",
    "github.com/go-sql-driver/mysql",
    "github.com/go-mysql-org/go-mysql",
    "github.com/redis/go-redis",
    "github.com/go-redis/redis",
    "github.com/gomodule/redigo",
    "github.com/redis/rueidis",
    "github.com/valkey-io",
    "gorm.io",
    "github.com/jinzhu/gorm",
    "github.com/jmoiron/sqlx",
    "entgo.io/ent",
    "xorm.io",
    "go.mongodb.org",
    "github.com/denisenkom/go-mssqldb",
    "github.com/microsoft/go-mssqldb",
    "github.com/sijms/go-ora",
    "github.com/gocql/gocql",
    "github.com/bradfitz/gomemcache",
    "github.com/Masterminds/squirrel",
    "github.com/volatiletech/sqlboiler",
    "github.com/stephenafamo/bob",
    "github.com/XSAM/otelsql",
    "github.com/ngrok/sqlmw",
    "golang.org/x",
});

constexpr auto kRustLibraries = std::to_array<string_view>({
    "std",
    "core",
    "alloc",
    "proc_macro",
    "test",
    "rustc_demangle",
    "std_detect",
    "hashbrown",
    "backtrace",
    "tokio",
    "tokio_util",
    "tokio_postgres",
    "tokio_rustls",
    "tokio_native_tls",
    "async_std",
    "smol",
    "async_io",
    "polling",
    "mio",
    "socket2",
    "futures",
    "futures_util",
    "futures_core",
    "futures_executor",
    "futures_channel",
    "postgres",
    "postgres_protocol",
    "postgres_types",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_mysql",
    "sqlx_sqlite",
    "deadpool",
    "deadpool_postgres",
    "deadpool_redis",
    "deadpool_runtime",
    "bb8",
    "bb8_postgres",
    "r2d2",
    "r2d2_postgres",
    "mobc",
    "diesel",
    "diesel_async",
    "sea_orm",
    "sea_query",
    "mysql",
    "mysql_async",
    "mysql_common",
    "redis",
    "fred",
    "mongodb",
    "tiberius",
    "rustls",
    "native_tls",
    "openssl",
    "hyper",
    "tower",
    "tracing",
    "gimli",
    "addr2line",
    "object",
    "memchr",
    "libc",
    "nix",
    "crossbeam",
    "parking_lot",
    "rayon_core",
    "pq_sys",
    "__rustc",
});
constexpr auto kRustLibraryPaths = std::to_array<string_view>(
    {"/rustc/", "/.cargo/registry/", "/.cargo/git/", "/cargo/registry/", "/rust/deps/"});

constexpr auto kCppLibraries = std::to_array<string_view>({
    "std",
    "__gnu_cxx",
    "__cxxabiv1",
    "boost",
    "fmt",
    "pqxx",
    "soci",
    "sw::redis",
    "mysqlx",
    "absl",
    "folly",
});

// C functions of drivers, TLS and libc that were linked into the program itself.
constexpr auto kCPrefixes = std::to_array<string_view>({
    "PQconn",
    "PQexec",
    "PQsend",
    "PQget",
    "PQprepare",
    "PQflush",
    "PQreset",
    "PQfinish",
    "PQping",
    "pqSocket",
    "pqsecure_",
    "pqRead",
    "pqFlush",
    "pqSend",
    "pqConnect",
    "pqPacket",
    "mysql_real_",
    "mysql_send_",
    "mysql_stmt_",
    "mysql_init",
    "mysql_close",
    "mysql_ping",
    "mysql_query",
    "mysql_net_",
    "cli_advanced_command",
    "vio_",
    "mthd_my_",
    "ma_net_",
    "ma_pvio_",
    "pvio_socket_",
    "redisConnect",
    "redisCommand",
    "redisvCommand",
    "redisGetReply",
    "redisBuffer",
    "redisNet",
    "redisContextConnect",
    "SSL_",
    "BIO_",
    "ssl3_",
    "tls_write",
    "__libc_",
    "__GI_",
    "__syscall",
    "__cxa_",
    "__asan",
    "__interceptor",
    "__sanitizer",
});
constexpr auto kCNames = std::to_array<string_view>({
    "connect",  "__connect", "send",   "__send",       "sendto",  "__sendto",     "sendmsg", "__sendmsg",
    "write",    "__write",   "writev", "__writev",     "close",   "__close",      "_start",  "__clone",
    "__clone3", "clone3",    "clone",  "start_thread", "syscall", "__restore_rt",
});

template <class Table>
bool starts_with_any(string_view text, const Table& table) {
  return std::ranges::any_of(table, [&](string_view start) { return text.starts_with(start); });
}

template <class Table>
bool contains_any(string_view text, const Table& table) {
  return std::ranges::any_of(table, [&](string_view part) { return text.find(part) != string_view::npos; });
}

template <class Table>
bool is_any(string_view text, const Table& table) {
  return std::ranges::find(table, text) != std::end(table);
}

// Whether `path` is `prefix` or lies below it.
bool is_below(string_view path, string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool is_library_module(const ModuleFacts& module) {
  const string_view path = module.path;
  const string_view file = path.substr(path.rfind('/') + 1);
  if (module.is_executable) return starts_with_any(file, kInterpreters);
  return starts_with_any(module.soname, kLibraries) || starts_with_any(file, kLibraries) ||
         starts_with_any(path, kLibraryDirectories) || contains_any(path, kLibraryPathParts);
}

// The linker writes dots in the last path element as %2e.
std::string unescape_go(string_view package) {
  std::string out(package);
  for (std::size_t at = 0; (at = out.find("%2e", at)) != std::string::npos; ++at) out.replace(at, 3, ".");
  return out;
}

bool is_go_application(string_view main_module, const SymbolFrame& frame) {
  if (!frame.function) return false;
  const string_view package = go_package(*frame.function);
  const string_view file = frame.file ? string_view(*frame.file) : string_view();
  if (file == "<autogenerated>") return false;
  if (package == "main") return true;
  if (!main_module.empty() && is_below(unescape_go(package), main_module)) return true;
  // Assembly functions and compiler-made ones have no package.
  if (package.empty() || package == *frame.function) return false;
  const string_view first = package.substr(0, package.find('/'));
  if (is_any(first, kGoStandard) || first.starts_with("type:") || first.starts_with("go:")) return false;
  if (std::ranges::any_of(kGoDrivers, [&](string_view driver) { return is_below(package, driver); })) return false;
  // With -trimpath the module cache shows only as path@version.
  return file.find("/pkg/mod/") == string_view::npos && file.find("@v") == string_view::npos &&
         file.find("/vendor/") == string_view::npos;
}

bool is_rust_application(const SymbolFrame& frame) {
  if (frame.file && contains_any(*frame.file, kRustLibraryPaths)) return false;
  return !frame.function || !is_any(rust_crate(*frame.function), kRustLibraries);
}

bool is_native_application(const SymbolFrame& frame) {
  if (frame.file && starts_with_any(*frame.file, kSystemHeaders)) return false;
  if (!frame.function) return true;
  const string_view scope = cpp_scope(*frame.function);
  if (!scope.empty()) return !is_any(scope, kCppLibraries);
  return !is_any(*frame.function, kCNames) && !starts_with_any(*frame.function, kCPrefixes);
}

bool is_identifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

}  // namespace

string_view go_package(string_view function) {
  const string_view plain = function.substr(0, function.find('['));
  const auto slash = plain.rfind('/');
  const auto dot = function.find('.', slash == string_view::npos ? 0 : slash);
  return function.substr(0, dot);
}

string_view rust_crate(string_view function) {
  std::size_t start = 0;
  while (start < function.size() && !is_identifier(function[start])) ++start;
  function.remove_prefix(start);
  for (const string_view word : {"dyn ", "mut ", "const "}) {
    if (function.starts_with(word)) function.remove_prefix(word.size());
  }
  std::size_t end = 0;
  while (end < function.size() && is_identifier(function[end])) ++end;
  return function.substr(0, end);
}

string_view cpp_scope(string_view function) {
  // The qualified name starts behind the last space outside of brackets before the parameters.
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    if (function.substr(i).starts_with("(anonymous namespace)")) {
      i += string_view("(anonymous namespace)").size() - 1;
    } else if (function.substr(i).starts_with("operator")) {
      break;
    } else if (c == '<') {
      ++depth;
    } else if (c == '>') {
      --depth;
    } else if (c == '(' && depth == 0) {
      break;
    } else if (c == ' ' && depth == 0) {
      start = i + 1;
    }
  }
  const string_view name = function.substr(start);
  std::size_t end = 0;
  while (end < name.size() && is_identifier(name[end])) ++end;
  if (!name.substr(end).starts_with("::")) {
    // A member of a template: "Pool<int>::get()" has a scope, "make<int>()" has none.
    return name.substr(end).starts_with("<") && name.find(">::") != string_view::npos ? name.substr(0, end)
                                                                                      : string_view();
  }
  for (const string_view library : kCppLibraries) {
    if (name.starts_with(library) && name.substr(library.size()).starts_with("::")) return library;
  }
  return name.substr(0, end);
}

bool is_application(const ModuleFacts& module, const SymbolFrame& frame) {
  if (is_library_module(module)) return false;
  switch (frame.language) {
    case Language::go:
      return is_go_application(module.go_main_module, frame);
    case Language::rust:
      return is_rust_application(frame);
    case Language::native:
    case Language::unknown:
      return is_native_application(frame);
    case Language::python:
    case Language::ruby:
    case Language::php:
    case Language::javascript:
    case Language::java:
      return false;
  }
  return false;
}

const SymbolFrame* culprit(std::span<const SymbolFrame> frames) {
  const auto found = std::ranges::find_if(frames, &SymbolFrame::application);
  return found == frames.end() ? nullptr : &*found;
}

}  // namespace connleak
