// SPDX-License-Identifier: Apache-2.0
#include "interpreters/python_layout.hpp"

#include <algorithm>

namespace connleak {

namespace {

// Computed with offsetof from the headers of 3.9.18, 3.10.13, 3.11.7 and 3.12.1.
constexpr PythonLayout kKnown[] = {
    {.minor = 9,
     .interpreters = 32,
     .interpreter_id = 24,
     .interpreter_next = 0,
     .threads = 8,
     .thread_next = 8,
     .thread_interpreter = 16,
     .thread_id = 176,
     .top = 24,
     .frame_next = 24,
     .frame_code = 32,
     .frame_place = 104,
     .code_file = 104,
     .code_name = 112,
     .code_lines = 120,
     .code_first_line = 40,
     .code_bytes = 48,
     .text_ascii = 48,
     .text_wide = 72},
    {.minor = 10,
     .interpreters = 32,
     .interpreter_id = 24,
     .interpreter_next = 0,
     .threads = 8,
     .thread_next = 8,
     .thread_interpreter = 16,
     .thread_id = 176,
     .top = 24,
     .frame_next = 24,
     .frame_code = 32,
     .frame_place = 96,
     .code_file = 104,
     .code_name = 112,
     .code_lines = 120,
     .code_first_line = 40,
     .code_bytes = 48,
     .text_ascii = 48,
     .text_wide = 72},
    {.minor = 11,
     .interpreters = 40,
     .interpreter_id = 48,
     .interpreter_next = 0,
     .threads = 16,
     .thread_next = 8,
     .thread_interpreter = 16,
     .thread_id = 152,
     .top = 56,
     .top_via = 8,
     .frame_next = 48,
     .frame_code = 32,
     .frame_place = 56,
     .code_file = 112,
     .code_name = 128,
     .code_lines = 136,
     .code_first_line = 72,
     .code_bytes = 184,
     .code_first_trace = 168,
     .text_ascii = 48,
     .text_wide = 72},
    {.minor = 12,
     .interpreters = 40,
     .interpreter_id = 8,
     .interpreter_next = 0,
     .threads = 72,
     .thread_next = 8,
     .thread_interpreter = 16,
     .thread_id = 136,
     .top = 56,
     .top_via = 0,
     .frame_next = 8,
     .frame_code = 0,
     .frame_place = 56,
     .code_file = 112,
     .code_name = 128,
     .code_lines = 136,
     .code_first_line = 68,
     .code_bytes = 192,
     .code_first_trace = 176},
};

// Which word of _Py_DebugOffsets has it, in 3.13, 3.14, 3.15; 0: none.
struct Described {
  std::uint32_t PythonLayout::* member;
  std::size_t word[3];
};
constexpr Described kDescribed[] = {
    {&PythonLayout::interpreters, {5, 5, 5}},
    {&PythonLayout::interpreter_id, {7, 7, 7}},
    {&PythonLayout::interpreter_next, {8, 8, 8}},
    {&PythonLayout::threads, {9, 9, 9}},
    {&PythonLayout::thread_next, {21, 24, 24}},
    {&PythonLayout::thread_interpreter, {22, 25, 25}},
    {&PythonLayout::top, {23, 26, 26}},
    {&PythonLayout::thread_id, {24, 27, 30}},
    {&PythonLayout::frame_next, {29, 32, 40}},
    {&PythonLayout::frame_code, {30, 33, 41}},
    {&PythonLayout::frame_place, {31, 34, 42}},
    {&PythonLayout::code_file, {35, 40, 48}},
    {&PythonLayout::code_name, {37, 42, 50}},
    {&PythonLayout::code_lines, {38, 43, 51}},
    {&PythonLayout::code_first_line, {39, 44, 52}},
    {&PythonLayout::code_bytes, {43, 48, 56}},
    {&PythonLayout::code_copies, {0, 49, 57}},
    {&PythonLayout::object_size, {44, 50, 58}},
    {&PythonLayout::object_type, {45, 51, 59}},
    {&PythonLayout::type_name, {47, 53, 61}},
    {&PythonLayout::bytes_data, {66, 76, 88}},
    {&PythonLayout::text_state, {68, 78, 90}},
    {&PythonLayout::text_length, {69, 79, 91}},
    {&PythonLayout::text_ascii, {70, 80, 92}},
};
constexpr std::size_t kFreeThreaded = 2;  // word

// PyInterpreterState and _PyRuntimeState are the largest, with some 300 KiB.
constexpr std::uint64_t kMaxOffset = 16 << 20;

}  // namespace

std::optional<PythonLayout> known_layout(std::uint32_t minor) {
  const auto* found = std::ranges::find(kKnown, minor, &PythonLayout::minor);
  return found == std::end(kKnown) ? std::nullopt : std::optional(*found);
}

std::optional<PythonLayout> described_layout(std::uint32_t minor,
                                             std::span<const std::uint64_t, kDebugOffsets> offsets) {
  if (minor < kPythonDescribed || minor > kPythonNewest) return std::nullopt;
  PythonLayout layout;
  layout.minor = minor;
  for (const Described& one : kDescribed) {
    const std::size_t word = one.word[minor - kPythonDescribed];
    if (word == 0) continue;
    if (offsets[word] > kMaxOffset) return std::nullopt;
    layout.*one.member = static_cast<std::uint32_t>(offsets[word]);
  }
  // Not described: what is in front of the bytecode, co_extra, and of free-threaded builds co_tlbc.
  const std::uint32_t extra_end = layout.code_copies != 0 ? layout.code_copies : layout.code_bytes;
  layout.code_first_trace = extra_end - 16;
  layout.text_wide = layout.text_ascii + 16;
  if (offsets[kFreeThreaded] != 0 && minor > 13) layout.text_kind = 8;
  const bool fits = extra_end >= 16 && layout.code_bytes <= kPythonHeader && layout.text_ascii <= kPythonHeader;
  return fits ? std::optional(layout) : std::nullopt;
}

frame_layout walk_of(const PythonLayout& layout, std::uint64_t interpreter) {
  frame_layout walk{};
  walk.root = interpreter + layout.threads;
  walk.flags = FRAMES_THREADS;
  if (layout.minor == 11 || layout.minor == 12) walk.flags |= FRAMES_TOP_VIA;
  walk.thread_next = layout.thread_next;
  walk.thread_id = layout.thread_id;
  walk.top = layout.top;
  walk.top_via = layout.top_via;
  walk.next = layout.frame_next;
  walk.code = layout.frame_code;
  walk.place = layout.frame_place;
  return walk;
}

}  // namespace connleak
