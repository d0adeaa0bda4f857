/*
 * cpuids.c - counts the CPUID instructions that a program executes, by single steps.
 *
 *     cpuids PROGRAM [ARGS...]      prints the number; the program's output is thrown away
 */
#include <stdio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "traced.h"

int main(int argc, char *argv[])
{
    struct user_regs_struct regs;
    unsigned long count = 0;
    int status;
    if (argc < 2)
        return 2;
    pid_t child = traced_start(argv + 1);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        ptrace(PTRACE_GETREGS, child, NULL, &regs);
        count += (ptrace(PTRACE_PEEKTEXT, child, regs.rip, NULL) & 0xffff) == 0xa20f;
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
    }
    printf("%lu\n", count);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
