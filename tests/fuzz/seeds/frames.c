// SPDX-License-Identifier: Apache-2.0
// A program of a few functions, small enough for a fuzzer: frames of every kind, symbols, with -g lines and what is
// inlined.
static volatile int sink;

#define SITE __attribute__((noinline))

SITE void leaf(void) { sink++; }

static inline __attribute__((always_inline)) void inlined(int count) {
  for (int i = 0; i < count; i++) leaf();
  sink++;
}

SITE void with_saved(int a, int b, int c) {
  inlined(a * b);
  leaf();
  sink += a * b + c;
  inlined(c);
  sink += a;
}

SITE void with_array(int size) {
  volatile char room[size];
  room[size / 2] = 1;
  leaf();
  sink += room[size / 2];
}

void _start(void) {
#ifndef __clang__
  // As the linker writes it for .plt, and as libc does for a signal's frame.
  __asm__ volatile(".cfi_escape 0x0f,11,0x77,8,0x80,0,0x3f,0x1a,0x3b,0x2a,0x33,0x24,0x22\n\tnop\n\t"
                   ".cfi_escape 0x10,3,3,0x77,0x88,1\n\tnop\n\t.cfi_remember_state\n\t.cfi_undefined 16\n\tnop\n\t"
                   ".cfi_restore_state");
#endif
  with_saved(sink, 2, 3);
  with_array(sink + 16);
  for (;;) leaf();
}
