// SPDX-License-Identifier: Apache-2.0
// The metrics, in the Prometheus text format (version 0.0.4).
#pragma once

#include <cstddef>
#include <string>

#include "report/snapshot.hpp"

namespace connleak {

struct PrometheusOptions {
  bool label_pid = false;         // one more label; without it, processes of one comm, exe and cgroup are summed
  std::size_t max_series = 2000;  // of those that carry process labels; never fewer than 13, the "other" sums
};

// Every metric has HELP and TYPE. Series that fall on the same labels are summed, ages take the maximum. Over
// max_series whole process-and-endpoint groups, those without findings and with few connections first, are
// summed under comm, exe, cgroup and endpoint "other"; connleak_series_dropped says how many series that took
// away. Unknown ages have no series.
[[nodiscard]] std::string to_prometheus(const Snapshot& snapshot, const PrometheusOptions& options = {});

}  // namespace connleak
