/* preempt.c - when user code that does not enter the kernel by itself loses the processor. */
#include "preempt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "signals.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

void preempt_init(struct preempt *preempt)
{
    *preempt = (struct preempt){0};
}

int preempt_begin(struct preempt *preempt, pid_t thread, struct zvmm_error *error)
{
    const struct timespec period = {.tv_nsec = PREEMPT_LIMIT_MS * 1000000l};
    const struct itimerspec when = {.it_interval = period, .it_value = period};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};
    event.sigev_notify_thread_id = thread;
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &preempt->id) != 0)
        return error_set(error, "timer: %s; raise the limit of pending signals (ulimit -i)",
                         strerror(errno));
    preempt->created = true;
    timer_settime(preempt->id, 0, &when, NULL);
    return 0;
}

bool preempt_due(struct preempt *preempt, uint64_t tsc, bool in_user)
{
    if (!signals_take_timer())
        return false;
    bool stands = in_user && tsc == preempt->seen;
    preempt->seen = tsc;
    preempt->still = stands ? preempt->still + 1 : 0;
    if (preempt->still == 0)
        return false;
    preempt->still = 0;
    return true;
}

void preempt_destroy(struct preempt *preempt)
{
    if (preempt->created)
        timer_delete(preempt->id);
    preempt_init(preempt);
}
