/*
 * frames.h - other frames for each boot.
 *
 * The host hands out first the frames that were freed last, on each processor its own. So each boot
 * would have those of the one before, and a session be sure of a figure that the next one does not
 * have: which frames a kernel lies in decides how much of it stays in a cache. A reserve of huge
 * pages takes those of the last boot and gives up some of its own, chosen at random.
 */
#ifndef ZVMM_BENCH_FRAMES_H
#define ZVMM_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum {
    FRAMES_PAGE = 2 << 20, /* bytes of a huge page */
    FRAMES_MOST = 192,     /* huge pages in a reserve */
};

struct frames {
    unsigned char *base;        /* NULL: there is no reserve, and nothing is done */
    size_t count;               /* huge pages it has place for */
    size_t empty;               /* that many of them are given up; */
    uint8_t order[FRAMES_MOST]; /* the first of these. Places in the reserve, in any order */
    uint64_t random;            /* the choice's state */
};

/*
 * Make a reserve of `count` huge pages, at most FRAMES_MOST and a 32nd of the memory that the
 * machine has or this process may have (cgroup.h). No child inherits it. Where memory is refused
 * there is none.
 */
void frames_begin(struct frames *frames, size_t count, uint64_t seed);

/*
 * For the next process that runs on processor `cpu` and takes about `count` huge pages: take what
 * the last one freed, and give up as many others.
 */
void frames_exchange(struct frames *frames, int cpu, size_t count);

void frames_end(struct frames *frames);

#endif
