// SPDX-License-Identifier: Apache-2.0
// How CPython lays out its state, its frames and its objects: data, by version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "frames.h"

namespace connleak {

// The versions that are understood: 3.kOldest to 3.kNewest.
constexpr std::uint32_t kPythonOldest = 9;
constexpr std::uint32_t kPythonNewest = 15;
// From here on _PyRuntime begins with a description of the layout, _Py_DebugOffsets.
constexpr std::uint32_t kPythonDescribed = 13;

// Offsets and sizes in bytes. The same on x86-64 and arm64.
struct PythonLayout {
  std::uint32_t minor = 0;
  // _PyRuntimeState, PyInterpreterState, PyThreadState
  std::uint32_t interpreters = 0;  // interpreters.head
  std::uint32_t interpreter_id = 0;
  std::uint32_t interpreter_next = 0;
  std::uint32_t threads = 0;  // threads.head
  std::uint32_t thread_next = 0;
  std::uint32_t thread_interpreter = 0;
  std::uint32_t thread_id = 0;
  std::uint32_t top = 0;      // of 3.11 and 3.12 the _PyCFrame,
  std::uint32_t top_via = 0;  // which has the frame
  // PyFrameObject, from 3.11 on _PyInterpreterFrame
  std::uint32_t frame_next = 0;
  std::uint32_t frame_code = 0;
  std::uint32_t frame_place = 0;  // f_lasti, prev_instr, instr_ptr
  // PyCodeObject
  std::uint32_t code_file = 0;
  std::uint32_t code_name = 0;  // co_qualname from 3.11 on
  std::uint32_t code_lines = 0;
  std::uint32_t code_first_line = 0;
  std::uint32_t code_bytes = 0;        // of 3.9 and 3.10 a pointer to bytes, then the bytecode itself
  std::uint32_t code_first_trace = 0;  // from 3.11 on: in code units; what is before it has not begun
  std::uint32_t code_copies = 0;       // a thread's own bytecode, of free-threaded builds from 3.14 on; 0: none
  // PyObject and PyVarObject, PyTypeObject, PyBytesObject, PyASCIIObject
  std::uint32_t object_type = 8;
  std::uint32_t object_size = 16;
  std::uint32_t type_name = 24;
  std::uint32_t bytes_data = 32;
  std::uint32_t text_length = 16;
  std::uint32_t text_state = 32;
  std::uint32_t text_ascii = 40;  // where the characters are
  std::uint32_t text_wide = 56;   // and of text that is not all ASCII
  std::uint32_t text_kind = 2;    // shift of the kind's three bits in the state; then: compact, ascii
};

// Bytes of a code object up to its bytecode, and of a text up to its characters; no version has half as many.
constexpr std::size_t kPythonHeader = 512;

// 3.9 to 3.12.
[[nodiscard]] std::optional<PythonLayout> known_layout(std::uint32_t minor);

// Words of _Py_DebugOffsets that described_layout() reads, from the cookie on.
constexpr std::size_t kDebugOffsets = 96;
// 3.13 and newer. nullopt: an unknown version, or offsets that no build has.
[[nodiscard]] std::optional<PythonLayout> described_layout(std::uint32_t minor,
                                                           std::span<const std::uint64_t, kDebugOffsets> offsets);

// What the kernel side needs. `interpreter`: address of the PyInterpreterState.
[[nodiscard]] frame_layout walk_of(const PythonLayout& layout, std::uint64_t interpreter);

}  // namespace connleak
