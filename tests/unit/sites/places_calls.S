// SPDX-License-Identifier: Apache-2.0
// Places behind calls of `callee`, returns, and functions that return a member.
#include "places.inc"

// ---- behind calls of callee

function callee
        ret
done callee

function called_and_tested
        call    push_first
        call    callee
        .byte   0x0f, 0x1f, 0x00
        test    rbx, rbx
site called_and_tested
        jne     1f
        mov     rax, [rsp]
1:      ret
done called_and_tested

function called_and_spilled
        call    callee
        mov     [rsp + 0x40], rax
        mov     [rsp + 0x50], rbx
        cmp     dword ptr [rip + push_first], 0
site called_and_spilled
        jne     1f
1:      ret
done called_and_spilled

function called_and_moved
        call    callee
site called_and_moved
        mov     rdi, rbx
        mov     r9, rax
        mov     rax, [rsp + 0x48]
        test    rdi, rdi
        je      1f
1:      ret
done called_and_moved

function called_and_joined
        test    rbx, rbx
        je      1f
        call    callee
site called_and_joined
        mov     rcx, rax
1:      test    rbx, rbx
        jne     2f
2:      ret
done called_and_joined

function called_then_called
        call    callee
site called_then_called
        call    push_first
        ret
done called_then_called

function joined_at_once
        test    rbx, rbx
        je      1f
        call    callee
1:      test    rbx, rbx
        jne     2f
2:      ret
done joined_at_once

function called_among_cases
        call    callee
        test    rbx, rbx
        jne     1f
        lea     rcx, [rip + push_first]
        jmp     [rcx + rax*8]
1:      ret
done called_among_cases

function called_last
        push    rbx
        call    callee
done called_last

function called_twice
        call    callee
        jne     1f
        call    callee
        jne     1f
1:      ret
done called_twice

// ---- returns

function returns_thrice
        test    rdi, rdi
        je      1f
        ret
1:      .byte   0xf3, 0xc3
        lea     rcx, [rip + push_first]
        jmp     [rcx + rax*8]
        ret     8
        int3
        int3
done returns_thrice

function leaves_by_jump
        test    rdi, rdi
        je      push_first
        ret
done leaves_by_jump

function leaves_by_register
        jmp     rdx
        ret
done leaves_by_register

function never_returns
        call    push_first
        ud2
done never_returns

// ---- accessors

function member
        test    rdi, rdi
        je      1f
        mov     eax, [rdi + 0x1b8]
        ret
1:      mov     eax, -1
        ret
done member

function member_wide
        mov     rax, [rdi + 16]
        ret
done member_wide

function member_in_frame
        endbr64
        push    rbp
        mov     rbp, rsp
        test    rdi, rdi
        jne     1f
        or      eax, -1
        pop     rbp
        ret
1:      mov     eax, [rdi + 0x40]
        pop     rbp
        ret
done member_in_frame

function member_of_two
        test    rdi, rdi
        je      1f
        mov     eax, [rdi + 0x10]
        cmp     eax, -1
        jne     1f
        mov     eax, [rdi + 0x14]
1:      ret
done member_of_two

function member_changed
        mov     eax, [rdi + 0x10]
        xor     eax, eax
        ret
done member_changed

function member_on_condition
        cmp     dword ptr [rdi + 8], 0
        jne     1f
        mov     eax, [rdi + 0x10]
        ret
1:      xor     eax, eax
        ret
done member_on_condition

function member_of_member
        mov     rdi, [rdi + 8]
        mov     eax, [rdi + 0x10]
        ret
done member_of_member

function member_of_array
        mov     eax, [rdi + rsi*4 + 8]
        ret
done member_of_array

function member_not_returned
        mov     eax, [rdi + 8]
        .byte   0x0f, 0x1f, 0x00
        call    push_first
        ret
done member_not_returned

function no_member
        xor     eax, eax
        ret
done no_member
