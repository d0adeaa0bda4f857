/*
 * args.h - arguments of system calls, made from a fuzzer's input by the rows of
 * <zircon/syscalls.def>: the declared type and the parameter's name decide what is likely to be
 * understood by the call, and the input whether it is that or something else.
 */
#ifndef ZVMM_TESTS_FUZZ_ARGS_H
#define ZVMM_TESTS_FUZZ_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "thread.h"

/* The bytes that are left; behind the end there are zeros. */
struct input {
    const uint8_t *at, *end;
};

uint8_t take8(struct input *in);
uint64_t take64(struct input *in);
static inline bool at_end(const struct input *in)
{
    return in->at >= in->end;
}

#define CALL_COUNT 167u /* numbers of calls; not all have a function */

/*
 * Makes the arguments of call `number` for `thread`, which is current, and puts what they point to
 * into its memory. False: that parked the thread (its memory is a pager's).
 */
bool args_make(struct input *in, struct thread *thread, uint32_t number, uint64_t args[8]);

/* An address in user space, or what is none. */
zx_vaddr_t args_address(struct input *in, struct thread *thread);
/* A time: mostly not far from now. */
zx_time_t args_time(struct input *in);

#endif
