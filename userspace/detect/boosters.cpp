// SPDX-License-Identifier: Apache-2.0
#include "detect/boosters.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "detect/constants.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

using Members = std::vector<const model::Connection*>;

// A pool that limits lifetimes closes each in time, but for those it has not got back.
void by_lifetime(const model::Group& group, const Members& accused, std::uint64_t now_ns,
                 std::vector<std::string>& sentences) {
  if (group.lifetimes.seen() < kLifetimesWanted) return;
  const std::uint64_t longest = group.lifetimes.quantile(1.0).value_or(0);
  const auto older = std::count_if(accused.begin(), accused.end(), [&](const model::Connection* member) {
    return model::age(*member, now_ns).ns > longest;
  });
  if (longest == 0 || older == 0) return;
  sentences.push_back(
      fmt::format("{} of them {} older than any of the {} that were closed, of which none lived longer than {}",
                  number_text(static_cast<std::uint64_t>(older)), older == 1 ? "is" : "are",
                  number_text(group.lifetimes.seen()), seconds_text(longest)));
}

// A pool that checks its idle members reaches all that it has.
void by_checks(const model::Group& group, const Members& accused, std::uint64_t now_ns,
               std::vector<std::string>& sentences) {
  const std::unordered_set<const model::Connection*> lost(accused.begin(), accused.end());
  std::uint64_t pause = 0;
  std::uint64_t siblings = 0;
  for (const model::Connection* member : group.members) {
    if (lost.contains(member) || member->liveness != model::Liveness::open) continue;
    const auto idle = model::idle_ns(*member, now_ns);
    if (member->record.gaps < kChecksWanted) return;
    pause = std::max({pause, static_cast<std::uint64_t>(member->record.longest_gap_ns), idle.value_or(0)});
    ++siblings;
  }
  if (siblings < kSiblingsWanted || pause == 0) return;
  for (const model::Connection* member : accused)
    if (model::idle_ns(*member, now_ns).value_or(0) < kPauses * pause) return;
  sentences.push_back(
      fmt::format("each of the {} others was used at least every {} all the while: whatever keeps those "
                  "alive does not reach these, which are checked out",
                  number_text(siblings), seconds_text(pause)));
}

// How a driver's own connections are given up.
const char* finish_of(std::uint8_t driver) {
  switch (driver) {
    case WIRE_DRIVER_LIBPQ:
      return "PQfinish";
    case WIRE_DRIVER_MYSQL_C:
      return "mysql_close";
    case WIRE_DRIVER_HIREDIS:
      return "redisFree";
    default:
      return nullptr;
  }
}

// What the driver was told of them.
void by_handles(const model::Group& group, const Members& accused, std::vector<std::string>& sentences) {
  const char* finish = finish_of(group.driver);
  std::size_t known = 0;
  std::size_t finished = 0;
  for (const model::Connection* member : accused) {
    if (member->lease == nullptr || member->lease->record.object != WIRE_OBJECT_HANDLE) continue;
    ++known;
    finished += member->lease->record.released_ns != 0 ? 1U : 0U;
  }
  if (finish == nullptr || known == 0) return;
  if (finished == 0)
    sentences.push_back(fmt::format("{} was called for none of the {} handles that probes saw connect", finish,
                                    number_text(known)));
  else
    sentences.push_back(fmt::format("{} was called for {} of {} handles, whose sockets somebody else keeps open",
                                    finish, number_text(finished), number_text(known)));
}

}  // namespace

std::vector<std::string> boosters(const model::Group& group, const Members& accused, std::uint64_t now_ns) {
  std::vector<std::string> sentences;
  by_lifetime(group, accused, now_ns, sentences);
  by_checks(group, accused, now_ns, sentences);
  by_handles(group, accused, sentences);
  return sentences;
}

}  // namespace connleak::detect
