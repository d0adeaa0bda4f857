/*
 * entry.S - the first instructions, and the stacks.
 *
 * zvmm enters at _start in the state that shared/hypercall.h describes: rdi = boot information.
 */
#include "cpu.h"

    .text
    .globl _start
    .type _start, @function
    .cfi_sections .debug_frame
_start:
    .cfi_startproc simple
    .cfi_def_cfa %rsp, 0
    .cfi_undefined %rip                 /* ends every backtrace */
    lea kernel_stack_top(%rip), %rsp
    xor %ebp, %ebp                      /* ends every backtrace */
    call hal_start
    ud2
    .cfi_endproc
    .size _start, . - _start

/*
 * The stack is the lowest thing in its segment and the page below it belongs to none (kernel.lds):
 * an overflow is a double fault with a report, not silent damage.
 */
    .section .stack, "aw", @nobits
    .balign 4096
    .globl kernel_stack
kernel_stack:
    .skip KERNEL_STACK_BYTES
    .globl kernel_stack_top
kernel_stack_top:
    .globl ist_stacks
ist_stacks:
    .skip IST_STACKS * IST_STACK_BYTES
    .globl panic_stack_top
    .skip IST_STACK_BYTES
panic_stack_top:

    .section .note.GNU-stack, "", @progbits
