// SPDX-License-Identifier: Apache-2.0
// L12 pooler-leg: what accused connections cost behind a pooler on this host; changes no verdict.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/model.hpp"

namespace connleak::detect {

// Server connections of one pooler that fell silent together with connections of its clients.
struct PinnedLegs {
  const model::Process* pooler = nullptr;  // nullptr: no pooler is seen
  std::size_t pinned = 0;                  // members that have such a server connection of their own
  std::size_t comparable = 0;              // members whose last use is known
  // Each member in session mode; those that share a server connection, as in transaction mode, find it free.
  [[nodiscard]] bool fires() const;
};

// The pooler that most of the members fit.
[[nodiscard]] PinnedLegs pinned_legs(const model::Model& model,
                                     const std::vector<const model::Connection*>& members);

// With the numbers.
[[nodiscard]] std::string sentence(const PinnedLegs& legs);

}  // namespace connleak::detect
