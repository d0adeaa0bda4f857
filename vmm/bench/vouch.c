/* vouch.c - whether a sample may be believed. */
#include "bench/vouch.h"

#include <stdlib.h>

#include "array.h"

#define MOST_MOMENTS   4096  /* a sample with more counts as having these */
#define OVERLOOKED     100   /* a disturbance of less than this part of a sample changes nothing */
#define MOMENT_TICKS   30000 /* what a short switch or an exit may cost: some ten microseconds */
#define PACE_TOLERANCE 32    /* a 32nd beside it is the same pace */
#define PACE_RARE      50    /* fewer than one sample in so many is an exception */

/* ---- Facts ---------------------------------------------------------------------------------- */

void vouch_add_span(struct vouch_facts *facts, uint64_t begin, uint64_t end, unsigned reason)
{
    struct vouch_span *spans =
        array_grow(facts->spans, facts->span_count, &facts->span_room, sizeof(*spans));
    if (spans == NULL) {
        facts->out_of_memory = true;
        return;
    }
    facts->spans = spans;
    facts->spans[facts->span_count++] = (struct vouch_span){begin, end, reason};
}

static void add_moment(struct vouch_facts *facts, struct vouch_moments *moments, uint64_t at)
{
    uint64_t *all = array_grow(moments->at, moments->count, &moments->room, sizeof(*all));
    if (all == NULL) {
        facts->out_of_memory = true;
        return;
    }
    moments->at = all;
    moments->at[moments->count++] = at;
}

void vouch_add_exit(struct vouch_facts *facts, uint64_t at)
{
    add_moment(facts, &facts->exits, at);
}

void vouch_add_block(struct vouch_facts *facts, uint64_t at)
{
    add_moment(facts, &facts->blocks, at);
}

void vouch_clear(struct vouch_facts *facts)
{
    free(facts->spans);
    free(facts->exits.at);
    free(facts->blocks.at);
    *facts = (struct vouch_facts){0};
}

/* ---- Judging -------------------------------------------------------------------------------- */

/* Index of the first moment at or after `at`. */
static size_t first_moment(const struct vouch_moments *moments, uint64_t at)
{
    size_t low = 0, high = moments->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (moments->at[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t count_in(const struct vouch_moments *moments, const struct vouch_window *window)
{
    size_t count = first_moment(moments, window->end) - first_moment(moments, window->begin);
    return count < MOST_MOMENTS ? count : MOST_MOMENTS;
}

/* How many moments most windows have in them. */
static size_t required(const struct vouch_moments *moments, const struct vouch_window *windows,
                       size_t count)
{
    unsigned *times = calloc(MOST_MOMENTS + 1, sizeof(*times));
    size_t best = 0;
    if (times == NULL)
        return MOST_MOMENTS;
    for (size_t i = 0; i < count; i++)
        times[count_in(moments, &windows[i])]++;
    for (size_t i = 1; i <= MOST_MOMENTS; i++)
        if (times[i] > times[best])
            best = i;
    free(times);
    return best;
}

/* Whether this much of a window, in ticks, is more than may be overlooked. */
static bool matters(const struct vouch_window *window, uint64_t ticks)
{
    return ticks > (window->end - window->begin) / OVERLOOKED;
}

/* Whether so many moments more than required may have cost the window something. */
static bool is_excess(const struct vouch_window *window, size_t count, size_t required)
{
    return count > required && matters(window, (count - required) * MOMENT_TICKS);
}

static uint64_t overlap(const struct vouch_span *span, const struct vouch_window *window)
{
    uint64_t begin = span->begin > window->begin ? span->begin : window->begin;
    uint64_t end = span->end < window->end ? span->end : window->end;
    return end - begin + 1;
}

static unsigned reasons_of_spans(const struct vouch_facts *facts, const struct vouch_window *window)
{
    unsigned reasons = 0;
    uint64_t disturbed = 0;
    for (size_t i = 0; i < facts->span_count; i++) {
        const struct vouch_span *span = &facts->spans[i];
        if (span->begin > window->end || span->end < window->begin)
            continue;
        disturbed += overlap(span, window);
        reasons |= span->reason;
    }
    return matters(window, disturbed) ? reasons : reasons & VOUCH_BLIND;
}

void vouch_judge(const struct vouch_facts *facts, struct vouch_window *windows, size_t count)
{
    size_t exits = required(&facts->exits, windows, count);
    size_t blocks = required(&facts->blocks, windows, count);
    for (size_t i = 0; i < count; i++) {
        windows[i].reasons = reasons_of_spans(facts, &windows[i]);
        if (is_excess(&windows[i], count_in(&facts->exits, &windows[i]), exits))
            windows[i].reasons |= VOUCH_EXITS;
        if (is_excess(&windows[i], count_in(&facts->blocks, &windows[i]), blocks))
            windows[i].reasons |= VOUCH_DESCHEDULED;
        if (facts->out_of_memory)
            windows[i].reasons |= VOUCH_BLIND;
    }
}

/* ---- Pace ----------------------------------------------------------------------------------- */

void vouch_spread_pace(struct vouch_window *windows, size_t count)
{
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t own = windows[i].pace, after = i + 1 < count ? windows[i + 1].pace : 0;
        uint64_t slowest = before > after ? before : after;
        if (slowest > own)
            windows[i].pace = slowest;
        before = own;
    }
}

static int compare_paces(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t vouch_full_pace(uint64_t *paces, size_t count)
{
    size_t end = 0;
    qsort(paces, count, sizeof(*paces), compare_paces);
    for (size_t first = 0; first < count; first++) {
        while (end < count && paces[end] <= paces[first] + paces[first] / PACE_TOLERANCE)
            end++;
        if ((end - first) * PACE_RARE >= count)
            return paces[first + (end - first) / 2];
    }
    return count != 0 ? paces[count / 2] : 0;
}

bool vouch_is_full_pace(uint64_t pace, uint64_t full)
{
    uint64_t tolerance = full / PACE_TOLERANCE;
    return pace == 0 || full == 0 || (pace + tolerance >= full && pace <= full + tolerance);
}
