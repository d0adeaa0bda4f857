/*
 * rows.h - rows that zbench and linux-bench have alike. Names, steps and sizes are in common/; what
 * a row does by its own platform's means is in guest/ and linux/.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "run.h"

#define PAGE ((uint64_t)4096)

extern const struct row copy_rows[], user_rows[], map_rows[], clone_rows[], scale_rows[],
    create_rows[], fault_rows[];

/* Memory of its own whose pages are there, each with something in it; NULL after run_fail. */
char *buffer_map(struct run *run, size_t size);
void buffer_unmap(char *buffer, size_t size);

/* ---- The platform's part of a row ---------------------------------------------------------- */

typedef void measure_t(struct run *run, const struct row *row);

/* rows_map.c */
enum { MAPPED_WRITE = 1, MAPPED_KERNEL = 2, MAPPED_RANGE = 4 };
measure_t map_copy, map_unmap, protect;

/* rows_clone.c; those of the original are the guest's alone. */
enum { CLONE_WRITE = 1, CLONE_ORIGINAL = 2, CLONE_SOME = 4 };
measure_t clone_close, clone_map, clone_copy;
#define CLONE_READ_STEPS  .steps = "clone read close"
#define CLONE_WRITE_STEPS .steps = "clone write close"

/* rows_scale.c. COLD: nothing of what `count` numbers is in a cache when its turn comes. */
enum { COLD = 1 };
measure_t timer_set_cancel, port_fan_in, wake_sleeper;

/* window.h: what a fault has to do. */
enum fault_kind { FRESH, RECYCLED, PRESENT, ZERO, SHARED };

/* object.h: what create_rows create. */
enum object_kind { A_VMO, AN_EVENT, AN_EVENTPAIR, A_CHANNEL, A_PORT, A_TIMER, A_FIFO, A_SOCKET };

#endif
