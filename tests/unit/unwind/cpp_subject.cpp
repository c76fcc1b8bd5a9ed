// SPDX-License-Identifier: Apache-2.0
// As c_subject.c.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

static volatile int sink;

[[gnu::noinline]] static void wait_here() {
  char byte;
  std::printf("ready %d\n", static_cast<int>(::getpid()));
  std::fflush(stdout);
  if (::read(0, &byte, 1) < 0) sink = sink + 1;
  sink = sink + 1;
}

namespace shop {

[[gnu::always_inline]] inline void inlined() {
  wait_here();
  sink = sink + 1;
}

[[gnu::noinline]] void with_inlined() {
  inlined();
  sink = sink + 1;
}

struct Guard {
  [[gnu::noinline]] ~Guard() {
    wait_here();
    sink = sink + 1;
  }
};

struct Cart {
  virtual ~Cart() = default;
  [[gnu::noinline]] virtual void check(const std::function<void(int)>& each) {
    std::vector<std::string> names(3, std::string(40, 'x'));
    for (const auto& name : names) each(static_cast<int>(name.size()));
    sink = sink + 1;
  }
};

[[gnu::noinline]] void fail(int number) {
  Guard guard;
  if (number > 0) throw std::runtime_error("no");
  sink = sink + 1;
}

[[gnu::noinline]] void thrown() {
  try {
    fail(sink + 1);
  } catch (const std::exception&) {
    sink = sink + 1;
  }
}

[[gnu::noinline]] void caught() {
  try {
    throw std::runtime_error("no");
  } catch (const std::exception&) {
    with_inlined();
    sink = sink + 1;
  }
}

[[gnu::noinline]] void called_back() {
  Cart cart;
  cart.check([](int size) {
    if (size > 0) wait_here();
    sink = sink + 1;
  });
  sink = sink + 1;
}

}  // namespace shop

int main(int count, char** arguments) {
  const std::string place = count > 1 ? arguments[1] : "";
  if (place == "inlined") shop::with_inlined();
  if (place == "thrown") shop::thrown();
  if (place == "caught") shop::caught();
  if (place == "called back") shop::called_back();
  return sink;
}
