/*
 * guest.h - what rows on our kernel have in common.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <zircon/process.h>
#include <zircon/zircon.h>

#include "rows.h"

/* Rows besides those of rows.h. */
extern const struct row call_rows[], channel_rows[], vmo_rows[], region_rows[], original_rows[],
    task_rows[], switch_rows[];

#define OK(run, call)                                                                              \
    do {                                                                                           \
        zx_status_t ok_status_ = (call);                                                           \
        if (__builtin_expect(ok_status_ != ZX_OK, 0))                                              \
            run_fail(run, #call, zx_status_get_string(ok_status_));                                \
    } while (0)

/* A VMO whose pages are committed. */
zx_handle_t vmo_committed(struct run *run, uint64_t size);

/* A thread without a library: function(argument) on a small stack, ended by zx_thread_exit. */
zx_handle_t thread_on(struct run *run, void (*function)(uintptr_t), uintptr_t argument,
                      char *stack_end);
void thread_wait(struct run *run, zx_handle_t thread);

#endif
