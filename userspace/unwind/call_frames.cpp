// SPDX-License-Identifier: Apache-2.0
#include "unwind/call_frames.hpp"

#include "unwind/frame_program.hpp"

namespace connleak {

namespace {

// A file's calls on the way to its sockets are some dozens; some 400 bytes each.
constexpr std::size_t kMaxRows = 4096;
// Of a node of the map.
constexpr std::size_t kNode = 48;

}  // namespace

const FrameRow* CallFrames::row(std::uint64_t address) {
  if (const auto known = rows_.find(address); known != rows_.end()) return known->second.get();
  if (rows_.size() >= kMaxRows) {
    rows_.clear();
    bytes_ = 0;
  }
  const auto entry = table_.find(address);
  auto found = entry ? row_at(*entry, address) : std::nullopt;
  auto& row = rows_[address];
  bytes_ += kNode;
  if (!found) return nullptr;
  row = std::make_unique<FrameRow>(*std::move(found));
  bytes_ += sizeof *row + row->expressions.capacity();
  return row.get();
}

}  // namespace connleak
