/* instruction-limit.c - preemption by the number of instructions: see the header for the rule. */
#include "instruction-limit.h"

#include <stddef.h>

bool instruction_limit_open(struct instruction_limit *limit,
                            const struct counter_provider *provider, const struct kvm *kvm,
                            uint64_t period)
{
    *limit = (struct instruction_limit){.period = period != 0 ? period : provider->period};
    if (!provider->open(kvm, &limit->state))
        return false;
    limit->provider = provider;
    limit->next = limit->period;
    return true;
}

void instruction_limit_resume(struct instruction_limit *limit, uint64_t count, uint64_t clock)
{
    limit->before = count;
    limit->next = (count / limit->period + 1) * limit->period;
    limit->clock = clock;
}

bool instruction_limit_count(const struct instruction_limit *limit, uint64_t *count)
{
    if (!limit->provider->read(limit->state, count))
        return false;
    *count += limit->before;
    return true;
}

/* A multiple has been reached: whether user code has done nothing but compute since the last. */
static bool look_at_clock(struct instruction_limit *limit, uint64_t count, uint64_t clock)
{
    bool stands = clock == limit->clock;
    limit->missed += count != limit->next;
    limit->next += ((count - limit->next) / limit->period + 1) * limit->period;
    limit->clock = clock;
    return stands;
}

static bool arm(struct instruction_limit *limit, uint64_t more)
{
    if (limit->armed == limit->next)
        return true;
    limit->armed = limit->next;
    return limit->provider->arm(limit->state, more);
}

enum limit_answer instruction_limit_look(struct instruction_limit *limit, uint64_t clock)
{
    const struct counter_provider *provider = limit->provider;
    uint64_t count;
    if (!instruction_limit_count(limit, &count)) {
        limit->missed++;
        return LIMIT_RUN;
    }
    if (count >= limit->next && look_at_clock(limit, count, clock))
        return LIMIT_PREEMPT;
    uint64_t left = limit->next - count;
    if (provider->margin == COUNTER_NEVER || left <= provider->margin)
        return LIMIT_STEP;
    return arm(limit, left - provider->margin) ? LIMIT_RUN : LIMIT_STEP;
}

void instruction_limit_close(struct instruction_limit *limit)
{
    if (limit->provider != NULL)
        limit->provider->close(limit->state);
    limit->provider = NULL;
}
