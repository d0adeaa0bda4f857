/*
 * user.S - user programs of the HAL's tests: position independent, all on one page. Each ends with
 * the trap that its test looks for. Registers at the start are the test's.
 */
    .section .rodata
    .balign 4096
    .globl user_page
user_page:

    .macro PROGRAM name
    .balign 16
    .globl \name
\name:
    .endm

/* Two system calls with the registers as they come. */
PROGRAM user_syscall
    syscall
    .globl user_syscall_return
user_syscall_return:
    ud2

PROGRAM user_syscall_loop
1:  syscall
    jmp 1b

PROGRAM user_syscall_std
    std
    syscall
    ud2

PROGRAM user_load
    mov (%rdi), %rax
    ud2

PROGRAM user_store
    mov %rax, (%rdi)
    ud2

PROGRAM user_jump
    jmp *%rdi

PROGRAM user_return                     /* system call that the next page's ret comes back from */
    ret

/* Counts in rbx until something interrupts it. */
PROGRAM user_spin
1:  inc %rbx
    jmp 1b

/* Bases: rax = fs:0, rbx = gs:0. */
PROGRAM user_bases
    mov %fs:0, %rax
    mov %gs:0, %rbx
    syscall
    jmp user_bases

/* Loads selectors that the GDT offers to user mode and clears fs, and with it perhaps its base. */
PROGRAM user_selectors
    mov $0x2b, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %gs
    xor %eax, %eax
    mov %eax, %fs
    syscall
    ud2

PROGRAM user_read_selectors
    mov %ds, %eax
    mov %es, %ebx
    mov %fs, %ecx
    mov %gs, %edx
    ud2

/* Loads xmm0..15 and st0 from (rdi), then stores them to (rsi) after each system call. */
PROGRAM user_fpu
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups \n * 16(%rdi), %xmm\n
    .endr
    fninit
    fldl (%rdi)
    ldmxcsr 256(%rdi)
    .globl user_fpu_store
user_fpu_store:
1:  syscall
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, \n * 16(%rsi)
    .endr
    stmxcsr 256(%rsi)
    fstcw 260(%rsi)
    fnstsw 262(%rsi)
    jmp 1b

PROGRAM user_avx
    vmovups (%rdi), %ymm3
    syscall
    vmovups %ymm3, (%rsi)
    ud2

/* ---- Exceptions ---------------------------------------------------------------------------- */

PROGRAM user_divide
    xor %ecx, %ecx
    div %ecx
PROGRAM user_icebp
    .byte 0xf1
    ud2
PROGRAM user_single_step
    pushf
    orl $0x100, (%rsp)
    popf
    nop
    ud2
PROGRAM user_int3
    int3
PROGRAM user_ud2
    ud2
PROGRAM user_int80
    int $0x80
PROGRAM user_int14
    int $14
PROGRAM user_int32
    int $32
PROGRAM user_hlt
    hlt
PROGRAM user_cli
    cli
PROGRAM user_in
    in $0x60, %al
PROGRAM user_out_call                   /* the hypercall port is the kernel's alone */
    mov $0x5a56, %edx
    out %eax, %dx
PROGRAM user_read_cr0
    mov %cr0, %rax
PROGRAM user_rdmsr
    mov $0xc0000101, %ecx
    rdmsr
PROGRAM user_wrfsbase
    wrfsbase %rax
    ud2
PROGRAM user_bad_selector
    mov $0x40, %eax
    mov %eax, %ds
PROGRAM user_noncanonical
    mov $0x8000000000000000, %rax
    mov (%rax), %rax
PROGRAM user_stack
    mov $0x8000000000000000, %rsp
    push %rax
PROGRAM user_alignment
    pushf
    orl $0x40000, (%rsp)
    popf
    mov 1(%rsp), %eax
    ud2
PROGRAM user_x87
    fninit
    push $0x033b                        /* zero divide unmasked */
    fldcw (%rsp)
    fld1
    fldz
    fdivrp
    fwait
    ud2
PROGRAM user_simd
    push $0x1d80                        /* divide by zero unmasked */
    ldmxcsr (%rsp)
    xorps %xmm0, %xmm0
    push $0x3f800000
    movss (%rsp), %xmm1
    divss %xmm0, %xmm1
    ud2
    .globl user_end
user_end:
    .balign 4096

    .section .note.GNU-stack, "", @progbits
