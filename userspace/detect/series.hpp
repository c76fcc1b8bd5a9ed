// SPDX-License-Identifier: Apache-2.0
// S: how many members are idle longer than T, at each high-water record.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "model/connection.hpp"

namespace connleak::detect {

// The longest run of records that ends at the latest and in which the value does not drop.
struct Ladder {
  std::uint64_t start_record = 0;  // number of the run's first record
  std::uint64_t first = 0;         // value there
  std::uint64_t last = 0;
  std::uint64_t records = 0;
  std::uint64_t rises = 0;  // one burst is one rise
  std::uint64_t rise_ns = 0;
  bool started = false;

  void add(std::uint64_t record, std::uint64_t at_ns, std::uint64_t value);
  [[nodiscard]] std::uint64_t gain() const { return last - first; }
};

// Members by how long they have been in the state that counts. Two ladders, the total and the largest owner's, are
// kept apart from the start. Members idle longer than the cut-off of the latest record or tick are cold.
class Series {
 public:
  using Member = const model::Connection*;
  struct Entry {
    std::uint64_t since_ns = 0;
    model::ThreadKey owner;
    bool cold = false;
    std::uint64_t joined_record = 0;  // the record at which it was first counted
  };

  void set(Member member, std::uint64_t since_ns, model::ThreadKey owner);
  void drop(Member member);
  // A record at `at_ns`: who is in the state since before `cutoff_ns` counts.
  void record(std::uint64_t at_ns, std::uint64_t cutoff_ns);
  // Moves the line between cold and warm without a record. True if any member crossed it.
  bool advance(std::uint64_t cutoff_ns);

  [[nodiscard]] const Ladder& total() const { return total_; }
  [[nodiscard]] const Ladder& owner() const { return owner_; }
  [[nodiscard]] const std::set<std::pair<std::uint64_t, Member>>& cold() const { return cold_; }
  [[nodiscard]] const Entry* find(Member member) const;
  [[nodiscard]] std::uint64_t cold_of(model::ThreadKey owner) const;
  [[nodiscard]] std::uint64_t largest() const { return sizes_.empty() ? 0 : sizes_.rbegin()->first; }
  [[nodiscard]] std::uint64_t records() const { return record_; }

 private:
  void warm_to_cold(Member member, Entry& entry);
  void cold_to_warm(Member member, Entry& entry);
  void resize(model::ThreadKey owner, int by);

  std::unordered_map<Member, Entry> entries_;
  std::set<std::pair<std::uint64_t, Member>> warm_;  // by since
  std::set<std::pair<std::uint64_t, Member>> cold_;
  std::map<model::ThreadKey, std::uint64_t> owners_;  // cold members of each
  std::map<std::uint64_t, std::uint64_t> sizes_;      // how many owners have so many
  Ladder total_;
  Ladder owner_;
  std::uint64_t record_ = 0;
};

}  // namespace connleak::detect
