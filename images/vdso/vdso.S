/*
 * The system-call stubs of the vDSO, one a row of <zircon/syscalls.def>, the two entries that must
 * not touch the stack, and the constants that the kernel patches.
 *
 * Convention: number in eax; arguments in rdi, rsi, rdx, r10, r8, r9, r12, r13; result in rax.
 * `syscall` itself destroys rcx and r11, and the kernel may change any other register that a C
 * function may change. So a stub moves the fourth C argument from rcx to r10, and the seventh and
 * eighth from the stack.
 *
 * The kernel accepts call N only from a place that is on record for N. The linker script makes that
 * record from the symbols syscall_return_X, one after each `syscall`. The instruction before it is
 * always `mov $N,%eax` in five bytes; <zircon/vdso.h> promises this to whoever patches the pair.
 */

#include <zircon/internal/args.h>

#define INTERRUPTED (-6) /* ZX_ERR_INTERNAL_INTR_RETRY */

    .text

/* Makes call \number and records the place as syscall_return_\name. */
.macro enter_kernel number, name
    mov $\number, %eax
    syscall
    .globl syscall_return_\name
    .hidden syscall_return_\name
syscall_return_\name:
.endm

/* Opens function \symbol; close it with end_function. */
.macro begin_function symbol
    .balign 8 /* most stubs are 8 or 11 bytes, and all the code fits one page */
    .type \symbol, @function
\symbol:
    .cfi_startproc
.endm

.macro end_function symbol
    .cfi_endproc
    .size \symbol, . - \symbol
.endm

/* Exports a function that is already global as _zx_\name under its weak name too. */
.macro export name
    .globl _zx_\name
    .weak zx_\name
    .type zx_\name, @function
    .set zx_\name, _zx_\name
    .size zx_\name, . - zx_\name
.endm

.macro push_register register
    push %\register
    .cfi_adjust_cfa_offset 8
.endm

/* A call with up to six arguments, all in registers. */
.macro body_registers number, name, nargs
    .if \nargs > 3
    mov %rcx, %r10
    .endif
    enter_kernel \number, \name
    .if .Lflags & SC_NORETURN
    ud2
    .else
    ret
    .endif
.endm

/* Argument 7 is at 8(%rsp) on entry. */
.macro body_seven number, name
    push_register r12
    .cfi_rel_offset r12, 0
    mov 16(%rsp), %r12
    mov %rcx, %r10
    enter_kernel \number, \name
    pop %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    ret
.endm

/* Arguments 7 and 8 are at 8(%rsp) and 16(%rsp) on entry. */
.macro body_eight number, name
    push_register r12
    .cfi_rel_offset r12, 0
    push_register r13
    .cfi_rel_offset r13, 0
    mov 24(%rsp), %r12
    mov 32(%rsp), %r13
    mov %rcx, %r10
    enter_kernel \number, \name
    pop %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    pop %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    ret
.endm

/*
 * A call that is made again while the kernel answers that it was interrupted. Deadlines are
 * absolute, so the same arguments are right every time; they wait on the stack.
 */
.macro body_retry number, name, nargs
    push_argument \nargs, 1, rdi
    push_argument \nargs, 2, rsi
    push_argument \nargs, 3, rdx
    push_argument \nargs, 4, rcx
    push_argument \nargs, 5, r8
    push_argument \nargs, 6, r9
    .if \nargs > 3
    mov %rcx, %r10
    .endif
1:
    enter_kernel \number, \name
    cmp $INTERRUPTED, %eax
    je 2f
    .cfi_remember_state
    add $(8 * \nargs), %rsp
    .cfi_adjust_cfa_offset -8 * \nargs
    ret
    .cfi_restore_state
2:
    load_argument \nargs, 1, rdi
    load_argument \nargs, 2, rsi
    load_argument \nargs, 3, rdx
    load_argument \nargs, 4, r10
    load_argument \nargs, 5, r8
    load_argument \nargs, 6, r9
    jmp 1b
.endm

.macro push_argument nargs, index, register
    .if \index <= \nargs
    push_register \register
    .endif
.endm

.macro load_argument nargs, index, register
    .if \index <= \nargs
    mov 8 * (\nargs - \index)(%rsp), %\register
    .endif
.endm

/*
 * The function for one row; .Lflags holds its flags. Calls without an entry of their own, and those
 * whose entry is written in C, become raw_X, which only the vDSO itself sees.
 */
.macro stub number, name, nargs
    .if .Lflags & (SC_INTERNAL | SC_VDSO_WRAP)
    .globl raw_\name
    .hidden raw_\name
    begin_function raw_\name
    body_registers \number, \name, \nargs
    end_function raw_\name
    .else
    begin_function _zx_\name
    .if .Lflags & SC_RETRY
    body_retry \number, \name, \nargs
    .elseif \nargs == 8
    body_eight \number, \name
    .elseif \nargs == 7
    body_seven \number, \name
    .else
    body_registers \number, \name, \nargs
    .endif
    end_function _zx_\name
    export \name
    .endif
.endm

#define SYSCALL(number, name, ret, flags, ...) \
    .set .Lflags, flags; \
    stub number, name, SC_NARGS(__VA_ARGS__);
#include <zircon/syscalls.def>

/*
 * void zx_futex_wake_handle_close_thread_exit(zx_futex_t* value_ptr, uint32_t wake_count,
 *                                             int32_t new_value, zx_handle_t close_handle)
 *
 * The last act of a thread whose stack belongs to whoever waits on the futex: from the store on,
 * that memory may be gone, the futex word with it. The handle stays in rbx, which calls preserve.
 */
begin_function _zx_futex_wake_handle_close_thread_exit
    mov %ecx, %ebx
    mov %edx, (%rdi)
    enter_kernel 35, futex_wake_via_futex_exit
    test %eax, %eax
    jnz 1f
    mov %ebx, %edi
    enter_kernel 42, handle_close_via_futex_exit
    test %eax, %eax
    jnz 1f
    enter_kernel 134, thread_exit_via_futex_exit
1:
    ud2
end_function _zx_futex_wake_handle_close_thread_exit
export futex_wake_handle_close_thread_exit

/*
 * zx_status_t zx_vmar_unmap_handle_close_thread_exit(zx_handle_t vmar_handle, zx_vaddr_t addr,
 *                                                    size_t size, zx_handle_t close_handle)
 *
 * The last act of a thread that unmaps its own stack. If the unmapping fails the stack is still
 * there, and the status is returned; otherwise nothing but registers is touched afterwards.
 */
begin_function _zx_vmar_unmap_handle_close_thread_exit
    push_register rbx
    .cfi_rel_offset rbx, 0
    mov %ecx, %ebx
    enter_kernel 150, vmar_unmap_via_unmap_exit
    test %eax, %eax
    jnz 1f
    mov %ebx, %edi
    enter_kernel 42, handle_close_via_unmap_exit
    test %eax, %eax
    jnz 2f
    enter_kernel 134, thread_exit_via_unmap_exit
2:
    ud2
1:
    pop %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
end_function _zx_vmar_unmap_handle_close_thread_exit
export vmar_unmap_handle_close_thread_exit

/*
 * struct vdso_constants. It is defined here so that no compiler sees the values: the kernel
 * replaces them in the image.
 */
    .section .rodata.constants, "a", @progbits
    .balign 64
    .globl DATA_CONSTANTS
    .hidden DATA_CONSTANTS
    .type DATA_CONSTANTS, @object
DATA_CONSTANTS:
    .fill 112 / 4, 4, 0xdeadbeef
    .size DATA_CONSTANTS, . - DATA_CONSTANTS

    .balign 8
    .globl ticks_offset
    .hidden ticks_offset
    .type ticks_offset, @object
ticks_offset:
    .quad 0
    .size ticks_offset, . - ticks_offset

/* The owner's name of our first note, as a section so that the linker knows the type. */
    .section .note.zvmm.owner, "a", @note
    .balign 4
    .asciz "zvmm"
    .balign 4

    .section .note.GNU-stack, "", @progbits
