// SPDX-License-Identifier: Apache-2.0
#include "interpreters/go_runtime.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "symbols/dwarf_structs.hpp"
#include "symbols/go_build_info.hpp"

namespace connleak {

namespace {

// By `go tool` and DWARF of 1.19, 1.21, 1.22, 1.23, 1.26 and 1.27; 1.20 lies between two that are the same. 1.23
// put syscallbp into g; by 1.26 ret was gone from gobuf, of which m has one, too. Of 1.24 and 1.25 the process
// must tell.
constexpr auto kTo122 = std::to_array<GoStructs>({{72, 48, 192, 152, 104}});
constexpr auto kTo125 = std::to_array<GoStructs>({{72, 48, 192, 160, 104}, {72, 48, 184, 152, 96}});
constexpr auto kFrom123 = std::span(kTo125).first(1);
constexpr auto kFrom126 = std::span(kTo125).last(1);

// Of a field, bytes; m, the largest, has some 2,000.
constexpr std::uint64_t kMaxOffset = 8192;

// Bytes; the first places that read g come within some thousand.
constexpr std::uint64_t kMaxCode = std::uint64_t{8} << 20;
constexpr std::size_t kChunk = std::size_t{1} << 20;
// Places that must agree.
constexpr int kAgreeing = 4;
// Thread-local storage of a program: more is no offset.
constexpr std::int32_t kMaxThreadLocal = 1 << 20;

// Bytes of variables that begin as zeros; large programs have some 5 MiB.
constexpr std::uint64_t kMaxData = std::uint64_t{32} << 20;
// Lists looked into, and looked through: a large program has some hundreds, and one that begins like that of all
// goroutines.
constexpr int kMaxLists = 4096;
constexpr int kMaxThrough = 8;
// The main goroutine and those of the runtime itself, which never end, and as many as are looked at.
constexpr std::uint64_t kFewest = 4;
constexpr std::size_t kLookedAt = 16;
constexpr std::uint64_t kMostGoroutines = std::uint64_t{1} << 27;
constexpr std::uint64_t kUserEnd = std::uint64_t{1} << 47;

// Entries from assembly into Go load R14 with g: mov %fs:OFFSET,%r14, or in position-independent programs
// mov $OFFSET,%r14; mov %fs:(%r14),%r14.
constexpr auto kDirect = std::to_array<std::uint8_t>({0x64, 0x4c, 0x8b, 0x34, 0x25});
constexpr auto kByRegister = std::to_array<std::uint8_t>({0x49, 0xc7, 0xc6});
constexpr auto kThenLoad = std::to_array<std::uint8_t>({0x64, 0x4d, 0x8b, 0x36});
constexpr std::size_t kLongest = 11;

template <std::size_t N>
bool starts_with(std::span<const std::uint8_t> code, const std::array<std::uint8_t, N>& bytes) {
  return code.size() >= N && std::memcmp(code.data(), bytes.data(), N) == 0;
}

std::optional<std::int32_t> loaded_offset(std::span<const std::uint8_t> code) {
  std::size_t at = 0;
  if (starts_with(code, kDirect))
    at = kDirect.size();
  else if (starts_with(code, kByRegister) && starts_with(code.subspan(kByRegister.size() + 4), kThenLoad))
    at = kByRegister.size();
  else
    return std::nullopt;
  std::int32_t offset = 0;
  std::memcpy(&offset, code.data() + at, sizeof offset);
  return offset;
}

bool is_pointer(std::uint64_t word) { return word % 8 == 0 && word >= 4096 && word < kUserEnd; }

// runtime.allgs is such a list: a slice.
struct List {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  std::uint64_t room = 0;
  [[nodiscard]] bool is_possible() const {
    return is_pointer(first) && size >= kFewest && size <= room && room <= kMostGoroutines;
  }
};

// What it runs on, if anything: a thread whose own g leads back to it.
bool has_fitting_thread(const GoStructs& structs, const Memory& memory, std::uint64_t g) {
  const auto thread = memory.value<std::uint64_t>(g + structs.thread);
  if (!thread || *thread == 0) return thread.has_value();
  const auto own = is_pointer(*thread) ? memory.value<std::uint64_t>(*thread) : std::nullopt;
  return own && is_pointer(*own) && memory.value<std::uint64_t>(*own + structs.thread) == thread;
}

bool begins_with_main(const List& list, const GoStructs& structs, const Memory& memory) {
  const auto main = memory.value<std::uint64_t>(list.first);
  return main && is_pointer(*main) && memory.value<std::uint64_t>(*main + structs.id) == 1;
}

bool is_list_of_goroutines(const List& list, const GoStructs& structs, const Memory& memory) {
  std::array<std::uint64_t, kLookedAt> all{};
  const auto some = std::span(all).first(static_cast<std::size_t>(std::min<std::uint64_t>(list.size, kLookedAt)));
  if (!memory.read(list.first, std::as_writable_bytes(some)) || !std::ranges::all_of(some, is_pointer))
    return false;
  std::array<std::uint64_t, 2> stack{};
  if (!memory.read(some.front(), std::as_writable_bytes(std::span(stack))) || stack[0] >= stack[1]) return false;
  std::vector<std::uint64_t> ids;
  for (const std::uint64_t g : some) {
    const auto id = memory.value<std::uint64_t>(g + structs.id);
    if (!id || !has_fitting_thread(structs, memory, g)) return false;
    if (*id == 0) continue;  // it is being made
    if (memory.value<std::uint64_t>(g + structs.self) != g) return false;
    ids.push_back(*id);
  }
  std::ranges::sort(ids);
  return ids.size() + 1 >= kFewest && std::ranges::adjacent_find(ids) == ids.end();
}

// For the list of all goroutines, among the variables of a program.
class Search {
 public:
  Search(std::span<const GoStructs> structs, const Memory& memory) : structs_(structs), memory_(memory) {}

  // The structures that it has been found with, or nullptr.
  const GoStructs* look_in(std::span<const std::uint64_t> words) {
    for (std::size_t i = 0; i + 2 < words.size() && !is_over(); ++i) {
      const List list{words[i], words[i + 1], words[i + 2]};
      if (!list.is_possible()) continue;
      ++lists_;
      for (const GoStructs& structs : structs_) {
        if (!begins_with_main(list, structs, memory_)) continue;
        if (is_list_of_goroutines(list, structs, memory_)) return &structs;
        ++through_;
      }
    }
    return nullptr;
  }
  [[nodiscard]] bool is_over() const { return lists_ >= kMaxLists || through_ >= kMaxThrough; }

 private:
  std::span<const GoStructs> structs_;
  const Memory& memory_;
  int lists_ = 0;
  int through_ = 0;
};

}  // namespace

std::span<const GoStructs> known_go_structs(std::string_view version) {
  constexpr std::string_view kFirst = "go1.";
  unsigned minor = 0;
  if (!version.starts_with(kFirst)) return {};
  version.remove_prefix(kFirst.size());
  if (std::from_chars(version.data(), version.data() + version.size(), minor).ec != std::errc()) return {};
  if (minor < kGoOldest || minor > kGoNewest) return {};
  if (minor <= 22) return kTo122;
  if (minor == 23) return kFrom123;
  return minor <= 25 ? std::span(kTo125) : kFrom126;
}

std::optional<GoStructs> described_go_structs(const ElfImage& image) {
  constexpr auto kNames = std::to_array<std::string_view>({"runtime.g", "runtime.gobuf", "runtime.m"});
  const auto structs = find_go_structs(image, kNames);
  const auto find = [&](std::string_view name, std::string_view field) -> std::optional<std::uint32_t> {
    const auto found = std::ranges::find(structs, name, &DwarfStruct::name);
    const auto offset = found != structs.end() ? found->offset(field) : std::nullopt;
    if (!offset || *offset > kMaxOffset) return std::nullopt;
    return static_cast<std::uint32_t>(*offset);
  };
  const auto thread = find("runtime.g", "m");
  const auto current = find("runtime.m", "curg");
  const auto id = find("runtime.g", "goid");
  const auto saved = find("runtime.g", "sched");
  const auto self = find("runtime.gobuf", "g");
  const auto frame = find("runtime.gobuf", "bp");
  if (!thread || !current || !id || !saved || !self || !frame) return std::nullopt;
  if (find("runtime.m", "g0") != 0 || find("runtime.g", "stack") != 0) return std::nullopt;
  const GoStructs described{*saved + *self, *thread, *current, *id, *saved + *frame};
  const auto is_read = [](std::uint32_t offset) { return offset % 8 == 0 && offset + 8 <= GOROUTINE_BYTES; };
  for (const std::uint32_t offset : {described.self, described.thread, described.id, described.frame})
    if (!is_read(offset)) return std::nullopt;
  return described;
}

std::optional<std::int32_t> go_thread_local(const ElfImage& image, std::uint64_t text) {
  std::optional<std::int32_t> offset;
  int agreeing = 0;
  std::vector<std::uint8_t> chunk(kChunk);
  for (std::uint64_t done = 0; done < kMaxCode; done += kChunk - kLongest) {
    const std::size_t got = image.read(text + done, std::as_writable_bytes(std::span(chunk)));
    for (std::size_t at = 0; at + kLongest <= got; ++at) {
      const auto here = loaded_offset(std::span(chunk).subspan(at, kLongest));
      if (!here) continue;
      if (offset && *offset != *here) return std::nullopt;
      offset = here;
      if (++agreeing < kAgreeing) continue;
      const bool is_possible = *here < 0 && *here > -kMaxThreadLocal && *here % 8 == 0;
      return is_possible ? here : std::nullopt;
    }
    if (got < chunk.size()) break;
  }
  return std::nullopt;
}

std::optional<GoRuntime> GoRuntime::open(const MappedFile& file, std::uint64_t text) {
  const ElfImage& image = *file.image;
  if (image.machine() != EM_X86_64 || !image.is_64_bit_little_endian()) return std::nullopt;
  GoRuntime runtime;
  const auto running = go_thread_local(image, text);
  if (!running) return std::nullopt;
  runtime.running_ = *running;
  const auto build = read_go_build_info(image);
  const auto known = known_go_structs(build ? build->version : "");
  runtime.structs_.assign(known.begin(), known.end());
  if (known.empty())
    if (const auto described = described_go_structs(file.debug != nullptr ? *file.debug : image))
      runtime.structs_.push_back(*described);
  if (runtime.structs_.empty()) return std::nullopt;
  std::uint64_t size = 0;
  for (const ElfImage::Segment& segment : image.segments()) {
    if (!segment.writable || segment.memory_size <= segment.file_size) continue;
    runtime.data_.push_back({file.bias + segment.address + segment.file_size,
                             std::min(segment.memory_size - segment.file_size, kMaxData - size)});
    size += runtime.data_.back().size;
  }
  return runtime;
}

std::optional<goroutine_layout> GoRuntime::find(const Memory& memory) const {
  Search search(structs_, memory);
  std::vector<std::uint64_t> words(kChunk / 8);
  for (const Range& range : data_) {
    const std::uint64_t end = range.address + range.size;
    // Parts overlap by two words, so that no list is cut.
    for (std::uint64_t at = (range.address + 7) / 8 * 8; at + 24 <= end; at += kChunk - 16) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>((end - at) / 8, words.size()));
      const auto part = std::span(words).first(size);
      if (!memory.read(at, std::as_writable_bytes(part))) continue;
      if (const GoStructs* found = search.look_in(part))
        return goroutine_layout{running_, found->self, found->thread, found->current, found->id, found->frame};
      if (search.is_over()) return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace connleak
