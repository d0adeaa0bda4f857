/* interrupt.h - interrupts that zvmm raises: by message to the irqchip, or injected. */
#ifndef ZVMM_INTERRUPT_H
#define ZVMM_INTERRUPT_H

#include <stdint.h>

struct zvmm;

/* Bits of zvmm.pending, in order of delivery. */
enum {
    INTERRUPT_TIMER = 1u << 0, /* ZV_VECTOR_TIMER */
    INTERRUPT_EVENT = 1u << 1, /* ZV_VECTOR_EVENT */
};

/* Set bits in the shared page's events and raise the vector of `interrupt`. From any thread. */
void interrupt_raise(struct zvmm *vm, uint32_t interrupt, uint32_t events);

/* Without irqchip, before each KVM_RUN: inject what is pending or ask for the moment to do it. */
void interrupt_deliver(struct zvmm *vm);

/* Get the vCPU's thread out of KVM_RUN or ppoll(). From any thread. */
void interrupt_kick(struct zvmm *vm);

#endif
