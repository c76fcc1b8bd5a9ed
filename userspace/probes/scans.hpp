// SPDX-License-Identifier: Apache-2.0
// Reading an iterator to its end.
#pragma once

#include "base/result.hpp"
#include "events/source.hpp"

struct bpf_link;

namespace connleak {

// Whole records go to the sink in the order in which they come.
[[nodiscard]] Result<void> read_iterator(const bpf_link* link, ByteSink& sink);

}  // namespace connleak
