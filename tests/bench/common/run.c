/*
 * run.c - taking samples of a row, and its result lines.
 *
 *     row NAME UNIT SAMPLES MIN MEDIAN P90 [RAW,RAW,...]
 *
 * is a line for the whole row and, if it has steps, one for each under the name ROW.STEP. With
 * --windows they follow a line that says when each sample began and how long it took, in ticks,
 *
 *     window NAME TURNS BEGIN+LENGTH~PACE,BEGIN+LENGTH~PACE...
 *
 * and how slow the processor was just before or after it, whichever is more (pace.h), so that
 * somebody who knows what else happened then can judge each sample (zvmm bench). Samples
 * before the first that counts warm caches, heaps and page tables up. A row that takes long has
 * fewer of both, but not fewer than FEWEST_SAMPLES or, if they take very long, FEWEST_SLOW. Of a
 * row that cannot be measured here there is only
 *
 *     skip NAME REASON
 */
#include "run.h"

#include "pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SAMPLES    4096
#define FEWEST_SAMPLES  5
#define FEWEST_SLOW     2  /* of a row that has taken three times its time */
#define CALIBRATION     64 /* turns of the loop to measure one */
#define CALIBRATIONS    5  /* of which the fastest counts */
#define FITTING_SECONDS 0.001
#define BLOCK_SECONDS   0.00005
#define MOST_TURNS      256 /* of a block */

/* The interval under profile: before, between and after. */
enum { MARKER_BASE = 0x1001, MARKER_BEGIN, MARKER_END, MARKER_RESTART };

static struct overhead overhead;
static uint64_t samples[MOST_STEPS][MOST_SAMPLES]; /* of a block of turns, in ticks */
static uint64_t begins[MOST_SAMPLES], ends[MOST_SAMPLES], paces[MOST_SAMPLES];

/* ---- Taking samples ------------------------------------------------------------------------ */

/*
 * Where a kernel is slow, a whole batch takes so long that the host seldom leaves it undisturbed.
 * Who judges samples wants shorter ones: after the first, the batch is halved until it fits. Rows
 * whose batch is a block of work start a new one at the block's end, and halves divide it.
 */
static void fit_batch(struct run *run)
{
    uint64_t limit = (uint64_t)(bench_ticks_per_second() * FITTING_SECONDS);
    uint64_t length = run->marks[run->mark - 1] - run->marks[0];

    run->fitted = true;
    for (; options.windows && run->batch > 1 && run->batch % 2 == 0 && length > limit; length /= 2)
        run->batch /= 2;
}

/* Looks at the processor's pace, beside a sample. */
static void look_at_pace(struct run *run)
{
    uint64_t now;

    if (!options.windows)
        return;
    now = pace();
    pace_note(now);
    if (now > run->pace)
        run->pace = now;
}

/*
 * A turn that takes some nanoseconds is timed too coarsely, and falls into step with what the
 * processor predicts: one turn slow, one fast. Who judges samples gets the mean of a block of
 * turns.
 */
static void fit_block(struct run *run)
{
    uint64_t wanted = (uint64_t)(bench_ticks_per_second() * BLOCK_SECONDS);
    uint64_t length = run->marks[run->mark - 1] - run->marks[0];

    run->block = 1;
    while (options.windows && run->block < MOST_TURNS && run->block * length < wanted)
        run->block *= 2;
}

static void keep_block(struct run *run)
{
    look_at_pace(run);
    ends[run->taken] = run->marks[run->mark - 1];
    if (options.markers)
        bench_marker(MARKER_END);
    paces[run->taken] = run->pace > overhead.pace ? run->pace : overhead.pace;
    run->clean += pace_is_full(run->pace > run->pace_before ? run->pace : run->pace_before);
    run->pace_before = run->pace;
    run->taken++;
    run->turns = 0;
}

static void keep_turn(struct run *run)
{
    if (!run->fitted)
        fit_batch(run);
    if (run->warm_up > 0) {
        run->warm_up = run->marks[0] < run->warm ? run->warm_up - 1 : 0;
        fit_block(run);
        return;
    }
    if (run->turns == 0)
        begins[run->taken] = run->marks[0];
    for (unsigned i = 0; i + 1 < run->mark; i++) {
        uint64_t before = run->turns > 0 ? samples[i][run->taken] : 0;

        samples[i][run->taken] = before + run->marks[i + 1] - run->marks[i];
    }
    if (++run->turns >= run->block)
        keep_block(run);
}

static bool enough(const struct run *run, uint64_t now)
{
    if (run->failed || run->clean >= options.samples || run->taken >= MOST_SAMPLES)
        return true;
    if (now >= run->deadline + 2 * (run->deadline - run->warm))
        return run->taken >= FEWEST_SLOW;
    return now >= run->deadline && run->taken >= FEWEST_SAMPLES;
}

/* One turn, the first that counts, between markers. */
static unsigned profile_sample(struct run *run)
{
    if (run->failed)
        return 0;
    if (run->warm_up > 0) {
        run->warm_up--;
        return 1;
    }
    if (run->taken++ > 0) {
        bench_marker(MARKER_END);
        return 0;
    }
    bench_marker(MARKER_BASE);
    bench_marker(MARKER_BEGIN);
    run->profiled = true;
    return 1;
}

void run_profile_restart(void)
{
    bench_marker(MARKER_RESTART);
}

static void set_limits(struct run *run)
{
    uint64_t limit = (uint64_t)(bench_ticks_per_second() / 1000 * options.limit_ms);

    run->warm = bench_ticks() + limit / 4;
    run->deadline = run->warm + limit;
}

unsigned run_sample(struct run *run)
{
    if (options.profile) {
        run->mark = 1;
        return profile_sample(run);
    }
    if (!run->stopped)
        run_step(run);
    if (run->started)
        keep_turn(run);
    if (!run->started && options.windows)
        set_limits(run); /* what the row has prepared took time, too */
    run->started = true;
    run->stopped = false;
    if (enough(run, run->marks[run->mark - 1]))
        return 0;
    run->mark = 1;
    if (run->turns == 0) {
        run->pace = 0;
        look_at_pace(run);
        if (options.markers)
            bench_marker(MARKER_BEGIN);
    }
    run_restart(run);
    return run->batch;
}

void run_fail(struct run *run, const char *what, const char *why)
{
    if (!run->failed)
        fprintf(stderr, "bench: %s: %s: %s\n", run->row->name, what, why);
    run->failed = true;
}

void run_skip(struct run *run, const char *why)
{
    if (!run->failed)
        printf("skip %s %s\n", run->row->name, why);
    run->failed = run->skipped = true;
}

bool run_preparing(struct run *run)
{
    char why[64];

    if (!run->failed && run->prepared != 0 && bench_ticks() >= run->prepared) {
        snprintf(why, sizeof(why), "preparing it takes longer than %u ms", options.prepare_ms);
        run_skip(run, why);
    }
    return !run->failed;
}

static void run_measure(struct run *run, const struct row *row)
{
    uint64_t a_ms = (uint64_t)(bench_ticks_per_second() / 1000);

    *run = (struct run){.row = row,
                        .warm_up = options.warm_up,
                        .block = 1,
                        .batch = row->batch > 0 ? row->batch : 1};
    set_limits(run);
    if (options.prepare_ms > 0)
        run->prepared = bench_ticks() + a_ms * options.prepare_ms;
    row->measure(run, row);
}

/* ---- Results ------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static void print_raw(const double *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        printf("%s%.2f", i == 0 ? " " : ",", values[i]);
}

/* `cost` is in ticks, of `batch` turns; what is printed is for one. */
static void print_line(const char *name, const char *step, int step_length, double *cost,
                       unsigned count, unsigned batch)
{
    static double sorted[MOST_SAMPLES];
    double scale = options.ticks ? 1.0 : 1e9 / bench_ticks_per_second();

    for (unsigned i = 0; i < count; i++)
        sorted[i] = cost[i] = cost[i] > 0 ? cost[i] * scale / batch : 0;
    qsort(sorted, count, sizeof(sorted[0]), compare);
    printf("row %s%s%.*s %s %u %.1f %.1f %.1f", name, step_length > 0 ? "." : "", step_length, step,
           options.ticks ? "ticks" : "ns", count, sorted[0], sorted[count / 2],
           sorted[(count - 1) * 9 / 10]);
    if (options.raw)
        print_raw(cost, count);
    putchar('\n');
}

static void print_windows(const struct run *run)
{
    printf("window %s %u", run->row->name, run->batch * run->block);
    for (unsigned i = 0; i < run->taken; i++)
        printf("%s%llu+%llu~%llu", i == 0 ? " " : ",", (unsigned long long)begins[i],
               (unsigned long long)(ends[i] - begins[i]), (unsigned long long)paces[i]);
    putchar('\n');
}

static unsigned count_steps(const struct row *row)
{
    unsigned steps = 1;

    for (const char *s = row->steps; s && *s; s++)
        steps += *s == ' ';
    return steps;
}

static double clock_cost(unsigned step, unsigned steps)
{
    if (steps == 1)
        return overhead.single;
    if (step == 0)
        return overhead.first;
    return step + 1 < steps ? overhead.inner : overhead.last;
}

static void print_steps(const struct run *run, unsigned steps)
{
    static double cost[MOST_SAMPLES], total[MOST_SAMPLES];
    unsigned batch = run->batch;
    const char *name = run->row->steps ? run->row->steps : "";

    memset(total, 0, sizeof(total));
    for (unsigned step = 0; step < steps; step++) {
        int length = (int)strcspn(name, " ");
        double extra = clock_cost(step, steps) + (batch - 1) * overhead.turn;

        for (unsigned i = 0; i < run->taken; i++) {
            cost[i] = (double)samples[step][i] / run->block - extra;
            total[i] += cost[i];
        }
        if (length > 0)
            print_line(run->row->name, name, length, cost, run->taken, batch);
        name += length + (name[length] == ' ');
    }
    print_line(run->row->name, "", 0, total, run->taken, batch);
}

bool run_row(const struct row *row)
{
    struct run run;

    run_measure(&run, row);
    if (run.failed || options.profile)
        return !run.failed || run.skipped;
    if (options.windows)
        print_windows(&run);
    print_steps(&run, count_steps(row));
    fflush(stdout);
    return true;
}

/* ---- Overhead ------------------------------------------------------------------------------ */

static void nothing(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        __asm__ volatile("" ::: "memory");
}

static void nothing_in_steps(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run) {
        run_step(run);
        run_step(run);
    }
}

/* What a piece of the frame around a row costs, in ticks, and the pace when that was seen. */
struct cost {
    double ticks;
    uint64_t pace;
};

enum { SINGLE, BATCH, FIRST, INNER, LAST, COSTS };

/*
 * The mean of the middle half, of the samples at full pace if there are enough: the clock's steps
 * may be as long as what is measured here. The pace is the mean of these samples.
 */
static struct cost middle(unsigned step, const struct run *run)
{
    static double sorted[MOST_SAMPLES];
    unsigned count = 0, used = 0, full = 0;
    uint64_t pace_sum = 0;
    double sum = 0;

    for (unsigned i = 0; i < run->taken; i++)
        full += pace_is_full(paces[i]);
    for (unsigned i = 0; i < run->taken; i++) {
        if (full >= FEWEST_SAMPLES && !pace_is_full(paces[i]))
            continue;
        sorted[count++] = (double)samples[step][i] / run->block;
        pace_sum += paces[i];
    }
    qsort(sorted, count, sizeof(sorted[0]), compare);
    for (unsigned i = count / 4; i < count - count / 4; i++, used++)
        sum += sorted[i];
    return (struct cost){.ticks = sum / used, .pace = pace_sum / count};
}

static void keep_least(struct cost *least, struct cost seen)
{
    if (least->pace == 0 || seen.ticks < least->ticks)
        *least = seen;
}

static void calibrate_once(struct cost costs[COSTS])
{
    static const struct row single = {"nothing", nothing};
    static const struct row batch = {"nothing in a batch", nothing, .batch = CALIBRATION};
    static const struct row steps = {"nothing in steps", nothing_in_steps};
    struct run run;

    run_measure(&run, &single);
    keep_least(&costs[SINGLE], middle(0, &run));
    run_measure(&run, &batch);
    keep_least(&costs[BATCH], middle(0, &run));
    run_measure(&run, &steps);
    for (unsigned step = 0; step < 3; step++)
        keep_least(&costs[FIRST + step], middle(step, &run));
}

/* What is least is right: the rest of it is a processor that has not yet found its way. */
void run_calibrate(void)
{
    struct options wanted = options;
    struct cost costs[COSTS] = {{0}};

    options =
        (struct options){.samples = 7, .warm_up = 3, .limit_ms = 1000, .windows = wanted.windows};
    overhead.pace = 0;
    for (unsigned i = 0; i < CALIBRATIONS; i++)
        calibrate_once(costs);
    overhead.single = costs[SINGLE].ticks;
    overhead.turn = (costs[BATCH].ticks - overhead.single) / (CALIBRATION - 1);
    overhead.first = costs[FIRST].ticks;
    overhead.inner = costs[INNER].ticks;
    overhead.last = costs[LAST].ticks;
    for (unsigned i = 0; i < COSTS; i++)
        overhead.pace = costs[i].pace > overhead.pace ? costs[i].pace : overhead.pace;
    options = wanted;
}
