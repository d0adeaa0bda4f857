/*
 * userboot's entry point, and its way into the vDSO.
 *
 * userboot has no writable memory but its stack, so it cannot keep a table of the vDSO's addresses.
 * Instead each call looks its function up: zx_X passes its name to userboot_vdso_function, which
 * searches the vDSO, and jumps to the address found with the caller's arguments in place. The search
 * costs well under a microsecond of user code, a few dozen times in a boot.
 */
#include <zircon/internal/args.h>

    .macro VDSO_FUNCTION name
    .section .text.zx_\name, "ax", @progbits
    .globl zx_\name
    .hidden zx_\name
    .type zx_\name, @function
zx_\name:
    lea 1f(%rip), %rax
    jmp vdso_call
    .size zx_\name, . - zx_\name
    .section .rodata.zx_\name, "a", @progbits
1:
    .string "zx_\name"
    .endm

#define SYSCALL(number, name, ...) VDSO_FUNCTION name
#define VDSO_ENTRY(name, ...) VDSO_FUNCTION name
#include <zircon/syscalls.def>

    .text
    .type vdso_call, @function
vdso_call:
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %r8
    push %r9
    sub $8, %rsp
    mov %rax, %rdi
    call userboot_vdso_function
    add $8, %rsp
    pop %r9
    pop %r8
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    jmp *%rax
    .size vdso_call, . - vdso_call

    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call userboot_main
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
