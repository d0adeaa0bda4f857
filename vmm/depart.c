/*
 * depart.c - ending the process without waiting for the kernel to take the VM apart.
 *
 * Closing a VM waits for RCU grace periods: 11 ms on an idle mainline host, many times what a
 * short program in the guest takes. Nobody needs that to have happened before the exit status is
 * known. So zvmm leaves a helper behind that shares its memory and its descriptors, and with them
 * the last references to the VM, and that dies by the parent-death signal right after zvmm.
 */
#include "depart.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

static char helper_stack[4096] __attribute__((aligned(16)));

/* `parent` is zvmm's process id: if it has gone already, no signal will come. */
static int helper(void *parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == (pid_t)(intptr_t)parent)
        pause();
    _exit(0);
}

void depart(int status)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* the helper shares our handlers' memory: none may run */
    if (clone(helper, helper_stack + sizeof(helper_stack), CLONE_VM | CLONE_FILES,
              (void *)(intptr_t)getpid()) > 0) {
        /* Readers of our output must see its end now, not when the helper dies. */
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
    }
    _exit(status);
}
