// SPDX-License-Identifier: Apache-2.0
// L9.
#include "detect/pool_per_request.hpp"

#include <fmt/core.h>

#include "detect/constants.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

PoolPerRequest::PoolPerRequest(const model::Group& group)
    : NeverClosed(group, {.id = "L9", .name = "pool-per-request", .confidence = Confidence::high}) {}

void PoolPerRequest::update(const model::Connection& member) {
  NeverClosed::update(member);
  if (member.record.requests > kHandfulMost)
    reused_.insert(&member);
  else
    reused_.erase(&member);
}

void PoolPerRequest::leave(const model::Connection& member) {
  NeverClosed::leave(member);
  reused_.erase(&member);
}

std::optional<std::uint64_t> PoolPerRequest::since(const model::Connection& member) const {
  if (member.late() || member.record.requests < kHandfulLeast || member.record.requests > kHandfulMost)
    return std::nullopt;
  return NeverClosed::since(member);
}

std::string PoolPerRequest::veto() const {
  const model::Group& group = this->group();
  if (group.opened < kPoolsWanted)
    return fmt::format("{} connections were opened (needs {})", number_text(group.opened), kPoolsWanted);
  if (group.closed * kClosedShare > group.opened)
    return fmt::format("{} of {} were closed: opening for each request, not losing", number_text(group.closed),
                       number_text(group.opened));
  if (!reused_.empty())
    return fmt::format("{} of them serve more than {} requests each: a pool is there", number_text(reused_.size()),
                       kHandfulMost);
  return "";
}

}  // namespace connleak::detect
