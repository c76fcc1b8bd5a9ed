// SPDX-License-Identifier: Apache-2.0
// Any memory of a process leads to an interpreter's frames or to none, in a bounded number of reads. A byte that
// says whose memory it is, one that says what lies beyond it (nothing, or the same again), the memory.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "elf_file.hpp"
#include "fuzz.hpp"
#include "fuzz_memory.hpp"
#include "interpreters/interpreter.hpp"
#include "interpreters/python_layout.hpp"
#include "symbols/elf_symbols.hpp"

using namespace connleak;

namespace {

constexpr std::uint64_t kBase = FuzzMemory::kBase;  // of the memory, which begins with the interpreter's variable
constexpr std::uint64_t kThread = 0x7f0012345700;
constexpr std::size_t kMaxReads = 2'000'000;

constexpr FuzzMemory::Limits kLimits = {kMaxReads, std::size_t{4} << 20};

struct Program {
  const char* path;
  const char* version;  // of Ruby and PHP, as their files have it
};
constexpr Program kPrograms[] = {
    {"/usr/bin/python3.9", "0.0.0"},
    {"/usr/lib/libpython3.10.so.1.0", "0.0.0"},
    {"/usr/bin/python3.11", "0.0.0"},
    {"/usr/bin/python3.12", "0.0.0"},
    {"/usr/bin/python3.13", "0.0.0"},
    {"/usr/lib/libruby-3.0.so.3.0", "3.0.7"},
    {"/usr/lib/libruby-3.2.so.3.2", "3.2.1"},
    {"/usr/lib/libruby-3.4.so.3.4", "3.4.1"},
    {"/usr/bin/php7.4", "7.4.3"},
    {"/usr/bin/php8.2", "8.2.1"},
    {"/usr/sbin/php-fpm8.4", "8.4.1"},
};
enum : std::uint8_t {
  kPython39,
  kPython310,
  kPython311,
  kPython312,
  kPython313,
  kRuby30,
  kRuby32,
  kRuby34,
  kPhp74,
  kPhp82
};

struct Opened {
  Fd file;
  std::unique_ptr<ElfImage> image;
  std::uint64_t bias = 0;
};

const Opened& opened(std::size_t number) {
  static std::map<std::size_t, Opened> all;
  Opened& one = all[number];
  if (one.image) return one;
  auto bytes = test::seed_file("interpreter.so");
  constexpr std::string_view kNines = "9.9.9";
  for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), kNines.begin(), kNines.end())) != bytes.end();)
    at = std::copy_n(kPrograms[number].version, kNines.size(), at);
  one.file = test::file_of(bytes);
  auto image = ElfImage::open(one.file.get());
  if (!image) std::abort();
  one.image = std::make_unique<ElfImage>(*std::move(image));
  const auto variable = find_variable(*one.image, SymbolTable::exported, "_PyRuntime");
  if (!variable) std::abort();
  one.bias = kBase - variable->address;
  return one;
}

// Memory in the making.
class Arena {
 public:
  explicit Arena(std::uint8_t program) : bytes_(2 + 3072) { bytes_[0] = program; }
  template <class T>
  void put(std::size_t at, T value) {
    std::memcpy(bytes_.data() + 2 + at, &value, sizeof value);
  }
  void link(std::size_t at, std::size_t to) { put(at, kBase + to); }
  void text(std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), bytes_.begin() + 2 + static_cast<std::ptrdiff_t>(at));
  }
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

constexpr std::size_t kInterpreter = 800, kPythonThread = 1000, kHolder = 1220, kFrame = 1300, kFrame2 = 1420,
                      kCode = 1560, kCodeType = 1800, kTextType = 1840, kBytesType = 1880, kName = 2000,
                      kFile = 2100, kLines = 2200, kUnits = 2300;

void put_text(Arena& arena, const PythonLayout& layout, std::size_t at, std::string_view text) {
  arena.link(at + layout.object_type, kTextType);
  arena.put(at + layout.text_length, std::uint64_t{text.size()});
  arena.put(at + layout.text_state, (1U | 8U | 16U) << layout.text_kind);
  arena.text(at + layout.text_ascii, text);
}

void put_python(Arena& arena, const PythonLayout& layout) {
  arena.link(layout.interpreters, kInterpreter);
  arena.link(kInterpreter + layout.threads, kPythonThread);
  arena.link(kPythonThread + layout.thread_interpreter, kInterpreter);
  arena.put(kPythonThread + layout.thread_id, kThread);
  const bool has_holder = layout.minor == 11 || layout.minor == 12;
  arena.link(kPythonThread + layout.top, has_holder ? kHolder : kFrame);
  if (has_holder) arena.link(kHolder + layout.top_via, kFrame);
  arena.link(kFrame + layout.frame_next, kFrame2);
  for (const std::size_t frame : {kFrame, kFrame2}) {
    arena.link(frame + layout.frame_code, kCode);
    if (layout.minor < 11)
      arena.put(frame + layout.frame_place, std::uint64_t{4});
    else
      arena.link(frame + layout.frame_place, kCode + layout.code_bytes + 4);
  }
  arena.link(kCode + layout.object_type, kCodeType);
  arena.put(kCode + layout.object_size, std::uint64_t{16});
  arena.put(kCode + layout.code_first_line, 7);
  arena.link(kCode + layout.code_name, kName);
  arena.link(kCode + layout.code_file, kFile);
  arena.link(kCode + layout.code_lines, kLines);
  if (layout.minor < 11) arena.link(kCode + layout.code_bytes, kUnits);
  std::size_t name = 1920;
  for (const auto& [type, text] : {std::pair{kCodeType, "code"}, {kTextType, "str"}, {kBytesType, "bytes"}}) {
    arena.link(type + layout.type_name, name);
    arena.text(name, text);
    name += 8;
  }
  put_text(arena, layout, kName, "checkout");
  put_text(arena, layout, kFile, "/srv/shop.py");
  for (const std::size_t object : {kLines, kUnits}) {
    arena.link(object + layout.object_type, kBytesType);
    arena.put(object + layout.object_size, std::uint64_t{32});
    arena.text(object + layout.bytes_data, "\x80\x02\xea\x41\x04\x01\x80\x7f");
  }
}

// 3.13: where the words of _Py_DebugOffsets are, and what is put there: the offsets of 3.12, as good as any.
std::vector<std::uint8_t> python313() {
  Arena arena(kPython313);
  auto layout = *known_layout(12);
  layout.minor = 13;
  layout.interpreters = 768;
  layout.code_first_trace = layout.code_bytes - 16;
  for (const auto& [word, value] :
       std::initializer_list<std::pair<std::size_t, std::uint64_t>>{{1, 0x030d02f0},
                                                                    {5, layout.interpreters},
                                                                    {7, layout.interpreter_id},
                                                                    {8, layout.interpreter_next},
                                                                    {9, layout.threads},
                                                                    {21, layout.thread_next},
                                                                    {22, layout.thread_interpreter},
                                                                    {23, layout.top},
                                                                    {24, layout.thread_id},
                                                                    {29, layout.frame_next},
                                                                    {30, layout.frame_code},
                                                                    {31, layout.frame_place},
                                                                    {35, layout.code_file},
                                                                    {37, layout.code_name},
                                                                    {38, layout.code_lines},
                                                                    {39, layout.code_first_line},
                                                                    {43, layout.code_bytes},
                                                                    {44, layout.object_size},
                                                                    {45, layout.object_type},
                                                                    {47, layout.type_name},
                                                                    {66, layout.bytes_data},
                                                                    {68, layout.text_state},
                                                                    {69, layout.text_length},
                                                                    {70, layout.text_ascii}})
    arena.put(word * 8, value);
  put_python(arena, layout);
  arena.text(0, "xdebugpy");
  return std::move(arena).take();
}

std::vector<std::uint8_t> ruby32() {
  Arena arena(kRuby32);
  constexpr std::size_t kVm = 64, kRactor = 256, kRubyThread = 512, kContext = 640, kNative = 700, kStackAt = 800,
                        kControl = 900, kIseq = 1000, kBody = 1064, kLabel = 1304, kPath = 1368, kLine = 1432;
  arena.link(0, kVm);
  arena.link(kVm + 32, kRactor);
  arena.link(kVm + 40, kRubyThread);
  arena.link(kRubyThread + 24, kRactor);
  arena.link(kRubyThread + 32, kVm);
  arena.link(kRubyThread + 40, kNative);
  arena.put(kNative + 8, kThread);
  arena.link(kRubyThread + 48, kContext);
  arena.link(kContext, kStackAt);
  arena.put(kContext + 8, std::uint64_t{19});
  arena.link(kContext + 16, kControl - 8);
  arena.link(kContext + 48, kRubyThread);
  arena.link(kRactor + 64, kRubyThread);
  arena.link(kRubyThread, kRactor + 64);
  arena.link(kControl - 8, kIseq + 64 + 8 * 20);
  arena.link(kControl - 8 + 16, kIseq);
  arena.put(kIseq, std::uint64_t{0x1a | 7 << 12});
  arena.link(kIseq + 16, kBody);
  arena.put(kBody + 4, 40);
  arena.link(kBody + 8, kIseq + 64);
  arena.link(kBody + 64, kPath);
  arena.link(kBody + 80, kLabel);
  arena.link(kBody + 112, kLine);
  arena.put(kBody + 128, 1);
  arena.put(kLine, std::uint64_t{42});
  for (const auto& [at, text] : {std::pair{kLabel, "checkout"}, {kPath, "/srv/shop.rb"}}) {
    arena.put(at, std::uint64_t{5});
    arena.put(at + 16, std::uint64_t{std::string_view(text).size()});
    arena.text(at + 24, text);
  }
  return std::move(arena).take();
}

std::vector<std::uint8_t> php82() {
  Arena arena(kPhp82);
  constexpr std::size_t kData = 1000, kOps = 1200, kCodes = 1400, kFunction = 1600, kPath = 1700;
  arena.put(480, std::uint64_t{262144});
  arena.link(488, kData);
  arena.link(kData, kCodes + 32);
  arena.link(kData + 24, kOps);
  arena.put(kOps, std::uint8_t{2});
  arena.link(kOps + 8, kFunction);
  arena.put(kOps + 80, 4);
  arena.link(kOps + 88, kCodes);
  arena.link(kOps + 152, kPath);
  arena.put(kOps + 160, 3);
  arena.put(kOps + 164, 90);
  arena.put(kCodes + 32 + 24, 42);
  for (const auto& [at, text] : {std::pair{kFunction, "checkout"}, {kPath, "/srv/shop.php"}}) {
    arena.put(at + 4, 6U);
    arena.put(at + 16, std::uint64_t{std::string_view(text).size()});
    arena.text(at + 24, text);
  }
  return std::move(arena).take();
}

std::size_t named(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return 0;
  const std::size_t number = bytes[0] % std::size(kPrograms);
  const Opened& file = opened(number);
  const MappedFile mapped{kPrograms[number].path, file.bias, file.image.get(), nullptr};
  const FuzzMemory memory(bytes.subspan(2), bytes[1] % 4 == 1, kLimits);
  const auto found = find_interpreter({&mapped, 1}, memory);
  if (!found.interpreter) return 0;
  const auto places = walk_frames(found.interpreter->layout(), memory, kThread);
  if (places.size() > SCRIPT_FRAMES) std::abort();
  std::size_t count = 0;
  // The second time from what was kept.
  for (int round = 0; round < 2; ++round) {
    const auto frames = found.interpreter->name(memory, places);
    if (frames.size() > places.size() || (round == 1 && frames.size() != count)) std::abort();
    count = frames.size();
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)named({data, size});
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (std::uint8_t i = 0; i < 4; ++i) {
    Arena arena(static_cast<std::uint8_t>(kPython39 + i));
    put_python(arena, *known_layout(9 + i));
    seeds.push_back(std::move(arena).take());
  }
  seeds.push_back(python313());
  seeds.push_back(ruby32());
  seeds.push_back(php82());
  // A seed that leads nowhere would be worth nothing.
  for (const auto& seed : seeds)
    if (named(seed) == 0) std::abort();
  return seeds;
}
