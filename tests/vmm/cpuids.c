/*
 * cpuids.c - counts the CPUID instructions that a program executes, by single steps.
 *
 *     cpuids PROGRAM [ARGS...]      prints the number; the program's output is thrown away
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(char *argv[])
{
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(argv[0], argv);
    _exit(127);
}

int main(int argc, char *argv[])
{
    struct user_regs_struct regs;
    unsigned long count = 0;
    int status;
    if (argc < 2)
        return 2;
    pid_t child = fork();
    if (child == 0)
        become(argv + 1);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        ptrace(PTRACE_GETREGS, child, NULL, &regs);
        count += (ptrace(PTRACE_PEEKTEXT, child, regs.rip, NULL) & 0xffff) == 0xa20f;
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
    }
    printf("%lu\n", count);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
