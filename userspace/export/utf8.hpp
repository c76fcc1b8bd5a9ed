// SPDX-License-Identifier: Apache-2.0
// Is this text valid UTF-8?
#pragma once

#include <string_view>

namespace connleak {

// As Unicode table 3-7 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool valid_utf8(std::string_view text);

}  // namespace connleak
