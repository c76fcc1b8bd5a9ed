// SPDX-License-Identifier: Apache-2.0
// Which code is the application's own, and so can be the culprit. The names are data: library_code.hpp and
// housekeeping.hpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "symbols/frame.hpp"

namespace connleak {

struct ModuleFacts {
  std::string path;            // as the process sees it; may be ""
  std::string soname;          // "" where the file has none
  bool is_executable = false;  // a program, not a shared library
  std::string go_main_module;  // "" unless Go's build information names it
  bool is_go = false;          // it has Go's table of functions
};

// Sets frame.application. False: libc, TLS, database drivers, pools, the language's standard library and runtime,
// interpreters, anything in a directory of installed libraries. True: the executable's other code, and shared
// libraries elsewhere, also where the function is not known.
//
// Go: package main and the main module are the application; the standard library, known drivers and pools, and
// every other module in the module cache or a vendor directory are not. Rust: by crate. C++: by namespace; also
// what was inlined from a system header is a library's. Python, Ruby, PHP, JavaScript: by the file, whose whole
// path is wanted; without one it is the interpreter's. Java: by the package; a function without a class is the
// machine's. Of unknown language and in no module: false.
[[nodiscard]] bool is_application(const ModuleFacts& module, const SymbolFrame& frame);

// The same for frames of scripts and of Java, to which no module belongs.
[[nodiscard]] bool is_application(const SymbolFrame& frame);

// A pool looking after its members: ping, reset, validation. Who used a connection before that is who used it.
[[nodiscard]] bool is_housekeeping(const SymbolFrame& frame);

// The first application frame, innermost first; nullptr: there is none. Points into the span.
[[nodiscard]] const SymbolFrame* culprit(std::span<const SymbolFrame> frames);

// "database/sql" of "database/sql.(*DB).Query": up to the first dot behind the last slash before any bracket.
[[nodiscard]] std::string_view go_package(std::string_view function);

// "tokio" of "<tokio::net::TcpStream as std::io::Read>::read".
[[nodiscard]] std::string_view rust_crate(std::string_view function);

// "std" of "void std::sort<int*>(int*, int*)"; "" for a name in no namespace or class.
[[nodiscard]] std::string_view cpp_scope(std::string_view function);

// "com.acme.Orders.find" of "int com.acme.Orders.find(java.lang.String)", as a perf map may write it.
[[nodiscard]] std::string_view java_method(std::string_view function);

}  // namespace connleak
