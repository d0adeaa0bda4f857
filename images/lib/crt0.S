/*
 * Where a program begins. The launcher passes the bootstrap channel in rdi and the vDSO's address in
 * rsi; all the rest is zx_start's.
 */
    .text
    .globl _start
    .hidden _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call zx_start
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
