// SPDX-License-Identifier: Apache-2.0
// Beginnings of functions as compilers write them, and as they do not.
#include "places.inc"

// ---- entries: emulated

function push_first
site push_first
        push    rbp
        mov     rbp, rsp
        pop     rbp
        ret
done push_first

function endbr_push
        endbr64
site endbr_push
        push    r15
        pop     r15
        ret
done endbr_push

function null_test
        test    rdi, rdi
site null_test
        je      1f
        mov     eax, [rdi]
1:      ret
done null_test

function far_branch
        test    rdi, rdi
site far_branch
        .byte   0x0f, 0x84, 0x00, 0x00, 0x00, 0x00 // je, near form
        ret
done far_branch

function tail_call
        xor     r8d, r8d
site tail_call
        jmp     push_first
done tail_call

function nop_first
site nop_first
        nop
        ret
done nop_first

function spill
        mov     [rsp - 8], rdi
site spill
        jmp     push_first
done spill

function frame_moved
        sub     rsp, 0x18
        mov     rax, fs:[0x28]
        mov     [rsp + 8], rax
        lea     rsp, [rsp - 8]
        test    edx, edx
site frame_moved
        js      1f
1:      add     rsp, 0x20
        ret
done frame_moved

function vector_first
        vmovups ymm0, [rdi]
site vector_first
        push    rbx
        pop     rbx
        ret
done vector_first

// Go, as of 1.19 and 1.27: the stack check for small, large and huge frames.
function go_small
        cmp     rsp, [r14 + 0x10]
site go_small
        jbe     1f
        push    rbp
        mov     rbp, rsp
        pop     rbp
        ret
1:      mov     [rsp + 8], rax
        mov     [rsp + 16], rbx
        call    push_first
        mov     rax, [rsp + 8]
        mov     rbx, [rsp + 16]
        jmp     go_small
done go_small

function go_large
        lea     r12, [rsp - 0xf0]
        cmp     r12, [r14 + 0x10]
site go_large
        jbe     1f
        sub     rsp, 0x170
        add     rsp, 0x170
        ret
1:      call    push_first
        jmp     go_large
done go_large

function go_huge
        mov     r12, rsp
        sub     r12, 0x10170
site go_huge
        jb      1f
        cmp     r12, [r14 + 0x10]
        jbe     1f
        ret
1:      call    push_first
        jmp     go_huge
done go_huge

function go_switch
        cmp     rsp, [r14 + 0x10]
site go_switch
        jbe     1f
        lea     rcx, [rip + push_first]
        jmp     [rcx + rax*8]
        ret
1:      call    push_first
        jmp     go_switch
done go_switch

function loop_at_entry
        test    rdi, rdi
site loop_at_entry
        je      1f
        mov     rdi, [rdi]
        jmp     loop_at_entry
1:      ret
done loop_at_entry

function calls_itself
        test    rdi, rdi
site calls_itself
        je      1f
        mov     rdi, [rdi]
        call    calls_itself
1:      ret
done calls_itself

function long_nops_first
        .byte   0x0f, 0x1f, 0x44, 0x00, 0x00
        .byte   0x66, 0x90
        .byte   0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00
site long_nops_first
        push    rbx
        pop     rbx
        ret
done long_nops_first

// ---- entries: single-stepped

function writes_argument
site writes_argument
        mov     edi, 1
        push    rbx
        pop     rbx
        ret
done writes_argument

function writes_part
site writes_part
        mov     r8d, 1
        setz    dil
        push    rbx
        pop     rbx
        ret
done writes_part

function writes_memory
site writes_memory
        mov     dword ptr [rdi + 8], 0
        push    rbx
        pop     rbx
        ret
done writes_memory

function loop_behind_entry
site loop_behind_entry
        test    rdi, rdi
1:      je      2f
        mov     rdi, [rdi]
        jmp     1b
2:      ret
done loop_behind_entry

function aligns_stack
site aligns_stack
        mov     rax, rsp
        and     rsp, -16
        push    rbx
        ret
done aligns_stack

function computed_loop
site computed_loop
        test    rdi, rdi
        je      1f
        lea     rcx, [rip + push_first]
        jmp     [rcx + rax*8]
1:      ret
done computed_loop

function computed_push
        mov     r8d, ecx
site computed_push
        push    rbx
        lea     rcx, [rip + push_first]
        pop     rbx
        jmp     [rcx + rax*8]
done computed_push

function long_nop_then_frame
        .byte   0x0f, 0x1f, 0x44, 0x00, 0x00
site long_nop_then_frame
        and     rsp, -16
        ret
done long_nop_then_frame

function indirect_jump
site indirect_jump
        jmp     [rip + push_first]
done indirect_jump

// ---- entries: none

function lock_first
        lock inc dword ptr [rdi]
        push    rbx
        ret
done lock_first

function halts
        hlt
        ret
done halts

function traps
        int3
        ret
done traps

function system_call
        syscall
        ret
done system_call

function prefixed
        .byte   0x2e, 0x8b, 0x07 // mov eax, cs:[rdi]
        mov     rdi, [rdi]
        ret
done prefixed

function short_call
        .byte   0x66, 0xe8, 0x00, 0x00 // what it means is not the same everywhere
        nop
        nop
        ret
done short_call

function string_move
        rep movsb
        ret
done string_move

function only_long_nop
        .byte   0x0f, 0x1f, 0x44, 0x00, 0x00
done only_long_nop

function indirect_call
        call    [rdi]
        ret
done indirect_call

// A call is a site in Go only.
function call_first
site call_first
        call    push_first
        ret
done call_first

// Ends in the middle of its last instruction.
function cut_off
        push    rbx
        .byte   0x0f
done cut_off
        .byte   0x1f, 0x00

function jumps_into_itself
        push    rbx
        .byte   0xeb, 0x01 // over the first byte of the next
        mov     eax, 0xc3
        ret
done jumps_into_itself

function empty
done empty
