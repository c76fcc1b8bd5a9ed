// SPDX-License-Identifier: Apache-2.0
// A tick of model and rules over 10,000 open connections on one core: every level that the scan reads, then the
// judgement. Medians of 15 ticks. The bar is 50 ms.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include "story.hpp"

using namespace connleak;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kConnections = 10'000;

// Every `touched`th connection is used between two ticks.
void measure(const char* name, test::Story& story, const std::vector<test::Wire*>& wires, std::size_t touched) {
  std::array<double, 15> ticks{};
  for (double& tick : ticks) {
    for (std::size_t i = 0; touched != 0 && i < wires.size(); i += touched) story.use(*wires[i]);
    const auto begin = std::chrono::steady_clock::now();
    story.wait(1s);
    tick = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }
  std::sort(ticks.begin(), ticks.end());
  std::printf("%-22s %6.1f ms a tick (%.1f to %.1f), %zu findings\n", name, ticks[7], ticks.front(), ticks.back(),
              story.findings().size());
}

std::vector<test::Wire*> open(test::Story& story) {
  std::vector<test::Wire*> wires;
  for (std::size_t i = 0; i < kConnections; ++i) {
    wires.push_back(&story.open());
    story.use(*wires.back());
  }
  story.wait(5s);
  return wires;
}

}  // namespace

int main() {
  test::Story healthy({.idle_after = 60s});  // filled within T
  const auto pool = open(healthy);
  measure("pool, idle", healthy, pool, 0);
  measure("pool, one in 100 used", healthy, pool, 100);
  measure("pool, all used", healthy, pool, 1);
  test::Story leaky;
  measure("leak", leaky, open(leaky), 0);
  return 0;
}
