// SPDX-License-Identifier: Apache-2.0
// One finding as a block of lines.
#pragma once

#include <string>
#include <vector>

#include "report/snapshot.hpp"
#include "views/layout.hpp"

namespace connleak {

[[nodiscard]] Tone verdict_tone(Verdict verdict);

// "go-shop (pid 4711)", "go-shop (pid 4711, exited)"; escaped.
[[nodiscard]] std::string process_label(const Process& process);

// "127.0.0.1:5432  app@shop  (postgresql)"; what is not known is left out; escaped.
[[nodiscard]] std::string target_label(const Group& group);

// "24 connections", "1 connection".
[[nodiscard]] std::string connections_text(std::uint64_t count);

// Lines without line feeds, at most width cells, except for the server filter, which stays whole.
[[nodiscard]] std::vector<std::string> finding_block(const Process& process, const Group& group,
                                                     const Finding& finding, const Paint& paint,
                                                     std::size_t width);

}  // namespace connleak
