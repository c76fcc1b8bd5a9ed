// SPDX-License-Identifier: Apache-2.0
#include "base/stack_hash.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace connleak {
namespace {

using std::string_view;

constexpr string_view kDigits = "0123456789";
constexpr string_view kHexDigits = "0123456789abcdef";

// Copies and pieces of a function that GCC and Clang make; some carry a number.
constexpr auto kClones = std::to_array<string_view>({".part", ".constprop", ".isra", ".sra", ".cold", ".lto_priv",
                                                     ".llvm", ".localalias", ".clone", ".ipa", ".unlikely"});

// Classes that a JVM or a framework makes while it runs; what is numbered, and how.
struct Made {
  string_view marker;
  string_view digits;
};
constexpr auto kMadeClasses = std::to_array<Made>({{"$$Lambda$", kDigits},
                                                   {"$Proxy", kDigits},
                                                   {"GeneratedMethodAccessor", kDigits},
                                                   {"GeneratedConstructorAccessor", kDigits},
                                                   {"CGLIB$$", kHexDigits},
                                                   {"/0x", kHexDigits}});

bool ends_in_hash(string_view name) {
  constexpr std::size_t kHash = 16;
  constexpr string_view kBefore = "::h";
  if (name.size() <= kHash + kBefore.size()) return false;
  const string_view tail = name.substr(name.size() - kHash - kBefore.size());
  return tail.starts_with(kBefore) && tail.find_first_not_of(kHexDigits, kBefore.size()) == string_view::npos;
}

// How many bytes of the end are one clone's mark; 0: none.
std::size_t clone_size(string_view name) {
  constexpr string_view kOpen = " [clone ";
  if (name.ends_with(']')) {
    const auto open = name.rfind(kOpen);
    return open == string_view::npos || open == 0 ? 0 : name.size() - open;
  }
  string_view rest = name.substr(0, name.find_last_not_of(kDigits) + 1);
  if (rest.size() != name.size()) {
    if (!rest.ends_with('.')) return 0;
    rest.remove_suffix(1);
  }
  const auto* const clone = std::ranges::find_if(kClones, [&](string_view mark) { return rest.ends_with(mark); });
  if (clone == kClones.end() || rest.size() == clone->size()) return 0;
  return name.size() - rest.size() + clone->size();
}

string_view without_build(string_view name) {
  while (const std::size_t size = clone_size(name)) name.remove_suffix(size);
  if (ends_in_hash(name)) name.remove_suffix(3 + 16);
  return name;
}

std::string without_run(string_view name) {
  std::string out(name);
  for (const auto& [marker, digits] : kMadeClasses) {
    for (std::size_t at = 0; (at = out.find(marker, at)) != std::string::npos;) {
      at += marker.size();
      out.erase(at, std::min(out.find_first_not_of(digits, at), out.size()) - at);
    }
  }
  return out;
}

}  // namespace

std::string lasting_name(string_view function, NameStyle style) {
  switch (style) {
    case NameStyle::native:
      return std::string(without_build(function));
    case NameStyle::java:
      return without_run(function);
    case NameStyle::other:
      break;
  }
  return std::string(function);
}

void StackHash::frame(string_view module, string_view function, NameStyle style) {
  text(module);
  byte(1);
  text(lasting_name(function, style));
}

void StackHash::frame(string_view module, std::uint64_t offset) {
  text(module);
  byte(2);
  number(offset);
}

void StackHash::address(std::uint64_t address) { number(address); }

std::string StackHash::id() const { return fmt::format("{:016x}", hash_); }

void StackHash::text(string_view value) {
  for (const char c : value) byte(static_cast<std::uint8_t>(c));
  byte(0);
}

void StackHash::number(std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace connleak
