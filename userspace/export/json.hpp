// SPDX-License-Identifier: Apache-2.0
// The report as JSON: schema connleak.report/1, described strictly by report.schema.json beside this file.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace connleak {

// One indented object and a newline. Pure ASCII, keys always in the same order; null where unknown. Text
// that is no valid UTF-8 appears as escape() writes it. Never throws.
[[nodiscard]] std::string to_json(const Snapshot& snapshot);

// One line and a newline, schema connleak.summary/1: {schema, time, host, complete, events_lost, summary{},
// groups[{pid, start_time, comm, endpoint, protocol, open, in_use, idle, in_transaction, half_closed,
// opened_total, closed_total, failed_total, oldest_age_s, oldest_idle_s, findings[{verdict, rule,
// connections, culprit}]}]}; endpoint and culprit are short texts here.
[[nodiscard]] std::string to_json_line(const Snapshot& snapshot);

}  // namespace connleak
