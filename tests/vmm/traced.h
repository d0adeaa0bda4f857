/* traced.h - a program under ptrace, whose output goes nowhere. */
#ifndef TESTS_VMM_TRACED_H
#define TESTS_VMM_TRACED_H

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <unistd.h>

/* Start argv[0]; it stops after execve(). Status 127: there is no such program. */
static inline pid_t traced_start(char *argv[])
{
    pid_t child = fork();
    if (child != 0)
        return child;
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(argv[0], argv);
    _exit(127);
}

#endif
