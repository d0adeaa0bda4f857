/* probe.h - what this KVM does differently from hardware, found by its behaviour. */
#ifndef ZVMM_PROBE_H
#define ZVMM_PROBE_H

#include "kvm.h"
#include "memory.h"

enum { PROBE_PAGES = 4 };

/* Whether hardware virtualisation is known to be behind the KVM, so that probing is a waste. */
bool probe_is_hardware(void);

/* Whether hardware walks the guest's page tables; else KVM shadows them. Reads two files: ask once.
 */
bool probe_has_paging(void);

/*
 * Run a few instructions on the vCPU and report ZV_QUIRK_* bits. It uses PROBE_PAGES pages of
 * guest memory at `scratch` (the boot stack: they are zero again afterwards) and leaves the vCPU
 * with undefined registers, STAR and LSTAR. `runs` counts the KVM_RUN calls.
 */
int probe_run(const struct kvm *kvm, struct memory *memory, gpa_t scratch, uint32_t *quirks,
              uint64_t *runs, struct zvmm_error *error);

#endif
