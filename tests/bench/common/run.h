/*
 * run.h - what a row of the benchmark is and how it takes its time. Shared by zbench, which runs on
 * our kernel (guest/), and by linux-bench (linux/), which measures Linux's own under the same
 * names.
 *
 * A row is a function with a loop; what stands in the loop is measured:
 *
 *     static void duplicate(struct run *run, const struct row *row)
 *     {
 *         zx_handle_t event, other;
 *
 *         OK(run, zx_event_create(0, &event));
 *         RUN_TURNS(run) {
 *             OK(run, zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &other));
 *             run_step(run);
 *             OK(run, zx_handle_close(other));
 *         }
 *         zx_handle_close(event);
 *     }
 *
 * and one line of a table, {"Handle/Duplicate", duplicate, .steps = "duplicate close"}. Each turn
 * of the loop is a sample; run_step ends one step of it and begins the next. A row without steps
 * may set `batch`: then that many turns make one sample, and the figure is for one turn. The cost
 * of reading the clock and of the loop is measured at the start and subtracted.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h" /* the platform's: bench_ticks, bench_ticks_per_second, bench_marker */

#define MOST_STEPS 4

struct run;

struct row {
    const char *name;
    void (*measure)(struct run *run, const struct row *row);
    const char *steps; /* their names, with blanks between; NULL: one step without a name */
    unsigned batch;    /* turns for a sample; 0 is 1 */
    uint64_t size;     /* these three are the row's own affair */
    uint64_t count;
    unsigned flags;
};

/* The platform's tables; each ends with a row without a name, and the list with NULL. */
extern const struct row *const row_tables[];

struct run {
    const struct row *row;
    uint64_t marks[MOST_STEPS + 1];
    unsigned mark;       /* how many of them are taken */
    unsigned batch;      /* turns between two looks at the clock */
    unsigned block;      /* batches that make a sample: 1 without --windows */
    unsigned turns;      /* of them, taken */
    unsigned taken;      /* samples, without those for warming up */
    unsigned clean;      /* of them, taken while the processor was at its full pace */
    unsigned warm_up;    /* samples still to be thrown away */
    bool started, stopped, failed, skipped, fitted, profiled;
    uint64_t pace;           /* the slower one of before and after this sample, in ticks */
    uint64_t pace_before;    /* of the sample before */
    uint64_t warm, deadline; /* when warming up and when the row must end */
    uint64_t prepared;       /* when preparing must end; 0: it may take as long as it takes */
};

/* What reading the clock costs, in ticks: of the only step, the first, an inner one, the last; and
 * what a turn of the loop costs. */
struct overhead {
    double single, first, inner, last, turn;
    uint64_t pace; /* the slowest at which these were measured: they are in all samples */
};

struct options {
    unsigned samples, warm_up;
    unsigned limit_ms;   /* a row ends after this time, if it has FEWEST_SAMPLES */
    unsigned prepare_ms; /* a row that prepares for longer is left out; 0: none is */
    bool ticks;          /* print ticks, not nanoseconds */
    bool raw;            /* print every sample, too */
    bool windows;        /* print when every sample was taken, before the row's lines */
    bool markers;        /* markers before and after each sample, for whoever counts */
    bool profile;        /* markers around one turn instead of times: see step-profile.c */
};
extern struct options options;

/* Measures a row and prints its lines. Returns whether it worked. */
bool run_row(const struct row *row);
void run_calibrate(void);

/* Ends a sample and begins the next: how many turns it has, 0: no more. */
unsigned run_sample(struct run *run);
static inline bool run_next(struct run *run, unsigned *left)
{
    if (*left > 1 && !run->failed) {
        (*left)--;
        return true;
    }
    *left = run_sample(run);
    return *left > 0;
}

/*
 * The loop of a row. It counts in a register: in memory a counter is forwarded from store to load in
 * no time or in some cycles, as the processor likes, and a turn of nothing takes 0.4 or 1.4 ns.
 */
#define RUN_TURNS(run) for (unsigned turns_left_ = 0; run_next(run, &turns_left_);)

void run_profile_restart(void); /* --profile: what was counted does not count */

/*
 * The clock, when all that was begun is done: nothing that is under way may be counted for the next
 * step, nor anything of that begin before.
 */
static inline uint64_t run_clock(void)
{
    uint64_t now;

    __asm__ volatile("mfence\n\tlfence" ::: "memory");
    now = bench_ticks();
    __asm__ volatile("lfence" ::: "memory");
    return now;
}

static inline void run_step(struct run *run)
{
    run->marks[run->mark++] = run_clock();
}

/* What was done since the sample began was preparation. */
static inline void run_restart(struct run *run)
{
    if (run->profiled)
        run_profile_restart();
    run->marks[0] = run_clock();
}

/* What follows in this turn is clearing up. */
static inline void run_stop(struct run *run)
{
    run_step(run);
    run->stopped = true;
}

/* Says what failed and why; the loop ends with this turn. */
void run_fail(struct run *run, const char *what, const char *why);

/* The row cannot be measured here; says why on standard output; the loop ends with this turn. That
 * is no failure. */
void run_skip(struct run *run, const char *why);

/* Whether to go on preparing: for loops that make what must be there before the first sample. */
bool run_preparing(struct run *run);

/* Other lives of this program: what a process that a row starts does. */
int child_main(const char *word);

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Rows of one kind for the three sizes of Zircon's own benchmark. */
#define THREE_SIZES(prefix, function, ...)                                                         \
    {prefix "/128kbytes", function, .size = 128 * KIB, __VA_ARGS__},                               \
        {prefix "/512kbytes", function, .size = 512 * KIB, __VA_ARGS__},                           \
    {                                                                                              \
        prefix "/2048kbytes", function, .size = 2048 * KIB, __VA_ARGS__                            \
    }
/* More sizes, so that growth can be seen. */
#define MORE_SIZES(prefix, function, ...)                                                          \
    {prefix "/4kbytes", function, .size = 4 * KIB, __VA_ARGS__},                                   \
        {prefix "/16kbytes", function, .size = 16 * KIB, __VA_ARGS__},                             \
        {prefix "/64kbytes", function, .size = 64 * KIB, __VA_ARGS__},                             \
        {prefix "/1024kbytes", function, .size = 1024 * KIB, __VA_ARGS__},                         \
    {                                                                                              \
        prefix "/4096kbytes", function, .size = 4096 * KIB, __VA_ARGS__                            \
    }

#endif
