/* vouch.c - whether a sample may be believed. */
#include "bench/vouch.h"

#include <stdlib.h>

#define MOST_EXITS 4096 /* a sample with more counts as having these */

/* ---- Facts ---------------------------------------------------------------------------------- */

/* Room for one more element of `size` bytes; false without memory. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room != 0 ? *room * 2 : 256;
    void *larger = reallocarray(*array, wanted, size);
    if (larger == NULL)
        return false;
    *array = larger;
    *room = wanted;
    return true;
}

void vouch_add_span(struct vouch_facts *facts, uint64_t begin, uint64_t end, unsigned reason)
{
    if (!grow((void **)&facts->spans, &facts->span_room, facts->span_count, sizeof(*facts->spans)))
        facts->out_of_memory = true;
    else
        facts->spans[facts->span_count++] = (struct vouch_span){begin, end, reason};
}

void vouch_add_exit(struct vouch_facts *facts, uint64_t at)
{
    if (!grow((void **)&facts->exits, &facts->exit_room, facts->exit_count, sizeof(*facts->exits)))
        facts->out_of_memory = true;
    else
        facts->exits[facts->exit_count++] = at;
}

void vouch_clear(struct vouch_facts *facts)
{
    free(facts->spans);
    free(facts->exits);
    *facts = (struct vouch_facts){0};
}

/* ---- Judging -------------------------------------------------------------------------------- */

/* Index of the first exit at or after `at`. */
static size_t first_exit(const struct vouch_facts *facts, uint64_t at)
{
    size_t low = 0, high = facts->exit_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (facts->exits[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t exits_in(const struct vouch_facts *facts, const struct vouch_window *window)
{
    size_t count = first_exit(facts, window->end) - first_exit(facts, window->begin);
    return count < MOST_EXITS ? count : MOST_EXITS;
}

static size_t required_exits(const struct vouch_facts *facts, const struct vouch_window *windows,
                             size_t count)
{
    unsigned *times = calloc(MOST_EXITS + 1, sizeof(*times));
    size_t best = 0;
    if (times == NULL)
        return MOST_EXITS;
    for (size_t i = 0; i < count; i++)
        times[exits_in(facts, &windows[i])]++;
    for (size_t i = 1; i <= MOST_EXITS; i++)
        if (times[i] > times[best])
            best = i;
    free(times);
    return best;
}

static unsigned reasons_of_spans(const struct vouch_facts *facts, const struct vouch_window *window)
{
    unsigned reasons = 0;
    for (size_t i = 0; i < facts->span_count; i++)
        if (facts->spans[i].begin <= window->end && facts->spans[i].end >= window->begin)
            reasons |= facts->spans[i].reason;
    return reasons;
}

void vouch_judge(const struct vouch_facts *facts, struct vouch_window *windows, size_t count)
{
    size_t required = required_exits(facts, windows, count);
    for (size_t i = 0; i < count; i++) {
        windows[i].reasons = reasons_of_spans(facts, &windows[i]);
        if (exits_in(facts, &windows[i]) > required)
            windows[i].reasons |= VOUCH_EXITS;
        if (facts->out_of_memory)
            windows[i].reasons |= VOUCH_BLIND;
    }
}
