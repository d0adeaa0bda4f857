/* lapic.c - what only the machine of hal-paravirt can be made to do. */
#include <hal.h>
#include <hypercall.h>

#include "x86.h"

#define MSR_X2APIC_SELF_IPI 0x83fu

bool raise_timer_interrupt(void);
void stop_timer(void);

/* The timer's interrupt, before its time; false if the machine has no local APIC. */
bool raise_timer_interrupt(void)
{
    if (!(x86_rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC))
        return false;
    x86_wrmsr(MSR_X2APIC_SELF_IPI, ZV_VECTOR_TIMER);
    return true;
}

/* What the timer does by itself when its interrupt was not only raised by hand. */
void stop_timer(void)
{
    x86_wrmsr(MSR_TSC_DEADLINE, 0);
}
