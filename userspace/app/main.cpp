// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <span>

#include "app/app.hpp"

int main(int argc, char** argv) {
  return connleak::run_app(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
}
