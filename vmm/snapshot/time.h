/*
 * time.h - the guest's time goes on from where it stood.
 *
 * Hardware KVM moves the guest's TSC. A KVM that emulates ring 0 cannot: user code reads the
 * processor's own. There a guest that can adds an offset to it, which stands in two words of its
 * memory: zv_shared_page.tsc_offset for its kernel, and one in the vDSO for its programs.
 */
#ifndef ZVMM_SNAPSHOT_TIME_H
#define ZVMM_SNAPSHOT_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct zvmm;

/* Whether user code reads the processor's own TSC. Costs a few system calls: ask once. */
bool time_is_native(const struct zvmm *vm);

/*
 * The guest's ticks go on from `ticks` now. Memory and vm->native_tsc must be set; the vCPU's
 * deadline must not be yet. Writes to guest memory, which its tracking does not see: call it again
 * whenever memory has been put back.
 */
int time_resume(struct zvmm *vm, uint64_t ticks, struct zvmm_error *error);

#endif
