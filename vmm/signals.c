/* signals.c - the kick that gets a vCPU thread out of KVM_RUN, and the user's wish to stop. */
#include "signals.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the handlers write. A vCPU belongs to its thread, the wish to stop to the process. */
static __thread struct kvm_run *volatile current_run;
static __thread volatile sig_atomic_t timer_gone_off;
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t snapshot_signal;
static volatile pid_t owner; /* runs the vCPU of the process that is zvmm(1), or 0 */

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { STOPPING = sizeof(stopping) / sizeof(stopping[0]) };

/*
 * A signal that arrives just before KVM_RUN would be lost if the handler only returned: with
 * immediate_exit set, KVM_RUN returns at once.
 */
static void leave_guest(void)
{
    if (current_run != NULL)
        current_run->immediate_exit = 1;
}

/* kill(1) hits any thread of the process; hand it on to the vCPU's. */
static void on_user(void)
{
    snapshot_signal = 1;
    if (current_run == NULL)
        syscall(SYS_tgkill, getpid(), owner, KICK_SIGNAL);
}

static void on_kick(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_code == SI_USER && owner != 0)
        on_user();
    if (info->si_code == SI_TIMER)
        timer_gone_off = 1;
    leave_guest();
}

static void on_stop(int number)
{
    stop_signal = number;
    leave_guest();
}

/* Unless the process was started with the signal ignored, as nohup(1) does. */
static void take_stopping(int number)
{
    struct sigaction action = {.sa_handler = on_stop}, before;
    if (sigaction(number, &action, &before) == 0 && before.sa_handler == SIG_IGN)
        sigaction(number, &before, NULL);
}

void signals_begin(struct kvm_run *run, bool own_process)
{
    struct sigaction action = {.sa_sigaction = on_kick, .sa_flags = SA_SIGINFO};
    current_run = run;
    timer_gone_off = 0;
    sigaction(KICK_SIGNAL, &action, NULL);
    if (!own_process)
        return;
    stop_signal = snapshot_signal = 0;
    owner = gettid();
    for (int i = 0; i < STOPPING; i++)
        take_stopping(stopping[i]);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void signals_end(void)
{
    current_run = NULL;
    owner = 0;
}

int signals_stop(void)
{
    return stop_signal;
}

bool signals_take_snapshot(void)
{
    bool taken = snapshot_signal != 0;
    if (taken)
        snapshot_signal = 0;
    return taken;
}

bool signals_take_timer(void)
{
    bool taken = timer_gone_off;
    timer_gone_off = 0;
    return taken;
}

void signals_block(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, KICK_SIGNAL);
    for (int i = 0; i < STOPPING; i++)
        sigaddset(&set, stopping[i]);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

void signals_unblock(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
