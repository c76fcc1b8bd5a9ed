// SPDX-License-Identifier: Apache-2.0
#include "interpreters/interpreter.hpp"

namespace connleak {

namespace {

// The innermost frame of the thread, and the owner of its array of frames (0 without one).
struct Top {
  std::uint64_t frame = 0;
  std::uint64_t owner = 0;
};

std::optional<std::uint64_t> find_thread(const frame_layout& layout, const Memory& memory,
                                         std::uint64_t thread_pointer) {
  auto node = memory.value<std::uint64_t>(layout.root);
  const auto first = node;
  for (int i = 0; i < SCRIPT_THREADS && node && *node != 0; ++i) {
    const std::uint64_t thread = *node - layout.thread_node;
    std::uint64_t holder = thread;
    if ((layout.flags & FRAMES_THREAD_ID_VIA) != 0)
      holder = memory.value<std::uint64_t>(thread + layout.thread_id_via).value_or(0);
    if (memory.value<std::uint64_t>(holder + layout.thread_id) == thread_pointer) return thread;
    node = memory.value<std::uint64_t>(*node + layout.thread_next);
    if (node == first) break;
  }
  return std::nullopt;
}

std::optional<Top> find_top(const frame_layout& layout, const Memory& memory, std::uint64_t thread_pointer) {
  if ((layout.flags & FRAMES_THREADS) == 0) {
    const auto frame = memory.value<std::uint64_t>(layout.root);
    return frame ? std::optional<Top>({*frame, 0}) : std::nullopt;
  }
  const auto thread = find_thread(layout, memory, thread_pointer);
  const auto owner = thread ? memory.value<std::uint64_t>(*thread + layout.top) : std::nullopt;
  if (!owner || (layout.flags & FRAMES_TOP_VIA) == 0)
    return owner ? std::optional<Top>({*owner, 0}) : std::nullopt;
  const auto frame = memory.value<std::uint64_t>(*owner + layout.top_via);
  return frame ? std::optional<Top>({*frame, *owner}) : std::nullopt;
}

}  // namespace

std::vector<script_frame> walk_frames(const frame_layout& layout, const Memory& memory,
                                      std::uint64_t thread_pointer) {
  std::vector<script_frame> frames;
  const auto top = find_top(layout, memory, thread_pointer);
  if (!top) return frames;
  const bool array = (layout.flags & FRAMES_ARRAY) != 0;
  std::uint64_t end = ~std::uint64_t{0};
  if (array) {
    const auto base = memory.value<std::uint64_t>(top->owner + layout.array);
    const auto words = memory.value<std::uint64_t>(top->owner + layout.array + 8);
    if (!base || !words) return frames;
    end = *base + 8 * *words;
  }
  std::uint64_t frame = top->frame;
  while (frames.size() < SCRIPT_FRAMES && frame != 0 && frame < end) {
    const auto code = memory.value<std::uint64_t>(frame + layout.code);
    const auto place = memory.value<std::uint64_t>(frame + layout.place);
    if (!code || !place) break;
    frames.push_back({*code, *place});
    frame = array ? frame + layout.size : memory.value<std::uint64_t>(frame + layout.next).value_or(0);
  }
  return frames;
}

}  // namespace connleak
