// SPDX-License-Identifier: Apache-2.0
// Functions of Go programs by name.
#include <algorithm>
#include <cstring>

#include "symbols/go_table.hpp"

namespace connleak {

namespace {

constexpr std::size_t kFound = 1000;
constexpr std::size_t kMaxName = 512;             // bytes of a prefix and what follows it; longer ones are cut
constexpr std::uint64_t kMaxFunctions = 4 << 20;  // the largest programs have some 500,000

// Reads ahead: functions and their names lie in order.
class Window {
 public:
  explicit Window(const ElfImage& image) : image_(image), bytes_(std::size_t{64} << 10) {}

  // Empty where there is nothing; less than `size` at the end.
  std::span<const std::byte> at(std::uint64_t address, std::size_t size) {
    if (address < begin_ || address - begin_ + size > size_) {
      begin_ = address;
      size_ = image_.read(address, bytes_);
    }
    const std::size_t from = address - begin_;
    return from >= size_ ? std::span<const std::byte>()
                         : std::span(bytes_).subspan(from, std::min(size, size_ - from));
  }

  template <class T>
  std::optional<T> value(std::uint64_t address) {
    const auto bytes = at(address, sizeof(T));
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

 private:
  const ElfImage& image_;
  std::vector<std::byte> bytes_;
  std::uint64_t begin_ = 0;
  std::size_t size_ = 0;
};

std::string_view until_nul(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::vector<GoFunction> GoTable::functions(const ElfImage& image,
                                           std::span<const std::string_view> prefixes) const {
  std::vector<GoFunction> found;
  if (layout_.functions > kMaxFunctions) return found;
  const bool is_old = layout_.version == GoTableVersion::go116;
  const std::uint64_t width = is_old ? 8 : 4;
  Window table(image);
  Window infos(image);
  Window names(image);
  const auto word = [&](Window& from, std::uint64_t address) -> std::optional<std::uint64_t> {
    if (is_old) return from.value<std::uint64_t>(address);
    return from.value<std::uint32_t>(address);
  };
  for (std::uint64_t i = 0; i < layout_.functions && found.size() < kFound; ++i) {
    const std::uint64_t at = layout_.function_table + i * 2 * width;
    const auto entry = word(table, at);
    const auto info = word(table, at + width);
    const auto next = word(table, at + 2 * width);
    if (!entry || !info || !next || *next <= *entry || *info > image.file_size()) continue;
    // struct _func: the entry, then where the name is.
    const auto name = infos.value<std::uint32_t>(layout_.function_table + *info + width);
    if (!name) continue;
    const std::string_view text = until_nul(names.at(layout_.names + *name, kMaxName));
    if (std::ranges::none_of(prefixes, [&](std::string_view prefix) { return text.starts_with(prefix); }))
      continue;
    found.push_back({std::string(text), is_old ? *entry : layout_.text + *entry, *next - *entry});
  }
  return found;
}

}  // namespace connleak
