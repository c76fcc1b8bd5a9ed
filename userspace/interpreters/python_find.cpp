// SPDX-License-Identifier: Apache-2.0
#include "interpreters/python_find.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "interpreters/interpreter_file.hpp"

namespace connleak {

namespace {

using std::string_view;

struct Version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::optional<std::uint32_t> micro;
  bool final = true;  // or a release candidate: nothing of its layout changes any more
};

constexpr int kMaxInterpreters = 256;
constexpr string_view kCookie = "xdebugpy";

// "3.9" of "…python3.9…", "3.10" of "….cpython-310-…".
std::optional<Version> version_in(string_view path) {
  Version version;
  const auto number = [](string_view& text, std::uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc{};
  };
  if (const auto at = path.rfind("cpython-3"); at != string_view::npos) {
    string_view rest = path.substr(at + 9);
    version.major = 3;
    if (number(rest, version.minor)) return version;
  }
  constexpr string_view kName = "python";
  for (auto at = path.find(kName); at != string_view::npos; at = path.find(kName, at + 1)) {
    string_view rest = path.substr(at + kName.size());
    if (!number(rest, version.major) || !rest.starts_with('.')) continue;
    rest.remove_prefix(1);
    if (number(rest, version.minor)) return version;
  }
  return std::nullopt;
}

// PY_VERSION_HEX: 0x030b02f0 is 3.11.2 final.
Version version_of(std::uint64_t hex) {
  return {static_cast<std::uint32_t>(hex >> 24 & 0xff), static_cast<std::uint32_t>(hex >> 16 & 0xff),
          static_cast<std::uint32_t>(hex >> 8 & 0xff), (hex >> 4 & 0xf) >= 0xc};
}

std::string text_of(const Version& version) {
  const auto text = fmt::format("Python {}.{}", version.major, version.minor);
  return version.micro ? fmt::format("{}.{}", text, *version.micro) : text;
}

bool is_named_python(const MappedFile& file) {
  const auto name = file_name(file);
  return name.starts_with("python") || name.starts_with("libpython");
}

std::optional<std::uint64_t> runtime_of(const MappedFile& file) {
  constexpr const char* kName = "_PyRuntime";
  if (const auto found = find_exported_variable(file, kName)) return found->address;
  // Nothing else is in it.
  if (const auto section = file.image->section(".PyRuntime")) return section->address + file.bias;
  // Any executable comes by here, and may have many symbols.
  const auto found = is_named_python(file) ? find_variable(file, kName) : std::nullopt;
  return found ? std::optional(found->address) : std::nullopt;
}

std::optional<Version> version_by_name(const MappedFile& file, std::span<const MappedFile> files) {
  if (const auto version = file.image->soname() ? version_in(*file.image->soname()) : std::nullopt) return version;
  if (const auto version = version_in(file_name(file))) return version;
  // An executable of another name: modules that it has loaded lie below python3.9/.
  for (const MappedFile& other : files) {
    if (const auto version = version_in(other.path)) return version;
  }
  return std::nullopt;
}

// Its id is 0. The newest is first.
std::optional<std::uint64_t> main_interpreter(const PythonLayout& layout, const Memory& memory,
                                              std::uint64_t runtime) {
  auto interpreter = memory.value<std::uint64_t>(runtime + layout.interpreters);
  for (int i = 0; i < kMaxInterpreters && interpreter && *interpreter != 0; ++i) {
    const auto id = memory.value<std::int64_t>(*interpreter + layout.interpreter_id);
    if (!id) return std::nullopt;
    if (*id == 0) return interpreter;
    interpreter = memory.value<std::uint64_t>(*interpreter + layout.interpreter_next);
  }
  return std::nullopt;
}

std::string range() { return fmt::format("3.{} to 3.{}", kPythonOldest, kPythonNewest); }

FoundPython not_understood(std::string why) {
  FoundPython found;
  found.why_not = std::move(why);
  return found;
}

// The layout is known: does it lead to the main interpreter, and from its first thread back?
FoundPython try_layout(std::string version, const PythonLayout& layout, const Memory& memory,
                       std::uint64_t runtime) {
  const auto interpreter = main_interpreter(layout, memory, runtime);
  constexpr std::uint64_t kUnreadable = ~std::uint64_t{0};
  std::uint64_t first = kUnreadable;
  if (interpreter) first = memory.value<std::uint64_t>(*interpreter + layout.threads).value_or(kUnreadable);
  if (memory.value<std::uint64_t>(runtime + layout.interpreters) == 0U || first == 0) {
    FoundPython found = not_understood(version + " has not started yet, or has ended");
    found.not_yet = true;
    return found;
  }
  if (first == kUnreadable || memory.value<std::uint64_t>(first + layout.thread_interpreter) != interpreter ||
      memory.value<std::uint64_t>(first + layout.thread_id).value_or(0) == 0) {
    return not_understood(version +
                          " is built in a way that is not understood: its threads are not where they belong");
  }
  return {std::move(version), *interpreter, layout, "", false};
}

FoundPython look(std::uint64_t runtime, const MappedFile& file, std::span<const MappedFile> files,
                 const Memory& memory) {
  std::array<std::uint64_t, kDebugOffsets> words{};
  // All versions have two words, and those that describe themselves all of them.
  if (!memory.read(runtime, std::as_writable_bytes(std::span(words)).first(2 * sizeof words[0]))) {
    return not_understood("Python's state cannot be read: connleak needs the right to trace the process");
  }
  const bool described = std::memcmp(words.data(), kCookie.data(), kCookie.size()) == 0;
  const auto stated = described ? std::nullopt : find_variable(file, "Py_Version");
  const auto hex = described ? std::optional(words[1])
                   : stated  ? memory.value<std::uint64_t>(stated->address)
                             : std::nullopt;
  const auto version = hex ? std::optional(version_of(*hex)) : version_by_name(file, files);
  if (!version) {
    return not_understood(fmt::format(
        "{} has Python built in, and nothing tells its version: its debug symbols would help", file_name(file)));
  }
  std::string text = text_of(*version);
  if (version->major != 3 || version->minor < kPythonOldest || version->minor > kPythonNewest) {
    return not_understood(fmt::format("{} is not understood: {} are", text, range()));
  }
  if (!version->final) return not_understood(text + " before its release candidates is not understood");
  auto layout = known_layout(version->minor);
  if (described && memory.read(runtime, std::as_writable_bytes(std::span(words)))) {
    layout = described_layout(version->minor, words);
    if (words[2] != 0) text += " free-threaded";
  }
  if (!layout) return not_understood(text + " does not describe itself as that version does");
  return try_layout(std::move(text), *layout, memory, runtime);
}

}  // namespace

std::optional<FoundPython> locate_python(std::span<const MappedFile> files, const Memory& memory) {
  const MappedFile* named = nullptr;
  for (const MappedFile& file : files) {
    if (!is_readable(file)) continue;
    if (const auto name = file_name(file); name.starts_with("pypy") || name.starts_with("libpypy")) {
      return not_understood(fmt::format("PyPy is not understood: CPython {} is", range()));
    }
    // Only these: reading the symbols of every library of every process would cost too much.
    const bool is_named = is_named_python(file);
    if (!is_named && !file.image->is_executable()) continue;
    if (const auto runtime = runtime_of(file)) return look(*runtime, file, files, memory);
    if (is_named) named = &file;
  }
  if (named == nullptr) return std::nullopt;
  const auto version = version_by_name(*named, {});
  const std::string what = version ? text_of(*version) : std::string("Python");
  if (version && (version->major < 3 || version->minor < kPythonOldest)) {
    return not_understood(fmt::format("{} is not understood: {} are", what, range()));
  }
  return not_understood(fmt::format("{} has no symbol _PyRuntime: its debug symbols would help", what));
}

}  // namespace connleak
