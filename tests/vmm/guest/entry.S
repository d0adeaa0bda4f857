/*
 * entry.S - the test guest's assembly: entry, interrupt and exception stubs, the zvmm note.
 *
 * Only instructions that an emulated ring 0 has: no popcnt, no SSE, no xsave.
 */
    .section .note.zvmm, "a", @note
    .balign 4
    .long 5, 72, 1              /* name size, description size, ZV_NOTE_TYPE */
    .asciz "zvmm"
    .balign 4
    .long 4, 0                  /* ZV_ABI_VERSION */
    .quad 0, 0, 0, 0            /* no vDSO, no userboot */
    .quad test_zbi_paddr, 64       /* a ZBI, to see that it arrives */
    .quad 0, 0

    .text
    .globl _start
_start:
    mov %rsp, %rbp
    and $-16, %rsp
    xor %ebp, %ebp
    call test_main
1:  hlt
    jmp 1b

    .macro STUB number
    .balign 16
stub\number:
    .if \number != 8 && \number != 13 && \number != 14
    push $0
    .endif
    push $\number
    jmp common
    .endm

    .balign 16
    .globl test_stubs
test_stubs:
    .altmacro
    .set i, 0
    .rept 34
    STUB %i
    .set i, i + 1
    .endr

/* Stack: vector, error code, rip, cs, rflags, rsp, ss. */
common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    lea 72(%rsp), %rdi
    cld
    call test_trap
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

/* test_enter_user(rip, rsp): leave for ring 3, interrupts on. */
    .globl test_enter_user
test_enter_user:
    push $0x2b
    push %rsi
    push $0x202
    push $0x33
    push %rdi
    iretq

/* Ring 3: CPUID leaf 1 and rdtsc into the page that rdi points at, then spin or fault. */
    .globl test_user_code
    .globl test_user_end
test_user_code:
    mov $1, %eax
    xor %ecx, %ecx
    cpuid
    mov %eax, 0(%rdi)
    mov %ebx, 4(%rdi)
    mov %ecx, 8(%rdi)
    mov %edx, 12(%rdi)
    rdtsc
    mov %eax, 16(%rdi)
    mov %edx, 20(%rdi)
    cmpl $0, 24(%rdi)
    je 2f
1:  incq 32(%rdi)               /* spin: only an interrupt gets the processor back */
    cmpl $0, 24(%rdi)
    jne 1b
2:  ud2
test_user_end:

    .section .note.GNU-stack, "", @progbits
