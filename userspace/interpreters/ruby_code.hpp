// SPDX-License-Identifier: Apache-2.0
// Ruby's instruction sequences: what they are called and which line an instruction is of.
#pragma once

#include <cstdint>
#include <string_view>

#include "interpreters/named_frame.hpp"

namespace connleak {

// What differs between versions. Structures of vm_core.h, iseq.h, thread_pthread.h, rstring.h.
struct RubyVersion {
  std::string_view name;
  std::uint32_t thread_native = 0;   // rb_thread_t.nt; 0: thread_id is in rb_thread_t itself
  std::uint32_t thread_id = 0;       // pthread_self() of it
  std::uint32_t thread_context = 0;  // rb_thread_t.ec
  std::uint32_t frame_size = 0;      // rb_control_frame_t
  std::uint32_t lines = 0;           // rb_iseq_constant_body.insns_info
  std::uint32_t line_size = 0;       // iseq_insn_info_entry
  std::uint32_t short_text = 0;      // RString.as.embed
};

[[nodiscard]] NamedFrame ruby_frame(const RubyVersion& version, const Memory& memory, const script_frame& frame);

}  // namespace connleak
