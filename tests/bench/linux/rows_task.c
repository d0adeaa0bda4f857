/*
 * rows_task.c - Linux: pthreads, fork and kill, posix_spawn of this program.
 */
#include "linux.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static void *no_work(void *argument)
{
    return argument;
}

static void thread_create_join(struct run *run, const struct row *row)
{
    pthread_t thread;

    (void)row;
    RUN_TURNS(run) {
        if (pthread_create(&thread, NULL, no_work, NULL) != 0)
            run_fail(run, "pthread_create", "no thread");
        else
            pthread_join(thread, NULL);
    }
}

static void process_create_kill(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run) {
        pid_t child = fork();

        if (child == 0)
            for (;;)
                pause();
        run_step(run);
        OK(run, kill(child, SIGKILL));
        run_step(run);
        OK(run, waitpid(child, NULL, 0));
    }
}

static void process_launch(struct run *run, const struct row *row)
{
    char *argv[] = {"linux-bench", "--child", "exit", NULL};
    char *envp[] = {NULL};
    pid_t child = -1;

    (void)row;
    RUN_TURNS(run) {
        if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, envp) != 0)
            run_fail(run, "posix_spawn", strerror(errno));
        run_step(run);
        OK(run, waitpid(child, NULL, 0));
    }
}

int child_main(const char *word)
{
    (void)word;
    return 0;
}

const struct row task_rows[] = {
    {"Thread/CreateJoin", thread_create_join},
    {"Process/CreateKill", process_create_kill, .steps = "create kill close"},
    {"Process/Launch", process_launch, .steps = "launch wait"},
    {0},
};
