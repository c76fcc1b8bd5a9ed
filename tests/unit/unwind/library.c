// SPDX-License-Identifier: Apache-2.0
// Loaded by c_subject.c when it runs.
#define SITE __attribute__((noinline, noclone))

static volatile int sink;
void (*library_wait)(void);

SITE static void library_inner(void (*callback)(void)) {
  callback();
  sink++;
}

SITE void library_call(void (*callback)(void)) {
  library_inner(callback);
  sink++;
}

static void chosen(void) { sink++; }

// Runs in the dynamic linker, at the first call of library_chosen().
static void (*choose(void))(void) {
  library_wait();
  sink++;
  return chosen;
}

void library_chosen(void) __attribute__((ifunc("choose")));

SITE void library_bind(void) {
  library_chosen();
  sink++;
}
