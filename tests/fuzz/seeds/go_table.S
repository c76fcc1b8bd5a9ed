// SPDX-License-Identifier: Apache-2.0
// A file with the tables that Go's linker writes (1.20 and later), of two functions, the second with one inlined into
// it: what go_table.cpp reads of a program of megabytes.
  .text
  .globl _start
_start:
first:
  .fill 32, 1, 0x90
second:
  .fill 64, 1, 0x90
text_end:

  .section .gopclntab, "a"
  .balign 32
header:
  .long 0xfffffff1
  .byte 0, 0, 1, 8
  .quad 2, 1, _start
  .quad names - header, units - header, files - header, values - header, table - header
names:
  .byte 0
name_first: .asciz "main.first"
name_second: .asciz "main.(*Shop).second"
name_inlined: .asciz "shop.Each[go.shape.int]"
  .balign 4
units:
  .long file_one - files
files:
  .byte 0
file_one: .asciz "/srv/shop.go"
values:
  .byte 0
value_file: .byte 2, 64, 0             // 0 from the start
value_line: .byte 22, 16, 4, 48, 0     // 10, then 12
value_inline: .byte 0, 8, 2, 16, 1, 40, 0  // -1, then 0, then -1
  .balign 4
table:
  .long first - _start, function_first - table
  .long second - _start, function_second - table
  .long text_end - _start
  .balign 4
function_first:
  .long first - _start, name_first - names, 0, 0, 0, value_file - values, value_line - values, 0, 0, 1
  .byte 0, 0, 0, 0
  .balign 4
function_second:
  .long second - _start, name_second - names, 0, 0, 0, value_file - values, value_line - values, 3, 0, 5
  .byte 0, 0, 0, 4
  .long 0, 0, value_inline - values
  .long 0xffffffff, 0xffffffff, 0xffffffff, 0

  .section .go.buildinfo, "aw"
  .balign 16
  .ascii "\377 Go buildinf:"
  .byte 8, 2
  .fill 16, 1, 0
  .byte 6
  .ascii "go1.22"
  .byte 53
  .ascii "0123456789abcdef"
  .ascii "path\tshop\nmod\tshop\tv1\n"
  .fill 16, 1, 0

  .data
  .balign 8
  .quad header, names, 0, 0, units, 0, 0, files, 0, 0, values, 0, 0, table
  .fill 8, 8, 0
  .quad _start
  .fill 14, 8, 0
#ifdef GO_1_27
  .quad names, 4, units, 4, 4, _start  // types, a length, their end, two more lengths, where constants begin
  .quad data
#else
  .quad names, units, _start
  .quad data
  .fill 3, 8, 0
#endif
data:
  .long 0, name_inlined - names, 4, 20
