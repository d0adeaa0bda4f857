/*
 * ps: the jobs, processes and threads of the machine as a tree, and what each thread waits for.
 */
#include <stdio.h>
#include <zircon/zircon.h>
#include <zircon/process.h>
#include <zvmm/tasks.h>

static const char *state_name(uint32_t state)
{
    switch (state) {
    case ZX_THREAD_STATE_NEW:
        return "new";
    case ZX_THREAD_STATE_RUNNING:
        return "running";
    case ZX_THREAD_STATE_SUSPENDED:
        return "suspended";
    case ZX_THREAD_STATE_BLOCKED:
        return "blocked";
    case ZX_THREAD_STATE_DYING:
        return "dying";
    case ZX_THREAD_STATE_DEAD:
        return "dead";
    case ZX_THREAD_STATE_BLOCKED_EXCEPTION:
        return "waits in an exception";
    case ZX_THREAD_STATE_BLOCKED_SLEEPING:
        return "sleeps";
    case ZX_THREAD_STATE_BLOCKED_FUTEX:
        return "waits for a futex";
    case ZX_THREAD_STATE_BLOCKED_PORT:
        return "waits for a port";
    case ZX_THREAD_STATE_BLOCKED_CHANNEL:
        return "waits for an answer on a channel";
    case ZX_THREAD_STATE_BLOCKED_WAIT_ONE:
        return "waits for one object";
    case ZX_THREAD_STATE_BLOCKED_WAIT_MANY:
        return "waits for several objects";
    case ZX_THREAD_STATE_BLOCKED_INTERRUPT:
        return "waits for an interrupt";
    case ZX_THREAD_STATE_BLOCKED_PAGER:
        return "waits for a page";
    }
    return "unknown";
}

static void print_task(const char *type, const struct task *task, const char *state)
{
    char name[ZX_MAX_NAME_LEN];
    int indent = (int)task->depth * 2;

    object_name(task->handle, name);
    printf("%6lu %*s%-*s %-20s %s\n", task->koid, indent, "", 16 - indent, type, name, state);
}

static void print(const struct task *task, void *context)
{
    zx_info_thread_t thread;
    zx_info_process_t process;

    (void)context;
    switch (task->type) {
    case TASK_JOB:
        print_task("job", task, "");
        break;
    case TASK_PROCESS:
        if (zx_object_get_info(task->handle, ZX_INFO_PROCESS, &process, sizeof(process), NULL,
                               NULL) == ZX_OK)
            print_task("process", task, process.started ? "" : "not started");
        break;
    case TASK_THREAD:
        if (zx_object_get_info(task->handle, ZX_INFO_THREAD, &thread, sizeof(thread), NULL, NULL) ==
            ZX_OK)
            print_task("thread", task, state_name(thread.state));
        break;
    }
}

int main(void)
{
    printf("%6s %-16s %-20s %s\n", "KOID", "TYPE", "NAME", "STATE");
    zx_status_t status = tasks_walk(zx_job_default(), print, NULL);
    if (status != ZX_OK) {
        fprintf(stderr, "ps: %s\n", zx_status_get_string(status));
        return 1;
    }
    return 0;
}
