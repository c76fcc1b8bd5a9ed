// SPDX-License-Identifier: Apache-2.0
// What each fuzz target defines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Well-formed inputs to start from, for the smoke test.
std::vector<std::vector<std::uint8_t>> fuzz_seeds();
