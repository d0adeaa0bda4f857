/*
 * switch.S - from the kernel to user code and back, in one host thread.
 *
 * There are two ways back. A system call jumps from the patched vDSO through a stub (vdso.c) to
 * switch_syscall, with the number in eax and the return address's offset in ecx. Everything else is
 * a signal: its handler stores the registers, and returns to switch_resume instead of user code.
 *
 * Labels divide the code for the handler (trap.c), which may hit any instruction of it:
 *   switch_enter  .. switch_commit   cpu.pending will still be looked at: nothing to do
 *   switch_commit .. switch_leave    too late for that, but no user register is lost yet: the
 *                                    handler returns to switch_resume as if user code had been
 *                                    interrupted before its next instruction
 *   switch_leave  .. switch_end      in the kernel, or on the way there: nothing to do
 *
 * Host system calls from switch_begin .. switch_end are never dispatched to SIGSYS.
 */
#include "cpu.h"

    .text
    .globl switch_begin, switch_enter, switch_commit, switch_leave, switch_syscall, switch_resume
    .globl switch_restorer, switch_end
switch_begin:

#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define SYS_arch_prctl 158
#define SYS_rt_sigreturn 15

/* User's registers from the context at rbx, all but rsp. */
    .macro LOAD_REGISTERS
    mov REGS_RAX(%rbx), %rax
    mov REGS_RCX(%rbx), %rcx
    mov REGS_RDX(%rbx), %rdx
    mov REGS_RSI(%rbx), %rsi
    mov REGS_RDI(%rbx), %rdi
    mov REGS_RBP(%rbx), %rbp
    mov REGS_R8(%rbx), %r8
    mov REGS_R9(%rbx), %r9
    mov REGS_R10(%rbx), %r10
    mov REGS_R11(%rbx), %r11
    mov REGS_R12(%rbx), %r12
    mov REGS_R13(%rbx), %r13
    mov REGS_R14(%rbx), %r14
    mov REGS_R15(%rbx), %r15
    mov REGS_RBX(%rbx), %rbx
    .endm

/* int switch_enter(struct hal_context *context, int quick) */
    .type switch_enter, @function
switch_enter:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, cpu + CPU_KERNEL_RSP(%rip)
    mov %rdi, cpu + CPU_CURRENT(%rip)
    mov %rdi, %rbx
enter: /* rbx = context, esi = quick, rsp = cpu.kernel_rsp */
    movb $1, cpu + CPU_IN_USER(%rip)
    cmpb $0, cpu + CPU_PENDING(%rip)
switch_commit:
    jne not_now
    movb $SELECTOR_BLOCK, cpu + CPU_SELECTOR(%rip)
    mov REGS_FS(%rbx), %rdx
    cmpb $0, cpu + CPU_FSGSBASE(%rip)
    je 1f
    wrfsbase %rdx
2:  test %esi, %esi
    jz 3f

    /* After a system call: rcx and r11 are what the instruction makes of them, flags are lost as
     * in any function call. */
    mov REGS_RSP(%rbx), %rsp
    LOAD_REGISTERS
    jmp *%rcx

1:  /* No FSGSBASE: ask Linux. */
    mov %esi, %r12d
    mov %rdx, %rsi
    mov $ARCH_SET_FS, %edi
    mov $SYS_arch_prctl, %eax
    syscall
    mov %r12d, %esi
    jmp 2b

3:  /* Everything, flags included. */
    cmpq $0, CONTEXT_FPU_LIVE(%rbx)
    je 5f
    mov CONTEXT_FPU(%rbx), %rcx
    cmpb $0, cpu + CPU_XSAVE(%rip)
    je 4f
    mov cpu + CPU_XSAVE_MASK(%rip), %eax
    mov cpu + CPU_XSAVE_MASK + 4(%rip), %edx
    xrstor64 (%rcx)
    jmp 5f
4:  fxrstor64 (%rcx)
5:  pushq $SELECTOR_USER_DATA
    pushq REGS_RSP(%rbx)
    mov REGS_RFLAGS(%rbx), %rax
    and $RFLAGS_USER, %eax
    or $RFLAGS_SET, %eax
    push %rax
    pushq $SELECTOR_USER_CODE
    pushq REGS_RIP(%rbx)
    LOAD_REGISTERS
    iretq

switch_leave:
not_now:
    movb $0, cpu + CPU_IN_USER(%rip)
    mov $ENTERED_BY_SIGNAL, %eax
    jmp leave

/*
 * Uses nothing of the user's stack: a thread's last call is made from a stack that may be gone.
 */
    .type switch_syscall, @function
switch_syscall:
    mov cpu + CPU_CURRENT(%rip), %r11
    mov %rsp, REGS_RSP(%r11)
    mov cpu + CPU_KERNEL_RSP(%rip), %rsp
    pushfq
    mov %rax, REGS_RAX(%r11)
    mov %rbx, REGS_RBX(%r11)
    mov %rdx, REGS_RDX(%r11)
    mov %rsi, REGS_RSI(%r11)
    mov %rdi, REGS_RDI(%r11)
    mov %rbp, REGS_RBP(%r11)
    mov %r8, REGS_R8(%r11)
    mov %r9, REGS_R9(%r11)
    mov %r10, REGS_R10(%r11)
    mov %r12, REGS_R12(%r11)
    mov %r13, REGS_R13(%r11)
    mov %r14, REGS_R14(%r11)
    mov %r15, REGS_R15(%r11)
    add cpu + CPU_VDSO_BASE(%rip), %rcx
    mov %rcx, REGS_RCX(%r11)
    mov %rcx, REGS_RIP(%r11)
    pop %rcx
    mov %rcx, REGS_R11(%r11)
    mov %rcx, REGS_RFLAGS(%r11)
    movq $0, CONTEXT_FPU_LIVE(%r11)
    test $RFLAGS_HARMFUL, %ecx
    jnz 3f
1:  cmpb $0, cpu + CPU_FSGSBASE(%rip)
    je 4f
    rdfsbase %rax
    mov %rax, REGS_FS(%r11)
    mov cpu + CPU_HOST_FS(%rip), %rax
    wrfsbase %rax
2:  movb $SELECTOR_ALLOW, cpu + CPU_SELECTOR(%rip)
    movb $0, cpu + CPU_IN_USER(%rip)
    mov cpu + CPU_HANDLER(%rip), %rax
    test %rax, %rax
    jz 5f

    /* Answered here, calls and returns stay in pairs, which the processor's predictor likes. */
    mov cpu + CPU_CURRENT(%rip), %rbx
    mov %rbx, %rdi
    mov %ecx, %r12d
    sub $8, %rsp
    call *%rax
    add $8, %rsp
    testb $WORK_STOP, cpu + CPU_WORK(%rip)
    jnz 7f
    mov %rax, REGS_RAX(%rbx)
    test $RFLAGS_HARMFUL, %r12d
    jnz 6f
    cmpb $0, cpu + CPU_WORK(%rip)
    jne 6f
    mov $1, %esi
    jmp enter

7:  mov %rax, cpu + CPU_RESULT(%rip)

5:  xor %eax, %eax
leave:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

3:  pushq $RFLAGS_SET
    popfq
    jmp 1b

4:  /* Only Linux can change the base then: the context's is still right. */
    mov %ecx, %r12d
    mov $ARCH_SET_FS, %edi
    mov cpu + CPU_HOST_FS(%rip), %rsi
    mov $SYS_arch_prctl, %eax
    syscall
    mov %r12d, %ecx
    jmp 2b

6:  mov $ENTERED_AGAIN, %eax
    jmp leave

/*
 * The handler returns here with rsp = cpu.kernel_rsp, rbx = the context or 0, FS and selector the
 * kernel's. The FPU holds the user's state: it is saved before C code uses it.
 */
switch_resume:
    pushq $RFLAGS_SET
    popfq
    mov $ENTERED_BY_SIGNAL, %r8d
    test %rbx, %rbx
    jz 3f
    mov CONTEXT_FPU(%rbx), %rcx
    cmpb $0, cpu + CPU_XSAVE(%rip)
    je 1f
    mov cpu + CPU_XSAVE_MASK(%rip), %eax
    mov cpu + CPU_XSAVE_MASK + 4(%rip), %edx
    xsave64 (%rcx)
    jmp 2f
1:  fxsave64 (%rcx)
2:  movq $1, CONTEXT_FPU_LIVE(%rbx)
3:  mov %r8d, %eax
    jmp leave

/* sa_restorer of all our handlers. */
    nop /* unwinders look up the address before the return address */
switch_restorer:
    mov $SYS_rt_sigreturn, %rax
    syscall
    ud2 /* the address behind the instruction counts, and must be inside */
switch_end:

    .section .note.GNU-stack, "", @progbits
