/*
 * gate.S - into user mode and back: the IDT, the system-call entries, hal_context_run.
 *
 * Interrupts are off in the kernel, so between entering and leaving ring 0 nothing else uses the
 * per-CPU scratch fields. There are two ways in from user mode, and both end in the caller of
 * hal_context_run, whose stack pointer is in CPU_KERNEL_RSP:
 *   - a system call, by SYSCALL or, where that is broken, by #GP on the stub page; once a handler is
 *     set it goes straight back, unless hal_context_stop() was called;
 *   - any other trap, by the IDT; trap_report() in trap.c then describes it.
 * The registers are saved straight into the context that CPU_CURRENT points at; there is no frame
 * on the kernel stack to copy from.
 *
 * Keep these paths short. A null system call on hardware is judged by its instructions, and where
 * ring 0 is emulated each one costs 0.7 us.
 */
#include "cpu.h"

/* ---- Interrupt descriptor table ------------------------------------------------------------ */

/* Gate types: present 64-bit interrupt gate, for ring 0 or (int3 only) ring 3. */
#define GATE_KERNEL 0x8e
#define GATE_USER   0xee

    .section .rodata
    .balign 16
    .globl idt
idt:
    .set vector, 0
    .rept TRAP_VECTORS
    .word (TRAP_STUBS + vector * TRAP_STUB_BYTES) & 0xffff
    .word SEL_KERNEL_CODE
    .if vector == 8
    .byte IST_DOUBLE_FAULT
    .elseif vector == 2
    .byte IST_NMI
    .elseif vector == 18
    .byte IST_MACHINE_CHECK
    .elseif vector == 1
    .byte IST_DEBUG
    .else
    .byte 0
    .endif
    .if vector == 3
    .byte GATE_USER
    .else
    .byte GATE_KERNEL
    .endif
    .word ((TRAP_STUBS + vector * TRAP_STUB_BYTES) >> 16) & 0xffff
    .long TRAP_STUBS >> 32
    .long 0
    .set vector, vector + 1
    .endr
    .globl idt_end
idt_end:

#define HAS_ERROR_CODE(n) \
    ((n) >= 10 && (n) <= 14) || (n) == 17 || (n) == 21 || (n) == 29 || (n) == 30

/* One stub a vector: makes the frame {vector, error code, rip, cs, rflags, rsp, ss}. */
/* ---- Where the caller's registers are, for a debugger's backtraces ---------------------------- */

    .cfi_sections .debug_frame

/* {rip, cs, rflags, rsp, ss} lie `above` bytes above rsp. */
    .macro CFI_TRAP_FRAME above
    .cfi_def_cfa %rsp, 40 + \above
    .cfi_offset %rip, -40
    .cfi_offset %rsp, -16
    .endm

/* rsp is as hal_context_run leaves it: the caller is the caller of that. */
    .macro CFI_CONTEXT_RUN
    .cfi_def_cfa %rsp, 64
    .cfi_offset %rip, -8
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    .endm

/* A register that the caller keeps its own value in. */
    .macro PUSH_CALLERS register
    push \register
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \register, 0
    .endm
    .macro POP_CALLERS register
    pop \register
    .cfi_adjust_cfa_offset -8
    .cfi_restore \register
    .endm
    .macro POP_ALL_CALLERS
    POP_CALLERS %r15
    POP_CALLERS %r14
    POP_CALLERS %r13
    POP_CALLERS %r12
    POP_CALLERS %rbx
    POP_CALLERS %rbp
    .endm

/* rsp is user's or no stack at all, and so is what called. */
    .macro CFI_OUTERMOST
    .cfi_def_cfa %rsp, 0
    .cfi_undefined %rip
    .endm

/* ---- One stub a vector ---------------------------------------------------------------------- */

    .section .text.trap, "ax", @progbits
    .balign 4096
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept TRAP_VECTORS
    .balign TRAP_STUB_BYTES, 0xcc
    .cfi_startproc simple
    CFI_TRAP_FRAME 0
    .if vector == 8 || (HAS_ERROR_CODE(vector))
    .cfi_adjust_cfa_offset 8
    .endif
    .if vector == 13
    jmp trap_general_protection
    .elseif vector == 2 || vector == 18
    push $0
    .cfi_adjust_cfa_offset 8
    push $vector
    .cfi_adjust_cfa_offset 8
    jmp trap_fatal_entry
    .elseif vector == 8
    push $vector
    .cfi_adjust_cfa_offset 8
    jmp trap_fatal_entry
    .elseif HAS_ERROR_CODE(vector)
    push $vector
    .cfi_adjust_cfa_offset 8
    jmp trap_common
    .else
    push $0
    .cfi_adjust_cfa_offset 8
    push $vector
    .cfi_adjust_cfa_offset 8
    jmp trap_common
    .endif
    .cfi_endproc
    .set vector, vector + 1
    .endr
    .balign TRAP_STUB_BYTES, 0xcc

/* ---- From user mode ------------------------------------------------------------------------ */

/* User's registers into the context at \context, all but rsp and rdi. */
    .macro SAVE_REGISTERS context
    mov %rax, REGS_RAX(\context)
    mov %rbx, REGS_RBX(\context)
    mov %rcx, REGS_RCX(\context)
    mov %rdx, REGS_RDX(\context)
    mov %rsi, REGS_RSI(\context)
    mov %rbp, REGS_RBP(\context)
    mov %r8, REGS_R8(\context)
    mov %r9, REGS_R9(\context)
    mov %r10, REGS_R10(\context)
    mov %r11, REGS_R11(\context)
    mov %r12, REGS_R12(\context)
    mov %r13, REGS_R13(\context)
    mov %r14, REGS_R14(\context)
    mov %r15, REGS_R15(\context)
    .endm

/* And back from the context at rdi, all but those two and rcx and r11, which SYSRET takes. */
    .macro LOAD_REGISTERS
    mov REGS_RAX(%rdi), %rax
    mov REGS_RBX(%rdi), %rbx
    mov REGS_RDX(%rdi), %rdx
    mov REGS_RSI(%rdi), %rsi
    mov REGS_RBP(%rdi), %rbp
    mov REGS_R8(%rdi), %r8
    mov REGS_R9(%rdi), %r9
    mov REGS_R10(%rdi), %r10
    mov REGS_R12(%rdi), %r12
    mov REGS_R13(%rdi), %r13
    mov REGS_R14(%rdi), %r14
    mov REGS_R15(%rdi), %r15
    .endm

/*
 * The registers of a system call go into the context. rsp is the pointer to the context, because
 * every other register still holds user's value; the user's rsp is at %gs:\rsp_at. rcx is the
 * return address and r11 the flags, as SYSCALL leaves them.
 */
    .macro SAVE_SYSCALL rsp_at
    mov %gs:CPU_CURRENT, %rsp
    SAVE_REGISTERS %rsp
    mov %rdi, REGS_RDI(%rsp)
    mov %rcx, REGS_RIP(%rsp)
    mov %r11, REGS_RFLAGS(%rsp)
    mov %gs:\rsp_at, %rax
    mov %rax, REGS_RSP(%rsp)
    .endm

/* Returns from hal_context_run; kind = HAL_TRAP_SYSCALL. */
    .macro RETURN_SYSCALL
    CFI_CONTEXT_RUN
    pop %rdi
    .cfi_adjust_cfa_offset -8
    movl $0, (%rdi)
    POP_ALL_CALLERS
    ret
    .endm

    .balign 16
    .globl syscall_entry
syscall_entry:
    .cfi_startproc simple
    CFI_OUTERMOST
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    SAVE_SYSCALL CPU_USER_RSP
    mov %gs:CPU_KERNEL_RSP, %rsp
    RETURN_SYSCALL
    .cfi_endproc

/*
 * The entry while a handler is set. It is called on the stack that hal_context_run left, and its
 * result stays in rax. When user code goes on, the registers that C functions preserve are user's
 * already; the rest comes from the context, so that nothing of the kernel's shows. No check of rcx
 * and r11: they came from SYSCALL, and the handler leaves them alone, as it does the bases.
 */
    .balign 16
    .globl syscall_entry_handler
syscall_entry_handler:
    .cfi_startproc simple
    CFI_OUTERMOST
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    SAVE_SYSCALL CPU_USER_RSP
call_handler:
    mov %rsp, %rdi
    mov %gs:CPU_KERNEL_RSP, %rsp
    CFI_CONTEXT_RUN
    call *%gs:CPU_HANDLER
    cmpl $0, %gs:CPU_WORK
    jne handler_stopped
    mov %gs:CPU_CURRENT, %rdi
    mov REGS_RIP(%rdi), %rcx
    mov REGS_RFLAGS(%rdi), %r11
    cmp %gs:CPU_SYSRET_LIMIT, %rcx
    jae handler_iret
    mov REGS_RDX(%rdi), %rdx
    mov REGS_RSI(%rdi), %rsi
    mov REGS_R8(%rdi), %r8
    mov REGS_R9(%rdi), %r9
    mov REGS_R10(%rdi), %r10
    mov REGS_RSP(%rdi), %rsp
    mov REGS_RDI(%rdi), %rdi
    swapgs
    sysretq
handler_iret:
    mov %rax, REGS_RAX(%rdi)
    jmp leave_by_iret
handler_stopped:
    mov (%rsp), %rdi                    /* the trap, see hal_context_run */
    mov %rax, TRAP_RESULT(%rdi)
    RETURN_SYSCALL
    .cfi_endproc

/*
 * #GP. At the stub page it is a system call of a processor whose SYSCALL stays in ring 3; that
 * page is mapped nowhere else, so on hardware the test never succeeds.
 */
    .balign 16
trap_general_protection:
    .cfi_startproc simple
    CFI_TRAP_FRAME 8
    cmpq $SYSCALL_STUB, 8(%rsp)
    jne 1f
    swapgs
    cld
    CFI_OUTERMOST
    SAVE_SYSCALL CPU_TRAP_RSP
    cmpq $0, %gs:CPU_HANDLER
    jne call_handler
    mov %gs:CPU_KERNEL_RSP, %rsp
    RETURN_SYSCALL

/* The same, when the stub page was reached in ring 0 after all; swapgs is done. */
syscall_from_stub:
    CFI_OUTERMOST
    mov %rsp, %gs:CPU_USER_RSP
    SAVE_SYSCALL CPU_USER_RSP
    cmpq $0, %gs:CPU_HANDLER
    jne call_handler
    mov %gs:CPU_KERNEL_RSP, %rsp
    RETURN_SYSCALL
1:  CFI_TRAP_FRAME 8
    push $13
    .cfi_adjust_cfa_offset 8

/* Stack: vector, error code, rip, cs, rflags, rsp, ss. */
trap_common:
    testb $3, 24(%rsp)
    jz trap_kernel
    swapgs
    cld
    push %rdi
    .cfi_adjust_cfa_offset 8
    mov %gs:CPU_CURRENT, %rdi
    SAVE_REGISTERS %rdi
    popq REGS_RDI(%rdi)
    .cfi_adjust_cfa_offset -8
    CFI_OUTERMOST
    pop %rsi                            /* vector */
    pop %rdx                            /* error code */
    popq REGS_RIP(%rdi)
    pop %rax                            /* cs: always the same */
    popq REGS_RFLAGS(%rdi)
    popq REGS_RSP(%rdi)
    mov %gs:CPU_KERNEL_RSP, %rsp
return_trap:
    CFI_CONTEXT_RUN
    pop %rdi
    .cfi_adjust_cfa_offset -8
    POP_ALL_CALLERS
    jmp trap_report                     /* (trap, vector, error code); returns for us */
    .cfi_endproc

/* ---- Into user mode ------------------------------------------------------------------------ */

/* void hal_context_run(struct hal_context *context, struct hal_trap *trap) */
    .balign 16
    .globl hal_context_run
    .type hal_context_run, @function
hal_context_run:
    .cfi_startproc
    PUSH_CALLERS %rbp
    PUSH_CALLERS %rbx
    PUSH_CALLERS %r12
    PUSH_CALLERS %r13
    PUSH_CALLERS %r14
    PUSH_CALLERS %r15
    push %rsi
    .cfi_adjust_cfa_offset 8
    cmp %rdi, %gs:CPU_CURRENT
    jne prepare
    cmpl $0, %gs:CPU_WORK
    jne prepare
    mov REGS_FS(%rdi), %rax
    cmp %rax, %gs:CPU_FS_BASE
    jne prepare
    mov REGS_GS(%rdi), %rax
    cmp %rax, %gs:CPU_GS_BASE
    jne prepare
prepared:
    mov %rsp, %gs:CPU_KERNEL_RSP
    mov REGS_RIP(%rdi), %rcx
    mov REGS_RFLAGS(%rdi), %r11
    /*
     * SYSRET puts rcx into rip and r11 into the flags, so it serves only a context whose registers
     * agree with that, which is what a system call leaves. It faults in ring 0 on a non-canonical
     * rip: sysret_limit keeps those away (and everything, where there is no sysretq).
     */
    cmp %gs:CPU_SYSRET_LIMIT, %rcx
    jae leave_by_iret
    cmp REGS_RCX(%rdi), %rcx
    jne leave_by_iret
    cmp REGS_R11(%rdi), %r11
    jne leave_by_iret
    test $IRET_RFLAGS, %r11d
    jnz leave_by_iret
    and $USER_RFLAGS_MASK, %r11d
    or $USER_RFLAGS_SET, %r11d
    LOAD_REGISTERS
    mov REGS_RSP(%rdi), %rsp
    mov REGS_RDI(%rdi), %rdi
    swapgs
    sysretq

leave_by_iret:
    CFI_CONTEXT_RUN
    cmp %gs:CPU_IRET_LIMIT, %rcx
    jae check_canonical
canonical:
    and $USER_RFLAGS_MASK, %r11d
    or $USER_RFLAGS_SET, %r11d
    push $SEL_USER_DATA
    .cfi_adjust_cfa_offset 8
    pushq REGS_RSP(%rdi)
    .cfi_adjust_cfa_offset 8
    push %r11
    .cfi_adjust_cfa_offset 8
    push $SEL_USER_CODE
    .cfi_adjust_cfa_offset 8
    push %rcx
    .cfi_adjust_cfa_offset 8
    LOAD_REGISTERS
    mov REGS_RCX(%rdi), %rcx
    mov REGS_R11(%rdi), %r11
    mov REGS_RDI(%rdi), %rdi
    swapgs
    iretq

/* The upper half is a fine address that faults in user mode; what is between the halves is not. */
check_canonical:
    CFI_CONTEXT_RUN
    mov %rcx, %rax
    sar $47, %rax
    inc %rax
    jz canonical
    mov $13, %eax                       /* #GP, error code 0, as the processor would have said */
refuse:
    mov %eax, %esi
    xor %edx, %edx
    jmp return_trap

/* Another context, other bases, or a timer to arm: see context.c. */
prepare:
    lea 48(%rsp), %rbp                  /* where rbp was pushed: keeps backtraces whole */
    mov %rdi, %rbx
    call context_prepare
    mov %rbx, %rdi
    test %eax, %eax
    jz prepared
    jmp refuse
    .cfi_endproc
    .size hal_context_run, . - hal_context_run

/* ---- From the kernel ----------------------------------------------------------------------- */

/*
 * Waits for an interrupt, a pending one included: STI takes effect after HLT has begun. Not
 * everywhere, though: when the hypervisor's own interrupt comes between the two, a nested or
 * emulated processor may forget that, and take ours before HLT. See trap_kernel.
 */
    .balign 16
    .globl trap_halt, halt_instruction
trap_halt:
    .cfi_startproc
    sti
halt_instruction:
    hlt
    cli
    ret
    .cfi_endproc

/*
 * An interrupt can only have ended the HLT of hal_idle, which looks by itself what happened; or it
 * came before it, and then it is what HLT would wait for, so that is passed over.
 *
 * A debug exception is user's: `mov ss` from a watched address holds it back for one instruction, and
 * if that is a system call it comes here, before swapgs and on user's rsp (hence a stack of its own).
 * It is dropped: the thread only loses a hit of its own watchpoint.
 */
trap_kernel:
    .cfi_startproc simple
    CFI_TRAP_FRAME 16
    cmpq $1, (%rsp)
    je 1f
    cmpq $32, (%rsp)
    jb trap_fatal_entry
    cmpl $0, %gs:CPU_LAPIC
    je 1f
    push %rax
    push %rcx
    push %rdx
    .cfi_adjust_cfa_offset 24
    mov $0x80b, %ecx                    /* MSR_X2APIC_EOI */
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    pop %rdx
    pop %rcx
    pop %rax
    .cfi_adjust_cfa_offset -24
1:  add $16, %rsp
    .cfi_adjust_cfa_offset -16
    cmpq $halt_instruction, (%rsp)
    jne 2f
    incq (%rsp)                         /* HLT is one byte */
2:  iretq
    .cfi_endproc

/*
 * The kernel's own fault, or an NMI, double fault or machine check from anywhere. The registers
 * go where ZV_CALL_PANIC wants them, except rsp, rip and rflags, which trap_fatal takes from the
 * frame. GS may be user's; trap_fatal does not use it.
 */
trap_fatal_entry:
    .cfi_startproc simple
    CFI_TRAP_FRAME 16
    sub $144, %rsp
    .cfi_adjust_cfa_offset 144
    mov %rax, 0(%rsp)
    mov %rbx, 8(%rsp)
    mov %rcx, 16(%rsp)
    mov %rdx, 24(%rsp)
    mov %rsi, 32(%rsp)
    mov %rdi, 40(%rsp)
    mov %rbp, 48(%rsp)
    mov %r8, 64(%rsp)
    mov %r9, 72(%rsp)
    mov %r10, 80(%rsp)
    mov %r11, 88(%rsp)
    mov %r12, 96(%rsp)
    mov %r13, 104(%rsp)
    mov %r14, 112(%rsp)
    mov %r15, 120(%rsp)
    mov %rsp, %rdi
    mov %rsp, %rbx
    .cfi_def_cfa_register %rbx
    .cfi_offset %rbx, -192
    .cfi_offset %rbp, -152
    .cfi_offset %r12, -104
    .cfi_offset %r13, -96
    .cfi_offset %r14, -88
    .cfi_offset %r15, -80
    lea panic_stack_top(%rip), %rsp
    cld
    xor %ebp, %ebp
    call trap_fatal
    ud2
    .cfi_endproc

/* ---- The stub page of ZV_QUIRK_SYSCALL_BROKEN ---------------------------------------------- */

/*
 * On the KVM that needs this page SYSCALL stays in ring 3 - unless the user's rsp is not canonical:
 * then it does enter ring 0. The first instruction serves both: in ring 3 SWAPGS is a #GP (which
 * arrives 10 us sooner than a #UD), in ring 0 it is what an entry starts with. User code can read
 * the page, so nothing else is on it.
 */
    .section .rodata.syscall_stub, "a", @progbits
    .balign 4096
    .globl syscall_stub_page
syscall_stub_page:
    swapgs
    jmp *stub_target                    /* absolute: the page does not run where it is linked */
    .balign 4096, 0xcc

    .section .rodata
    .balign 8
stub_target:
    .quad syscall_from_stub

    .section .note.GNU-stack, "", @progbits
