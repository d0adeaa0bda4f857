/* budget.h - the time that a session may take, shared out among the rows still to be measured. */
#ifndef ZVMM_BENCH_BUDGET_H
#define ZVMM_BENCH_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t end_ns; /* CLOCK_MONOTONIC; 0: take as long as it takes */
    size_t left;     /* how often a row is still to be measured, over all runs and subjects */
};

/*
 * How long a row may take now, at most `most`. Most rows are done sooner, and leave their time to
 * the others, so it is somewhat more than an equal share; but always enough for a few samples.
 */
unsigned budget_limit_ms(const struct budget *budget, uint64_t now_ns, unsigned most);

bool budget_is_spent(const struct budget *budget, uint64_t now_ns);

/*
 * When to measure all rows again, settled or not, if they were measured from `begin_ns` to `end_ns`
 * last. What neighbours do to a machine changes from minute to minute, and a row that settled in
 * the first would not show it. So twice a minute, but for a third of the time at most.
 */
uint64_t budget_refresh_ns(uint64_t begin_ns, uint64_t end_ns);

/* `count` measurements were made, or are not to be made. */
void budget_take(struct budget *budget, size_t count);

#endif
