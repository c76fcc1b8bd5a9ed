// SPDX-License-Identifier: Apache-2.0
// Demangling, bounded: a name of a few hundred bytes can be written so that it demangles to gigabytes.
#include "symbols/demangle.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#ifdef CONNLEAK_HAVE_LIBIBERTY
#include <csetjmp>
#include <cstddef>

extern "C" {
using demangle_callbackref = void (*)(const char*, size_t, void*);
int cplus_demangle_v3_callback(const char* mangled, int options, demangle_callbackref callback, void* opaque);
int rust_demangle_callback(const char* mangled, int options, demangle_callbackref callback, void* opaque);
}
#else
#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#endif

namespace connleak {

namespace {

constexpr std::size_t kMaxMangled = 8192;

#ifdef CONNLEAK_HAVE_LIBIBERTY

// The values of DMGL_PARAMS and DMGL_ANSI in libiberty's demangle.h.
constexpr int kOptions = 1 | 2;
constexpr std::size_t kMaxDemangled = 4096;

struct Sink {
  std::array<char, kMaxDemangled> text;
  std::size_t size;
  std::jmp_buf full;
};

extern "C" void append_to_sink(const char* text, std::size_t size, void* opaque) {
  auto* sink = static_cast<Sink*>(opaque);
  // The C functions above this one own no heap memory and can only be stopped by leaving them.
  if (size > kMaxDemangled - sink->size) std::longjmp(sink->full, 1);
  std::copy_n(text, size, sink->text.data() + sink->size);
  sink->size += size;
}

using Demangler = int (*)(const char*, int, demangle_callbackref, void*);

// A function of its own: no object with a destructor may live between setjmp and longjmp.
bool run_demangler(Demangler demangler, const char* mangled, Sink* sink) {
  sink->size = 0;
  if (setjmp(sink->full) != 0) return false;
  return demangler(mangled, kOptions, append_to_sink, sink) != 0;
}

std::optional<std::string> with(Demangler demangler, const std::string& mangled) {
  static thread_local Sink sink;
  if (!run_demangler(demangler, mangled.c_str(), &sink)) return std::nullopt;
  return std::string(sink.text.data(), sink.size);
}

std::optional<std::string> itanium(const std::string& mangled) {
  return with(cplus_demangle_v3_callback, mangled);
}
std::optional<std::string> rust_v0(const std::string& mangled) { return with(rust_demangle_callback, mangled); }

#else

// The output of __cxa_demangle cannot be bounded; below this length it stays below some megabytes.
constexpr std::size_t kMaxUnbounded = 320;

std::optional<std::string> itanium(const std::string& mangled) {
  if (mangled.size() > kMaxUnbounded) return std::nullopt;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || !text) return std::nullopt;
  return std::string(text.get());
}

std::optional<std::string> rust_v0(const std::string&) { return std::nullopt; }

#endif

// What GCC calls a copy or a part of a C function: foo.cold, foo.part.0, foo.constprop.0.isra.0.
std::string without_clone(const std::string& name) {
  std::size_t end = name.size();
  for (const std::string_view mark : {".cold", ".part.", ".isra.", ".constprop.", ".lto_priv."})
    end = std::min(end, name.find(mark, 1));
  return name.substr(0, end);
}

// "...::h" and 16 hexadecimal digits.
bool ends_in_rust_hash(std::string_view name) {
  constexpr std::size_t kSuffix = 3 + 16;
  if (name.size() <= kSuffix || name.substr(name.size() - kSuffix, 3) != "::h") return false;
  return std::ranges::all_of(name.substr(name.size() - 16), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// The escapes of the legacy mangling, see rustc_codegen_utils::symbol_names::legacy.
std::string unescape_rust(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kEscapes{{
      {"$SP$", "@"},  {"$BP$", "*"},  {"$RF$", "&"},  {"$LT$", "<"},   {"$GT$", ">"},  {"$LP$", "("},
      {"$RP$", ")"},  {"$C$", ","},   {"$u20$", " "}, {"$u22$", "\""}, {"$u27$", "'"}, {"$u2b$", "+"},
      {"$u3b$", ";"}, {"$u5b$", "["}, {"$u5d$", "]"}, {"$u7b$", "{"},  {"$u7d$", "}"}, {"$u7e$", "~"},
      {"$u3d$", "="}, {"$u21$", "!"}, {"$u23$", "#"}, {"..", "::"},
  }};
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    // An identifier cannot start with '$', so an underscore is put before it.
    if (name[i] == '_' && i + 1 < name.size() && name[i + 1] == '$' && (i == 0 || name[i - 1] == ':')) {
      ++i;
      continue;
    }
    const auto* const escape =
        std::ranges::find_if(kEscapes, [&](const auto& entry) { return name.substr(i).starts_with(entry.first); });
    if (escape != kEscapes.end()) {
      out += escape->second;
      i += escape->first.size();
    } else {
      out += name[i++];
    }
  }
  return out;
}

}  // namespace

DemangledName demangle(const std::string& linker_name) {
  if (linker_name.size() > kMaxMangled) return {linker_name, Language::native};
  std::string mangled = linker_name.substr(0, linker_name.find('@'));  // foo@@VERSION
  if (mangled.starts_with("_R")) {
    mangled.resize(std::min(mangled.size(), mangled.find('.')));  // copies of a function: foo.llvm.123
    auto name = rust_v0(mangled);
    if (!name) return {linker_name, Language::native};
    return {*std::move(name), Language::rust};
  }
  if (!mangled.starts_with("_Z")) return {without_clone(linker_name), Language::native};
  auto name = itanium(mangled);
  if (!name) return {linker_name, Language::native};
  name->resize(std::min(name->size(), name->find(" [clone ")));  // foo.cold, foo.part.0
  if (ends_in_rust_hash(*name)) {
    return {unescape_rust(std::string_view(*name).substr(0, name->size() - 19)), Language::rust};
  }
  return {*std::move(name), Language::native};
}

}  // namespace connleak
