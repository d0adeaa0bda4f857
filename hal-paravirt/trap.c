/* trap.c - what the processor needs to find gate.S, and what a trap from user mode means. */
#include "trap.h"

#include "cpu.h"
#include "machine.h"
#include "timer.h"
#include "virtual.h"
#include "x86.h"

#define AT(field, offset)                                                                          \
    _Static_assert(__builtin_offsetof(struct cpu, field) == (offset), "cpu.h: " #field)
AT(self, CPU_SELF);
AT(current, CPU_CURRENT);
AT(kernel_rsp, CPU_KERNEL_RSP);
AT(user_rsp, CPU_USER_RSP);
AT(fs_base, CPU_FS_BASE);
AT(gs_base, CPU_GS_BASE);
AT(sysret_limit, CPU_SYSRET_LIMIT);
AT(iret_limit, CPU_IRET_LIMIT);
AT(work, CPU_WORK);
AT(lapic, CPU_LAPIC);
AT(handler, CPU_HANDLER);
AT(data, CPU_DATA);
AT(trap_stack, CPU_TRAP_STACK);
_Static_assert(CPU_TRAP_TOP % 16 == 0, "the processor aligns the stack of a trap to 16");
_Static_assert(__builtin_offsetof(struct hal_context, regs) == 0, "a context is its registers");
_Static_assert(__builtin_offsetof(struct hal_trap, result) == TRAP_RESULT, "TRAP_RESULT");
_Static_assert(HAL_TRAP_SYSCALL == 0, "SAVE_SYSCALL stores 0");
_Static_assert(ZV_SEL_KERNEL_CODE == SEL_KERNEL_CODE && ZV_SEL_USER_DATA == SEL_USER_DATA &&
                   ZV_SEL_USER_CODE == SEL_USER_CODE,
               "selectors");
_Static_assert(ZV_VECTOR_TIMER == 32 && ZV_VECTOR_EVENT == 33, "gate.S: 32 and up interrupt");

extern uint8_t idt[], idt_end[], ist_stacks[];
void syscall_entry(void);
void syscall_entry_handler(void);

#define IST_TOP(n) ((uint64_t)(ist_stacks + (n)*IST_STACK_BYTES))

/* Below it every user address is canonical and positive. */
#define USER_HALF_END (1ull << 47)

struct cpu cpu_boot = {
    .self = &cpu_boot,
    .sysret_limit = USER_HALF_END,
    .iret_limit = USER_HALF_END,
    .tss =
        {
            .rsp = {(uint64_t)&cpu_boot + CPU_TRAP_TOP},
            .ist = {IST_TOP(IST_DOUBLE_FAULT), IST_TOP(IST_NMI), IST_TOP(IST_MACHINE_CHECK),
                    IST_TOP(IST_DEBUG)},
            .iomap_base = sizeof(struct tss), /* beyond the limit: no port for user mode */
        },
};

/* The same selectors as zvmm's own table, which lies in memory that we need not know about. */
static uint64_t gdt[ZV_GDT_ENTRIES] = {
    [ZV_SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff, [ZV_SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff,
    [ZV_SEL_USER_CODE32 / 8] = 0x00cffb000000ffff, [ZV_SEL_USER_DATA / 8] = 0x00cff3000000ffff,
    [ZV_SEL_USER_CODE / 8] = 0x00affb000000ffff,
};

static void load_tables(struct cpu *cpu)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (uint64_t)gdt},
                              idtr = {(uint16_t)(idt_end - idt - 1), (uint64_t)idt};
    uint64_t tss = (uint64_t)&cpu->tss;

    gdt[ZV_SEL_TSS / 8] =
        (sizeof cpu->tss - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    gdt[ZV_SEL_TSS / 8 + 1] = tss >> 32;
    __asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2"
                     :
                     : "m"(gdtr), "m"(idtr), "r"(ZV_SEL_TSS)
                     : "memory");
    /* SYSRET leaves the data selectors alone, so none of the kernel's may be in them. */
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\tmov %0, %%gs"
                     :
                     : "r"(0)
                     : "memory");
}

/* Flags that SYSCALL clears: TF IF DF IOPL NT AC. */
#define SYSCALL_FLAGS 0x47700

static void init_msrs(struct cpu *cpu)
{
    bool broken = machine.quirks & ZV_QUIRK_SYSCALL_BROKEN;

    x86_wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    x86_wrmsr(MSR_KERNEL_GS_BASE, 0);
    x86_wrmsr(MSR_FS_BASE, 0);
    x86_wrmsr(MSR_STAR, (uint64_t)ZV_SEL_USER_CODE32 << 48 | (uint64_t)ZV_SEL_KERNEL_CODE << 32);
    x86_wrmsr(MSR_LSTAR, broken ? SYSCALL_STUB : (uint64_t)syscall_entry);
    x86_wrmsr(MSR_SFMASK, SYSCALL_FLAGS);
    if (broken)
        cpu->sysret_limit = 0;
}

/*
 * On a real processor user mode is kept out of the kernel's way for nothing: no kernel code ever
 * touches memory through a user address, so SMAP needs no stac. FSGSBASE is switched off because
 * user code could change the bases behind our copies of them.
 */
static void init_protection(void)
{
    uint64_t cr4 = x86_read_cr4() & ~CR4_FSGSBASE;
    struct x86_cpuid features;

    if (!machine_slow_ring0()) {
        features = x86_cpuid(7, 0);
        if (features.ebx >> 7 & 1 && !(machine.quirks & ZV_QUIRK_SYSCALL_BROKEN))
            cr4 |= CR4_SMEP; /* the stub page is user's, and may run in ring 0 */
        if (features.ebx >> 20 & 1)
            cr4 |= CR4_SMAP;
        if (features.ecx >> 2 & 1)
            cr4 |= CR4_UMIP;
    } else if (machine.deterministic) {
        cr4 |= CR4_TSD; /* rdtsc in user mode is for virtual_trap() */
    } else if (!(machine.features & ZV_FEATURE_FSGSBASE)) {
        return;
    }
    x86_write_cr4(cr4);
}

void trap_init(void)
{
    struct cpu *cpu = &cpu_boot;

    load_tables(cpu);
    init_msrs(cpu);
    init_protection();
    if (machine.features & ZV_FEATURE_LAPIC) {
        cpu->lapic = 1;
        x86_wrmsr(MSR_APIC_BASE, x86_rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
        x86_wrmsr(MSR_X2APIC_SVR, APIC_SVR_ENABLE | TRAP_VECTOR_SPURIOUS);
        x86_wrmsr(MSR_X2APIC_TIMER, APIC_TIMER_DEADLINE | ZV_VECTOR_TIMER);
    }
}

void hal_set_syscall_handler(hal_syscall_handler *handler)
{
    if (machine.deterministic)
        handler = virtual_handler(handler);
    cpu_this()->handler = handler;
    if (!(machine.quirks & ZV_QUIRK_SYSCALL_BROKEN))
        x86_wrmsr(MSR_LSTAR, (uint64_t)(handler ? syscall_entry_handler : syscall_entry));
}

void hal_context_stop(void)
{
    cpu_this()->work |= WORK_STOP;
}

static uint32_t fault_access(uint64_t error_code)
{
    return (error_code & 1 ? HAL_FAULT_PRESENT : 0) | (error_code & 2 ? HAL_FAULT_WRITE : 0) |
           (error_code & 16 ? HAL_FAULT_EXECUTE : 0);
}

static inline void report(struct hal_trap *trap, uint64_t vector, uint64_t error_code)
{
    trap->vector = (uint32_t)vector;
    trap->error_code = error_code;
    if (vector == VECTOR_PAGE_FAULT) {
        trap->kind = HAL_TRAP_PAGE_FAULT;
        trap->access = fault_access(error_code);
        trap->address = x86_read_cr2();
        return;
    }
    trap->access = 0;
    trap->address = 0;
    if (vector < ZV_VECTOR_TIMER) {
        trap->kind = HAL_TRAP_EXCEPTION;
        if (vector == VECTOR_DEBUG) {
            cpu_this()->current->debug.dr6 = x86_read_dr(6);
            x86_write_dr(6, DR6_INITIAL);
        }
        return;
    }
    trap->kind = HAL_TRAP_INTERRUPT;
    if (cpu_this()->lapic && vector != TRAP_VECTOR_SPURIOUS)
        x86_wrmsr(MSR_X2APIC_EOI, 0);
    if (vector == ZV_VECTOR_TIMER)
        timer_interrupt();
}

/* Apart, so that an ordinary page fault needs no stack frame. */
static __attribute__((noinline)) void report_virtual(struct hal_trap *trap, uint64_t vector,
                                                     uint64_t error_code)
{
    vector = virtual_trap(vector, &error_code);
    report(trap, vector, error_code);
}

void trap_report(struct hal_trap *trap, uint64_t vector, uint64_t error_code)
{
    if (machine.deterministic)
        report_virtual(trap, vector, error_code);
    else
        report(trap, vector, error_code);
}
