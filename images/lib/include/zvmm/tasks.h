/*
 * Walking the tree of jobs, processes and threads.
 */
#ifndef ZVMM_TASKS_H
#define ZVMM_TASKS_H

#include <stddef.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum task_type { TASK_JOB, TASK_PROCESS, TASK_THREAD };

struct task {
    enum task_type type;
    zx_koid_t koid;
    zx_handle_t handle; /* valid during the visit */
    unsigned depth;     /* 0 for the job the walk began with */
};

/* Each job comes before what it holds: its processes with their threads, then its child jobs. */
typedef void (*task_visitor_t)(const struct task *task, void *context);

/* Tasks that end during the walk are left out. */
zx_status_t tasks_walk(zx_handle_t job, task_visitor_t visit, void *context);

/* name gets ZX_MAX_NAME_LEN bytes, "" if the object has no name. */
void object_name(zx_handle_t object, char *name);

#ifdef __cplusplus
}
#endif

#endif
