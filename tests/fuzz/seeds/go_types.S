// SPDX-License-Identifier: Apache-2.0
// Debug information of two structures as Go's linker writes it: what dwarf_structs.cpp reads of a program of megabytes.
  .text
  .globl _start
_start:
  ret

  .section .debug_abbrev
abbreviations:
  .uleb128 1, 0x11            // DW_TAG_compile_unit, with children
  .byte 1
  .uleb128 0x03, 0x08         // DW_AT_name, string
  .uleb128 0x13, 0x0b         // DW_AT_language, data1
  .uleb128 0, 0
  .uleb128 2, 0x13            // DW_TAG_structure_type, with children
  .byte 1
  .uleb128 0x03, 0x08
  .uleb128 0x0b, 0x0f         // DW_AT_byte_size, udata
  .uleb128 0, 0
  .uleb128 3, 0x0d            // DW_TAG_member
  .byte 0
  .uleb128 0x03, 0x08
  .uleb128 0x38, 0x0f         // DW_AT_data_member_location, udata
  .uleb128 0, 0
  .uleb128 4, 0x16            // DW_TAG_typedef
  .byte 0
  .uleb128 0x03, 0x08
  .uleb128 0, 0
  .byte 0

  .section .debug_info
  .long unit_end - unit
unit:
  .short 4
  .long abbreviations
  .byte 8
  .uleb128 1
  .asciz "runtime"
  .byte 0x16                  // DW_LANG_Go
  .uleb128 4
  .asciz "database/sql.DB"
  .uleb128 2
  .asciz "database/sql.DB"
  .uleb128 208
  .uleb128 3
  .asciz "waitDuration"
  .uleb128 0
  .uleb128 3
  .asciz "freeConn"
  .uleb128 40
  .uleb128 3
  .asciz "maxOpen"
  .uleb128 136
  .byte 0
  .uleb128 2
  .asciz "database/sql.driverConn"
  .uleb128 128
  .uleb128 3
  .asciz "db"
  .uleb128 0
  .byte 0
  .byte 0
unit_end:
