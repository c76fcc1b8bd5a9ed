// SPDX-License-Identifier: Apache-2.0
// The layout of a recording.
#include "events/recording_format.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace connleak::recording {
namespace {

using Json = nlohmann::json;

bool read(const Json& object, const char* key, std::string& out) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_string()) return false;
  out = field->get_ref<const std::string&>();
  return true;
}

bool read(const Json& object, const char* key, bool& out) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_boolean()) return false;
  out = field->get<bool>();
  return true;
}

template <class Integer>
bool read(const Json& object, const char* key, Integer& out) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_number_integer()) return false;
  if constexpr (std::is_unsigned_v<Integer>) {
    if (!field->is_number_unsigned()) return false;
  }
  out = field->get<Integer>();
  return true;
}

}  // namespace

std::uint32_t checksum(std::span<const std::byte> bytes) {
  // Steps of FNV-1a on words, in four lanes that do not wait for each other. Each step is a bijection of its lane,
  // so one changed word always changes its lane.
  constexpr std::uint64_t prime = 0x9e3779b97f4a7c15;  // odd, and its bits are spread evenly
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  const std::size_t size = bytes.size();
  for (; bytes.size() >= sizeof lanes; bytes = bytes.subspan(sizeof lanes)) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes.data(), sizeof words);
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] = (lanes[i] ^ words[i]) * prime;
  }
  std::array<std::uint64_t, 4> words{};
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  std::uint64_t sum = size;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::uint64_t lane = (lanes[i] ^ words[i]) * prime;
    sum = (sum ^ lane ^ lane >> 32) * prime;
  }
  return static_cast<std::uint32_t>(sum >> 32);
}

std::string to_json(const Preamble& preamble) {
  const Json object{
      {"tool_version", preamble.tool_version},
      {"hostname", preamble.hostname},
      {"kernel", preamble.kernel},
      {"boot_to_unix_ns", preamble.boot_to_unix_ns},
      {"started_ns", preamble.started_ns},
      {"attached_late", preamble.attached_late},
  };
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Preamble> from_json(std::string_view json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  Preamble out;
  const bool whole = read(object, "tool_version", out.tool_version) && read(object, "hostname", out.hostname) &&
                     read(object, "kernel", out.kernel) && read(object, "boot_to_unix_ns", out.boot_to_unix_ns) &&
                     read(object, "started_ns", out.started_ns) &&
                     read(object, "attached_late", out.attached_late);
  if (!whole) return std::nullopt;
  return out;
}

}  // namespace connleak::recording
