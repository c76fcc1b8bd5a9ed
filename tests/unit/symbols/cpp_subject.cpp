// SPDX-License-Identifier: Apache-2.0
// As c_subject.c, with names that need demangling. FUNCTION holds no space.
#include <cstdint>
#include <cstdio>

namespace {

volatile int sink;

[[gnu::noinline]] void* return_address() {
  ++sink;
  return __builtin_return_address(0);
}

void tell(void* address, const char* kind, const char* function, int line) {
  std::printf("%lx %s %s:%d\n", static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(address)), kind,
              function, line);
}

}  // namespace

namespace shop {

template <class T>
class Pool {
 public:
  [[gnu::noinline]] void take(T) {
    void* address = return_address();
    tell(address, "member", "shop::Pool<int>::take(int)", __LINE__ - 1);
  }
};

[[gnu::noinline]] void checkout(const char*, int) {
  void* address = return_address();
  tell(address, "free", "shop::checkout(char_const*,_int)", __LINE__ - 1);
}

template class Pool<int>;

// A lambda is written in a function that does not hold its code; an inlined one within it makes two frames.
[[gnu::always_inline]] inline void* inlined_site() {
  void* address = return_address();
  ++sink;
  return address;
}
constexpr int kInlinedLine = __LINE__ - 4;

[[gnu::noinline]] void call(void (*function)()) { function(); }

[[gnu::noinline]] void each() {
  call([]() {
    void* address = inlined_site();
    std::printf("%lx lambda shop::inlined_site():%d shop::each()::{lambda()#1}::operator()():%d\n",
                static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(address)), kInlinedLine, __LINE__ - 2);
  });
}

}  // namespace shop

int main() {
  shop::Pool<int>().take(1);
  shop::checkout("", 2);
  shop::each();
  std::printf("end\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
