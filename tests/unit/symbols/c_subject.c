// SPDX-License-Identifier: Apache-2.0
// Prints what it knows about its own call sites, then waits on standard input. One site a line:
// ADDRESS KIND then innermost first FUNCTION:LINE, all in this file. A line of input makes it load a library that
// lies beside it and tell of that.
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SITE __attribute__((noinline, noclone))

static volatile int sink;

SITE void *return_address(void) {
  sink++;
  return __builtin_return_address(0);
}

// The address that return_address() gives lies in the code of this function, inlined into its caller.
static inline __attribute__((always_inline)) void *inlined_site(void) {
  void *address = return_address();
  sink++;
  return address;
}
enum { INLINED_LINE = __LINE__ - 4 };

SITE void plain_function(void) {
  void *address = return_address();
  printf("%lx plain plain_function:%d\n", (unsigned long)(uintptr_t)address, __LINE__ - 1);
}

SITE void outer_function(void) {
  void *address = inlined_site();
  printf("%lx inlined inlined_site:%d outer_function:%d\n", (unsigned long)(uintptr_t)address, INLINED_LINE,
         __LINE__ - 2);
}

static SITE void hidden_function(void) {
  void *address = return_address();
  printf("%lx hidden hidden_function:%d\n", (unsigned long)(uintptr_t)address, __LINE__ - 1);
}

int main(void) {
  plain_function();
  outer_function();
  hidden_function();
  printf("%lx libc printf:0\n", (unsigned long)(uintptr_t)&printf);
  printf("end\n");
  fflush(stdout);
  if (getchar() != EOF) {
    void *library = dlopen("liblate.so", RTLD_NOW);
    void *function = library != NULL ? dlsym(library, "late_function") : NULL;
    printf("%lx late late_function:0\n", (unsigned long)(uintptr_t)function);
    printf("end\n");
    fflush(stdout);
  }
  while (getchar() != EOF) {
  }
  return 0;
}
