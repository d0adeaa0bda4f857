/*
 * rows_task.c - threads and processes: making and ending them.
 */
#include "guest.h"

#include <threads.h>
#include <zvmm/launch.h>

static int no_work(void *argument)
{
    (void)argument;
    return 0;
}

static void thread_create_join(struct run *run, const struct row *row)
{
    thrd_t thread;

    (void)row;
    RUN_TURNS(run) {
        if (thrd_create(&thread, no_work, NULL) != thrd_success)
            run_fail(run, "thrd_create", "no thread");
        else
            thrd_join(thread, NULL);
    }
}

static void exits(uintptr_t argument)
{
    (void)argument;
    zx_thread_exit();
}

static void thread_raw(struct run *run, const struct row *row)
{
    char *stack = buffer_map(run, ZX_PAGE_SIZE);

    (void)row;
    RUN_TURNS(run) {
        zx_handle_t thread = thread_on(run, exits, 0, stack + ZX_PAGE_SIZE);

        run_step(run);
        thread_wait(run, thread);
    }
    buffer_unmap(stack, ZX_PAGE_SIZE);
}

static void process_create_kill(struct run *run, const struct row *row)
{
    zx_handle_t process, vmar;

    (void)row;
    RUN_TURNS(run) {
        OK(run, zx_process_create(zx_job_default(), "bench", 5, 0, &process, &vmar));
        run_step(run);
        OK(run, zx_task_kill(process));
        run_step(run);
        zx_handle_close(process);
        zx_handle_close(vmar);
    }
}

/* A whole program: loading it, its start-up, its end. */
static void process_launch(struct run *run, const struct row *row)
{
    static const char *const argv[] = {"zbench", "--child", "exit", NULL};
    struct launch_args args = {.program = "zbench", .argv = argv};
    zx_handle_t process;
    int64_t code;

    (void)row;
    RUN_TURNS(run) {
        OK(run, zx_launch(&args, &process));
        run_step(run);
        OK(run, zx_launch_wait(process, &code));
        zx_handle_close(process);
    }
}

const struct row task_rows[] = {
    {"Thread/CreateJoin", thread_create_join},
    {"Thread/StartExit", thread_raw, .steps = "start exit"},
    {"Process/CreateKill", process_create_kill, .steps = "create kill close"},
    {"Process/Launch", process_launch, .steps = "launch wait"},
    {0},
};
