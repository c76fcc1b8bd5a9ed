// SPDX-License-Identifier: Apache-2.0
// How the values of a Snapshot are written, the same in every view and every exported file. Nothing here is
// escaped: whoever prints the text does that, once.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "report/snapshot.hpp"

namespace connleak {

[[nodiscard]] constexpr std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::leak:
      return "LEAK";
    case Verdict::suspect:
      return "SUSPECT";
    case Verdict::held:
      return "HELD";
    case Verdict::stale:
      return "STALE";
  }
  return "SUSPECT";
}

[[nodiscard]] constexpr std::string_view confidence_name(Confidence confidence) {
  switch (confidence) {
    case Confidence::high:
      return "high";
    case Confidence::medium:
      return "medium";
    case Confidence::low:
      return "low";
  }
  return "low";
}

[[nodiscard]] constexpr std::string_view age_kind_name(AgeKind kind) {
  switch (kind) {
    case AgeKind::exact:
      return "exact";
    case AgeKind::at_least:
      return "at_least";
    case AgeKind::unknown:
      return "unknown";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view starved_name(Starved starved) {
  return starved == Starved::slots_leaked ? "slots_leaked" : "too_small";
}

[[nodiscard]] constexpr std::string_view stack_kind_name(StackKind kind) {
  switch (kind) {
    case StackKind::acquire:
      return "acquire";
    case StackKind::last_use:
      return "last_use";
    case StackKind::open:
      return "open";
  }
  return "open";
}

// "192.0.2.1:5432", "[2001:db8::1]:5432", "unix:/run/db.sock"; "?" for a part that is not known.
[[nodiscard]] inline std::string endpoint_name(const Endpoint& endpoint) {
  if (endpoint.family == "unix") return "unix:" + endpoint.path.value_or("?");
  const std::string address = endpoint.address.value_or("?");
  const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return host + ":" + (endpoint.port ? std::to_string(*endpoint.port) : "?");
}

[[nodiscard]] inline std::string hex_address(std::uint64_t address) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, address, 16).ptr;
  return "0x" + std::string(digits, end);
}

[[nodiscard]] inline std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// The function, else "module+0xaddress", else the address.
[[nodiscard]] inline std::string frame_name(const Frame& frame) {
  if (frame.function) return *frame.function;
  const std::string address = hex_address(frame.address);
  return frame.module ? base_name(*frame.module) + "+" + address : address;
}

// "file:line", "file", or "" where the file is not known.
[[nodiscard]] inline std::string frame_place(const Frame& frame) {
  if (!frame.file) return "";
  return frame.line ? *frame.file + ":" + std::to_string(*frame.line) : *frame.file;
}

// "function file.go:42", with the file's last component only: the same for every checkout of one build.
[[nodiscard]] inline std::string culprit_name(const Frame& frame) {
  const std::string place = base_name(frame_place(frame));
  return place.empty() ? frame_name(frame) : frame_name(frame) + " " + place;
}

}  // namespace connleak
