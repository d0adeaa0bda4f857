/*
 * calls.c - counts the system calls of a program up to its first KVM_RUN.
 *
 *     calls PROGRAM [ARGS...]      prints the number; the program's output is thrown away
 */
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "traced.h"

int main(int argc, char *argv[])
{
    struct user_regs_struct regs;
    int status, count = 0;
    bool entering = true, running = false;
    if (argc < 2)
        return 2;
    pid_t child = traced_start(argv + 1);
    waitpid(child, &status, 0); /* execve is over */
    while (!running && ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        ptrace(PTRACE_GETREGS, child, NULL, &regs);
        running = regs.orig_rax == SYS_ioctl && regs.rsi == KVM_RUN;
        count += entering;
        entering = !entering;
    }
    ptrace(PTRACE_DETACH, child, NULL, NULL);
    waitpid(child, &status, 0);
    printf("%d\n", count);
    return !running || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
