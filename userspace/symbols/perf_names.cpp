// SPDX-License-Identifier: Apache-2.0
// V8: CodeEventLogger of src/logging/log.cc, kinds of src/logging/code-events.h. Java: CodeCache::write_perf_map.
#include "symbols/perf_names.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "symbols/script_frame.hpp"

namespace connleak {

namespace {

// With a file and a line behind the name, and those of the engine's own.
constexpr std::string_view kScriptKinds[] = {
    "JS:", "LazyCompile:", "Function:", "InterpretedFunction:", "Script:", "Eval:"};
constexpr std::string_view kEngineKinds[] = {"Builtin:", "BytecodeHandler:", "Handler:", "Stub:", "RegExp:"};
// How far it is compiled: interpreted, baseline, Maglev, TurboFan.
constexpr std::string_view kTiers = "~^+*`";
// What a file begins with: the name before it may have spaces ("get total"), and so may the file.
constexpr std::string_view kFileStarts[] = {" /", " file://", " node:", " [", " evalmachine", " webpack", " http"};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes ":NUMBER" off the end.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto value = number(text.substr(colon + 1));
  if (value) text = text.substr(0, colon);
  return value;
}

SymbolFrame javascript(std::string_view text) {
  if (!text.empty() && kTiers.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  std::string_view place = text;
  const auto column = take_number(place);
  auto line = column ? take_number(place) : std::nullopt;
  if (column && !line) line = column;  // older ones say no column
  auto split = std::string_view::npos;
  if (line) {
    for (const auto start : kFileStarts) split = std::min(split, place.find(start));
    if (split == std::string_view::npos) split = place.find(' ');
  }
  if (split == std::string_view::npos) {
    const std::string_view name = text.substr(0, text.find(' '));
    return script_frame_of(Language::javascript, name.empty() ? "(anonymous)" : std::string(name), std::nullopt,
                           std::nullopt);
  }
  const std::string_view name = place.substr(0, split);
  std::string_view file = place.substr(split + 1);
  if (file.starts_with("file:///")) file.remove_prefix(7);
  return script_frame_of(Language::javascript, name.empty() ? "(anonymous)" : std::string(name), std::string(file),
                         *line == 0 ? std::nullopt : line);
}

bool is_java_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '.' || c == '/' || c == '<' || c == '>' || static_cast<unsigned char>(c) >= 0x80;
}

// "Orders$$Lambda$1/0x00007f4e34000a08.apply": the number is another one in every run.
std::string without_hidden_class(std::string_view name) {
  const auto slash = name.find('/');
  const auto dot = name.find('.', std::min(slash, name.size()));
  if (slash == std::string_view::npos || dot == std::string_view::npos) return std::string(name);
  return std::string(name.substr(0, slash)) + std::string(name.substr(dot));
}

std::optional<std::string> java_method(std::string_view name) {
  const auto class_end = name.find(";::");
  if (name.starts_with('L') && class_end != std::string_view::npos && class_end > 1) {
    std::string text(name.substr(1, class_end - 1));
    std::ranges::replace(text, '/', '.');
    const std::string_view method = name.substr(class_end + 3);
    return text + "." + std::string(method.substr(0, method.find_first_of("( ")));
  }
  const auto bracket = name.find('(');
  if (bracket == std::string_view::npos || !name.ends_with(')')) return std::nullopt;
  std::string_view method = name.substr(0, bracket);
  const auto space = method.rfind(' ');
  if (space != std::string_view::npos) {
    const std::string_view type = method.substr(0, method.find('['));
    if (!std::ranges::all_of(type.substr(0, space), is_java_character)) return std::nullopt;
    method.remove_prefix(space + 1);
  }
  if (method.find('.') == std::string_view::npos || !std::ranges::all_of(method, is_java_character))
    return std::nullopt;
  return without_hidden_class(method);
}

}  // namespace

SymbolFrame perf_name_frame(std::string_view name) {
  for (const auto kind : kScriptKinds) {
    if (name.starts_with(kind)) return javascript(name.substr(kind.size()));
  }
  for (const auto kind : kEngineKinds) {
    if (name.starts_with(kind))
      return script_frame_of(Language::javascript, std::string(name), std::nullopt, std::nullopt);
  }
  if (auto method = java_method(name))
    return script_frame_of(Language::java, std::move(method), std::nullopt, std::nullopt);
  return script_frame_of(Language::unknown, std::string(name), std::nullopt, std::nullopt);
}

}  // namespace connleak
