/*
 * Walking the tree of jobs, processes and threads.
 */
#include <zvmm/tasks.h>

#include <stdlib.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>

struct walk {
    task_visitor_t visit;
    void *context;
};

static zx_status_t visit_task(const struct walk *walk, enum task_type type, zx_koid_t koid,
                              zx_handle_t handle, unsigned depth);

/* All koids of a topic; *koids is to be freed. More may come up while memory is being found. */
static zx_status_t get_koids(zx_handle_t handle, zx_object_info_topic_t topic, zx_koid_t **koids,
                             size_t *count)
{
    size_t capacity = 16, available;

    for (;;) {
        *koids = malloc(capacity * sizeof(**koids));
        if (!*koids)
            return ZX_ERR_NO_MEMORY;
        zx_status_t status = zx_object_get_info(handle, topic, *koids, capacity * sizeof(**koids),
                                                count, &available);
        if (status == ZX_OK && *count == available)
            return ZX_OK;
        free(*koids);
        if (status != ZX_OK)
            return status;
        capacity = available + 16;
    }
}

static zx_status_t visit_children(const struct walk *walk, zx_handle_t parent,
                                  zx_object_info_topic_t topic, enum task_type type, unsigned depth)
{
    zx_koid_t *koids;
    size_t count;

    zx_status_t status = get_koids(parent, topic, &koids, &count);
    if (status != ZX_OK)
        return status;
    for (size_t i = 0; i < count && status == ZX_OK; i++) {
        zx_handle_t child;
        if (zx_object_get_child(parent, koids[i], ZX_RIGHT_SAME_RIGHTS, &child) != ZX_OK)
            continue; /* it has ended */
        status = visit_task(walk, type, koids[i], child, depth);
        zx_handle_close(child);
    }
    free(koids);
    return status;
}

static zx_status_t visit_task(const struct walk *walk, enum task_type type, zx_koid_t koid,
                              zx_handle_t handle, unsigned depth)
{
    const struct task task = {type, koid, handle, depth};
    zx_status_t status = ZX_OK;

    walk->visit(&task, walk->context);
    if (type == TASK_PROCESS)
        return visit_children(walk, handle, ZX_INFO_PROCESS_THREADS, TASK_THREAD, depth + 1);
    if (type == TASK_JOB) {
        status = visit_children(walk, handle, ZX_INFO_JOB_PROCESSES, TASK_PROCESS, depth + 1);
        if (status == ZX_OK)
            status = visit_children(walk, handle, ZX_INFO_JOB_CHILDREN, TASK_JOB, depth + 1);
    }
    return status;
}

zx_status_t tasks_walk(zx_handle_t job, task_visitor_t visit, void *context)
{
    const struct walk walk = {visit, context};
    zx_info_handle_basic_t info;

    zx_status_t status =
        zx_object_get_info(job, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL);
    return status == ZX_OK ? visit_task(&walk, TASK_JOB, info.koid, job, 0) : status;
}

void object_name(zx_handle_t object, char *name)
{
    if (zx_object_get_property(object, ZX_PROP_NAME, name, ZX_MAX_NAME_LEN) != ZX_OK)
        name[0] = '\0';
}
