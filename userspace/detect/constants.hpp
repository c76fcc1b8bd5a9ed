// SPDX-License-Identifier: Apache-2.0
// Every number that decides a verdict, each with its reason. Stated in verdicts of the project unless marked
// "ours".
#pragma once

#include <cstddef>
#include <cstdint>

namespace connleak::detect {

inline constexpr std::uint64_t kMillisecond = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000 * kMillisecond;

// A record is judged this much later: in one event-loop tick a driver connects first and uses its spares next.
inline constexpr std::uint64_t kSettle = 100 * kMillisecond;

// T is this many times the p99 of completed idle gaps ...
inline constexpr std::uint64_t kGapFactor = 10;
// ... from this many on; fewer have no 99th percentile worth the name.
inline constexpr std::uint64_t kGapsWanted = 20;
// Before that, this many times the p99 of closed members' lifetimes, from as many lifetimes on.
inline constexpr std::uint64_t kLifetimeFactor = 3;
inline constexpr std::uint64_t kLifetimesWanted = 20;
// Without frames (or with a hidden handshake) nothing tells a cold tail apart but how long members pause.
inline constexpr std::uint64_t kLongestGapFactor = 3;
inline constexpr double kLongestGapQuantile = 0.9;
inline constexpr std::uint64_t kLongestGapMembers = 5;

// Births or last uses further apart than this (or --idle-after) are different incidents.
inline constexpr std::uint64_t kEpochFloor = 300 * kMillisecond;

// Spare-at-growth: a ladder of fewer records, rises or gains is also drawn by healthy warm-ups.
inline constexpr std::uint64_t kRecordsWanted = 5;
inline constexpr std::uint64_t kRisesWanted = 3;
inline constexpr std::uint64_t kGainWanted = 5;
inline constexpr std::uint64_t kGainWantedThin = 20;
// Records no further apart than this belong to one burst, and one burst is one rise. Ours: the settle time, within
// which records are judged by the same last uses.
inline constexpr std::uint64_t kBurst = kSettle;
// Members that joined S in the run and share one last-use stack with an application frame.
inline constexpr std::uint64_t kStackAgreement = 3;
// The mark falls to the highest count of this long, or of kMarkWindowT x T.
inline constexpr std::uint64_t kMarkWindow = 600 * kSecond;
inline constexpr std::uint64_t kMarkWindowT = 20;
// An inbound session accepted this long before a member's birth accounts for it ...
inline constexpr std::uint64_t kSessionLead = kSecond;
// ... and this many members must stay without one.
inline constexpr std::uint64_t kUnpairedWanted = 5;

// L3: a failed transaction can do nothing but end; longer than this (or --hold-after) nobody is about to.
inline constexpr std::uint64_t kFailedTransaction = 30 * kSecond;
// An open one may be slow work: this many times --hold-after ...
inline constexpr std::uint64_t kOpenTransactionFactor = 5;
// ... and this many times what transactions of its place take, from so many finished ones on.
inline constexpr std::uint64_t kTransactionFactor = 20;
inline constexpr std::uint64_t kTransactionsWanted = 20;
// L4: unread longer than this many times the longest pause of the group that ended.
inline constexpr std::uint64_t kPauseFactor = 10;
// Ours: and of a late connection, so many bytes, which no notice is long.
inline constexpr std::uint32_t kUnreadAnswer = 4096;
// L1 "saturated": refused in so many epochs (one is a storm) ...
inline constexpr std::uint64_t kRefusalEpochs = 5;
// ... while so many members lie idle: a small pool of spares cannot be what fills a server.
inline constexpr std::uint64_t kSaturatedIdle = 10;
// Ours: refusals remembered; a client that tries on all night needs no more to be believed.
inline constexpr std::size_t kRefusalsKept = 1000;
// L10: fillers and standby pools are born in one epoch.
inline constexpr std::uint64_t kEpochsNeverUsed = 5;

// L8: so many closed ones are shown; a program that leaves closing to its collector has no end of them.
inline constexpr std::size_t kCollectedKept = 200;

// L9: a pool made for one request serves a handful of them; a single one is a connection, not a pool (L1) ...
inline constexpr std::uint64_t kHandfulLeast = 2;
inline constexpr std::uint64_t kHandfulMost = 10;
// ... again and again ...
inline constexpr std::uint64_t kPoolsWanted = 20;
// ... and at most one in so many is closed: opening for each request and closing is churn.
inline constexpr std::uint64_t kClosedShare = 10;

// L2: a pool's worth of members ...
inline constexpr std::uint64_t kPoolMembers = 3;
// ... that were reused before: more completed gaps than this.
inline constexpr std::uint64_t kReuseWanted = 20;
// Requests answered late: over this many times the median before the silence, and over what a person would notice
// ...
inline constexpr std::uint64_t kLateFactor = 10;
inline constexpr std::uint64_t kLateFloor = 100 * kMillisecond;
// ... so many, and one in so many of all, at so many times the rate of late ones before.
inline constexpr std::uint64_t kLateWanted = 5;
inline constexpr std::uint64_t kLateShare = 2;
inline constexpr std::uint64_t kLateRate = 5;
// "Before" is a median of so many.
inline constexpr std::uint64_t kAnswersWanted = 20;
// Who computes is not starved: less than one in so many of a core.
inline constexpr std::uint64_t kCoreShare = 4;
// Members silent longer than so many of the longest such wait: a slow request may hold them for one.
inline constexpr std::uint64_t kWaitFactor = 3;
// Those that fail: one in so many of the late ones makes it a leak.
inline constexpr std::uint64_t kFailedShare = 2;

// Boosters, ours: so many siblings, each used again so often, say how long the pool lets one lie ...
inline constexpr std::uint64_t kSiblingsWanted = 2;
inline constexpr std::uint64_t kChecksWanted = 3;
// ... and who lies for so many of their longest pauses is not reached.
inline constexpr std::uint64_t kPauses = 3;

// L12, ours: a pooler hands a request on within this, a server connection made for it included ...
inline constexpr std::uint64_t kForwarding = 100 * kMillisecond;
// ... and so many pairs are no coincidence.
inline constexpr std::size_t kLegsWanted = 3;

// A close is provisional this long: programs close what they leaked while they exit.
inline constexpr std::uint64_t kProvisional = 2 * kSecond;
// LEAK wants this many connections (but for single-handed rules).
inline constexpr std::uint64_t kLeakConnections = 3;

}  // namespace connleak::detect
