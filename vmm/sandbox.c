/*
 * sandbox.c - see sandbox.h. The list of system calls, by what needs them, is here and nowhere
 * else: a part of zvmm that comes to need another one while the machine runs adds it here, or is
 * refused together with the sandbox in what_needs_more().
 */
#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "symbolize.h"
#include "terminal.h"
#include "vm.h"

#define KVM_IOCTLS 0xae00u /* the second byte of each of KVM's ioctls */

/* Whatever their arguments. */
static const int allowed[] = {
    /* the guest: console, timers, kicks */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(timer_create),
    SCMP_SYS(timer_settime),
    SCMP_SYS(timer_delete),
    SCMP_SYS(tgkill),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
    /* signals */
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    /* the guest's memory, and the C library's */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(fallocate),
    SCMP_SYS(getrandom),
    /* the input thread */
    SCMP_SYS(eventfd2),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    /* standard output and descriptors that are there */
    SCMP_SYS(close),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    /* reports: the C library's qsort asks how much memory there is */
    SCMP_SYS(sysinfo),
    /* the end */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Answered with an error instead of the end of zvmm: what is tried, and can be done without. */
static const struct {
    int number, reason;
} denied[] = {
    {SCMP_SYS(openat), EACCES}, {SCMP_SYS(open), EACCES},   {SCMP_SYS(readlink), EACCES},
    {SCMP_SYS(unlink), EACCES}, {SCMP_SYS(rename), EACCES}, {SCMP_SYS(access), EACCES},
    {SCMP_SYS(clone3), ENOSYS}, /* pthread_create then takes clone, whose flags can be seen */
};

static const unsigned terminal_ioctls[] = {TCGETS, TCSETS, TCSETSW, TCSETSF};

/* The option of `config` that a sandboxed zvmm could not serve, or NULL. */
static const char *what_needs_more(const struct zvmm_config *config)
{
    return config->gdb != NULL            ? "--gdb"
           : config->control_path != NULL ? "--ctl"
           : config->snapshot_at != NULL  ? "--snapshot-at"
           : config->deterministic        ? "--deterministic"
                                          : NULL;
}

static int add_ioctls(scmp_filter_ctx filter)
{
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, KVM_IOCTLS));
    for (size_t i = 0; i < sizeof(terminal_ioctls) / sizeof(terminal_ioctls[0]); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                   SCMP_A1(SCMP_CMP_EQ, terminal_ioctls[i], 0));
    return failed;
}

/* Exact timers; no executable memory; threads, but no processes. */
static int add_conditional(scmp_filter_ctx filter)
{
    const uint64_t exec = PROT_EXEC, thread = CLONE_THREAD;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_TIMERSLACK, 0)) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread)) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, thread, 0));
}

static int add_all(scmp_filter_ctx filter)
{
    int failed = add_ioctls(filter) | add_conditional(filter);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)denied[i].reason),
                                   denied[i].number, 0);
    return failed;
}

/* A call outside the list. Only what a signal handler may do. */
static void on_violation(int number, siginfo_t *info, void *context)
{
    char text[128];
    (void)number;
    (void)context;
    terminal_restore();
    int length = snprintf(text, sizeof(text),
                          "zvmm: system call %d is not on the list of --sandbox; please report "
                          "it, and run without --sandbox\n",
                          info->si_syscall);
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(ZVMM_EXIT_HOST);
    _exit(ZVMM_EXIT_HOST);
}

static int load(struct zvmm_error *error)
{
    struct sigaction action = {.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (filter == NULL)
        return error_set(error, "--sandbox: out of memory; free some");
    sigaction(SIGSYS, &action, NULL);
    int failed = add_all(filter);
    int reason = failed ? 0 : seccomp_load(filter);
    seccomp_release(filter);
    if (failed)
        return error_set(error, "--sandbox: the list of system calls does not fit this host's "
                                "libseccomp; run without it");
    if (reason != 0)
        return error_set(error,
                         "--sandbox: the kernel refuses it: %s; run without it, or on a "
                         "kernel with seccomp filters",
                         strerror(-reason));
    return 0;
}

int sandbox_enter(struct zvmm *vm, struct zvmm_error *error)
{
    const char *option = what_needs_more(&vm->config);
    if (option != NULL)
        return error_set(error,
                         "--sandbox does not go with %s, which opens files or sockets while "
                         "the machine runs; give one of them",
                         option);
    vm->config.panic_snapshot = false;
    vm->symbols = symbolize_open(vm->config.guest_path); /* a report can no more */
    vm->sandboxed = load(error) == 0;
    return vm->sandboxed ? 0 : -1;
}
