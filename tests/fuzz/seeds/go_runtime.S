// SPDX-License-Identifier: Apache-2.0
// A file as far as go_runtime.cpp reads one: places that load g, the version, and variables that begin as zeros.
  .text
  .globl _start
_start:
  .rept 4
  .byte 0x64, 0x4c, 0x8b, 0x34, 0x25
  .long -8
  .endr
  .fill 16, 1, 0x90

  .section .go.buildinfo, "aw"
  .balign 16
  .ascii "\377 Go buildinf:"
  .byte 8, 2
  .fill 16, 1, 0
  .byte 8
  .ascii "go1.24.1"
  .byte 0
  .balign 8

  .bss
  .balign 8
  .skip 4096
