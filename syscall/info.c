/*
 * info.c - zx_object_get_info (rules, section 2, 72).
 *
 * A topic is a row: which object type it takes, which right, and a function that emits records. One
 * record or many, the counting and the copying are done in one place (struct info). Topics that
 * belong to one object type alone come from that type's ops table.
 */
#include <zircon/errors.h>
#include <zircon/exception.h>
#include <zircon/object.h>
#include <zircon/resource.h>

#include "aspace.h"
#include "executor.h"
#include "heap.h"
#include "job.h"
#include "resource.h"
#include "string.h"
#include "syscalls.h"
#include "vmar.h"
#include "vmo.h"

struct info {
    struct thread *self;
    struct object *object;
    struct handle *handle;
    struct user_ptr buffer;
    size_t size;       /* bytes of user buffer */
    size_t actual;     /* records copied */
    size_t avail;      /* records there are */
    zx_status_t status; /* first failure of a copy */
};

/* Counts a record and copies it if it fits. */
static void emit(struct info *info, const void *record, size_t size)
{
    if (info->status == ZX_OK && (info->actual + 1) * size <= info->size &&
        info->actual == info->avail) {
        info->status = user_write(info->self->process,
                                  user_at(info->buffer, info->actual * size), record, size);
        info->actual++;
    }
    info->avail++;
}

/* ---- Handles ------------------------------------------------------------------------------- */

static void info_handle_basic(struct info *info)
{
    struct object *object = info->object;
    zx_info_handle_basic_t record = {
        .koid = object->koid,
        .rights = info->handle->rights,
        .type = object->ops->type,
        .related_koid = object->ops->related_koid ? object->ops->related_koid(object) : 0,
        .props = object->ops->not_waitable ? 0 : ZX_OBJ_PROP_WAITABLE,
    };

    emit(info, &record, sizeof record);
}

static void info_handle_count(struct info *info)
{
    zx_info_handle_count_t record = {.handle_count = info->object->handles};

    emit(info, &record, sizeof record);
}

/* ---- Processes ----------------------------------------------------------------------------- */

static void info_process(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);
    zx_info_process_t record = {
        .return_code = process->return_code,
        .started = process->state != PROCESS_INITIAL,
        .exited = process->state >= PROCESS_DYING,
        .debugger_attached = exception_channel_is_live(&process->debugger_channel),
    };

    emit(info, &record, sizeof record);
}

static void info_process_threads(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);
    struct thread *thread;

    TAILQ_FOREACH (thread, &process->threads, process_link)
        emit(info, &thread->object.koid, sizeof thread->object.koid);
}

static bool count_type(zx_handle_t value, struct handle *handle, void *arg)
{
    zx_info_process_handle_stats_t *stats = arg;

    (void)value;
    stats->handle_count[handle->object->ops->type]++;
    return true;
}

static void info_process_handle_stats(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);
    zx_info_process_handle_stats_t record;

    memset(&record, 0, sizeof record);
    handle_table_visit(&process->handles, count_type, &record);
    emit(info, &record, sizeof record);
}

static bool emit_handle(zx_handle_t value, struct handle *handle, void *arg)
{
    struct object *object = handle->object;
    zx_info_handle_extended_t record = {
        .type = object->ops->type,
        .handle_value = value,
        .rights = handle->rights,
        .props = object->ops->not_waitable ? 0 : ZX_OBJ_PROP_WAITABLE,
        .koid = object->koid,
        .related_koid = object->ops->related_koid ? object->ops->related_koid(object) : 0,
    };

    emit(arg, &record, sizeof record);
    return true;
}

static void info_handle_table(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);

    handle_table_visit(&process->handles, emit_handle, info);
}

/* ---- Jobs ---------------------------------------------------------------------------------- */

static void info_job(struct info *info)
{
    struct job *job = container_of(info->object, struct job, object);
    zx_info_job_t record = {
        .return_code = job->return_code,
        .exited = job->state == JOB_DEAD,
        .kill_on_oom = job->kill_on_oom,
        .debugger_attached = exception_channel_is_live(&job->debugger_channel),
    };

    emit(info, &record, sizeof record);
}

static void info_job_children(struct info *info)
{
    struct job *job = container_of(info->object, struct job, object), *child;

    TAILQ_FOREACH (child, &job->jobs, sibling_link)
        emit(info, &child->object.koid, sizeof child->object.koid);
}

static void info_job_processes(struct info *info)
{
    struct job *job = container_of(info->object, struct job, object);
    struct process *process;

    TAILQ_FOREACH (process, &job->processes, job_link)
        emit(info, &process->object.koid, sizeof process->object.koid);
}

/* ---- Threads ------------------------------------------------------------------------------- */

static void info_thread(struct info *info)
{
    struct thread *thread = container_of(info->object, struct thread, object);
    zx_info_thread_t record = {
        .state = thread_info_state(thread),
        .wait_exception_channel_type = exception_channel_type(thread),
        .cpu_affinity_mask.mask[0] = thread->affinity,
    };

    emit(info, &record, sizeof record);
}

static void info_thread_exception_report(struct info *info)
{
    zx_exception_report_t record;

    info->status = exception_report(container_of(info->object, struct thread, object), &record);
    if (info->status == ZX_OK)
        emit(info, &record, sizeof record);
}

static void info_thread_stats(struct info *info)
{
    struct thread *thread = container_of(info->object, struct thread, object);
    zx_info_thread_stats_t record = {
        .total_runtime = thread_runtime(thread),
        .last_scheduled_cpu = thread->runtime ? 0 : ZX_INFO_INVALID_CPU,
    };

    emit(info, &record, sizeof record);
}

/* ---- Address spaces ------------------------------------------------------------------------ */

static void info_vmar(struct info *info)
{
    struct vmar *vmar = container_of(info->object, struct vmar, object);
    zx_info_vmar_t record = {.base = vmar->region.base, .len = vmar->region.size};

    emit(info, &record, sizeof record);
}

static void info_task_stats(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);
    zx_info_task_stats_t record;

    if (!process->aspace) {
        info->status = ZX_ERR_BAD_STATE;
        return;
    }
    aspace_task_stats(process->aspace, &record);
    emit(info, &record, sizeof record);
}

static void emit_map(const zx_info_maps_t *record, void *arg)
{
    emit(arg, record, sizeof *record);
}

static void info_process_maps(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);

    if (process->aspace)
        aspace_visit_maps(process->aspace, emit_map, info);
    else
        info->status = ZX_ERR_BAD_STATE;
}

static void emit_vmo(const zx_info_vmo_t *record, void *arg)
{
    emit(arg, record, sizeof *record);
}

static bool emit_handle_vmo(zx_handle_t value, struct handle *handle, void *arg)
{
    zx_info_vmo_t record;

    (void)value;
    if (handle->object->ops->type != ZX_OBJ_TYPE_VMO)
        return true;
    vmo_get_info(container_of(handle->object, struct vmo, object), &record);
    record.flags |= ZX_INFO_VMO_VIA_HANDLE;
    record.handle_rights = handle->rights;
    emit_vmo(&record, arg);
    return true;
}

static void info_process_vmos(struct info *info)
{
    struct process *process = container_of(info->object, struct process, object);

    if (process->state != PROCESS_RUNNING) {
        info->status = ZX_ERR_BAD_STATE;
        return;
    }
    handle_table_visit(&process->handles, emit_handle_vmo, info);
    aspace_visit_vmos(process->aspace, emit_vmo, info);
}

/* ---- System -------------------------------------------------------------------------------- */

static void info_cpu_stats(struct info *info)
{
    struct cpu *cpu = this_cpu();
    zx_info_cpu_stats_t record = {
        .flags = ZX_INFO_CPU_STATS_FLAG_ONLINE,
        .idle_time = cpu->idle_time,
        .context_switches = cpu->stats.switches,
        .ints = cpu->stats.interrupts,
        .page_faults = cpu->stats.page_faults,
        .syscalls = cpu->stats.syscalls,
    };

    emit(info, &record, sizeof record);
}

/* No CPU of this machine runs guests, so none of them has left one. */
static void info_guest_stats(struct info *info)
{
    for (uint32_t cpu = 0; cpu < kernel()->boot->num_cpus; cpu++) {
        zx_info_guest_stats_t record = {.cpu_number = cpu, .flags = ZX_INFO_CPU_STATS_FLAG_ONLINE};

        emit(info, &record, sizeof record);
    }
}

static void info_kmem_stats(struct info *info)
{
    struct hal_memory_stats memory;
    struct heap_stats heap;
    zx_info_kmem_stats_t record;

    hal_memory_stats(&memory);
    heap_stats(&heap);
    memset(&record, 0, sizeof record);
    record.total_bytes = memory.total_frames * HAL_PAGE_SIZE;
    record.free_bytes = memory.free_frames * HAL_PAGE_SIZE;
    record.total_heap_bytes = heap.held;
    record.free_heap_bytes = heap.held - heap.used;
    record.mmu_overhead_bytes = memory.page_table_frames * HAL_PAGE_SIZE;
    record.wired_bytes = memory.wired_frames * HAL_PAGE_SIZE;
    record.vmo_bytes = record.total_bytes - record.free_bytes - record.total_heap_bytes -
                       record.mmu_overhead_bytes - record.wired_bytes;
    emit(info, &record, sizeof record);
}

/* ---- The table ----------------------------------------------------------------------------- */

struct topic {
    void (*fill)(struct info *info);
    zx_obj_type_t type; /* ZX_OBJ_TYPE_NONE: any */
    zx_rights_t rights;
    bool many;           /* an array; otherwise one record of `size` bytes */
    size_t size;
    bool root_resource;  /* the handle must be a root resource */
};

#define ONE(record) .size = sizeof(record)
#define MANY .many = true
#define ANY ZX_OBJ_TYPE_NONE
#define INSPECT ZX_RIGHT_INSPECT
#define ENUMERATE ZX_RIGHT_ENUMERATE

static const struct topic topics[] = {
    [ZX_INFO_HANDLE_BASIC] = {info_handle_basic, ANY, 0, ONE(zx_info_handle_basic_t)},
    [ZX_INFO_HANDLE_COUNT] = {info_handle_count, ANY, INSPECT, ONE(zx_info_handle_count_t)},
    [ZX_INFO_PROCESS] = {info_process, ZX_OBJ_TYPE_PROCESS, INSPECT, ONE(zx_info_process_t)},
    [ZX_INFO_PROCESS_THREADS] = {info_process_threads, ZX_OBJ_TYPE_PROCESS, ENUMERATE, MANY},
    [ZX_INFO_PROCESS_HANDLE_STATS] = {info_process_handle_stats, ZX_OBJ_TYPE_PROCESS, INSPECT,
                                      ONE(zx_info_process_handle_stats_t)},
    [ZX_INFO_HANDLE_TABLE] = {info_handle_table, ZX_OBJ_TYPE_PROCESS,
                              INSPECT | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD, MANY},
    [ZX_INFO_JOB] = {info_job, ZX_OBJ_TYPE_JOB, INSPECT, ONE(zx_info_job_t)},
    [ZX_INFO_JOB_CHILDREN] = {info_job_children, ZX_OBJ_TYPE_JOB, ENUMERATE, MANY},
    [ZX_INFO_JOB_PROCESSES] = {info_job_processes, ZX_OBJ_TYPE_JOB, ENUMERATE, MANY},
    [ZX_INFO_THREAD] = {info_thread, ZX_OBJ_TYPE_THREAD, INSPECT, ONE(zx_info_thread_t)},
    [ZX_INFO_THREAD_EXCEPTION_REPORT] = {info_thread_exception_report, ZX_OBJ_TYPE_THREAD, INSPECT,
                                         ONE(zx_exception_report_t)},
    [ZX_INFO_THREAD_STATS] = {info_thread_stats, ZX_OBJ_TYPE_THREAD, INSPECT,
                              ONE(zx_info_thread_stats_t)},
    [ZX_INFO_VMAR] = {info_vmar, ZX_OBJ_TYPE_VMAR, INSPECT, ONE(zx_info_vmar_t)},
    [ZX_INFO_TASK_STATS] = {info_task_stats, ZX_OBJ_TYPE_PROCESS, INSPECT,
                            ONE(zx_info_task_stats_t)},
    [ZX_INFO_PROCESS_MAPS] = {info_process_maps, ZX_OBJ_TYPE_PROCESS, INSPECT, MANY},
    [ZX_INFO_PROCESS_VMOS] = {info_process_vmos, ZX_OBJ_TYPE_PROCESS, INSPECT, MANY},
    [ZX_INFO_CPU_STATS] = {info_cpu_stats, ANY, 0, MANY, .root_resource = true},
    [ZX_INFO_GUEST_STATS] = {info_guest_stats, ANY, 0, MANY, .root_resource = true},
    [ZX_INFO_KMEM_STATS] = {info_kmem_stats, ANY, 0, ONE(zx_info_kmem_stats_t),
                            .root_resource = true},
};

/* A topic that one object type answers from its ops table; all but VMO's want INSPECT. */
static zx_status_t fill_typed(struct info *info, uint32_t topic, size_t *record_size)
{
    const struct object_ops *ops = info->object->ops;
    uint8_t record[128];

    if (ops->info_topic != topic)
        return ZX_ERR_WRONG_TYPE;
    if (topic != ZX_INFO_VMO && !(info->handle->rights & ZX_RIGHT_INSPECT))
        return ZX_ERR_ACCESS_DENIED;
    memset(record, 0, sizeof record);
    ops->get_info(info->object, record);
    if (topic == ZX_INFO_VMO)
        ((zx_info_vmo_t *)(void *)record)->handle_rights = info->handle->rights;
    *record_size = ops->info_size;
    emit(info, record, ops->info_size);
    return ZX_OK;
}

static bool is_typed_topic(uint32_t topic)
{
    return topic == ZX_INFO_RESOURCE || topic == ZX_INFO_BTI || topic == ZX_INFO_SOCKET ||
           topic == ZX_INFO_VMO || topic == ZX_INFO_TIMER || topic == ZX_INFO_STREAM ||
           topic == ZX_INFO_MSI;
}

static zx_status_t fill_from_table(struct info *info, const struct topic *topic,
                                   zx_handle_t handle)
{
    if (topic->root_resource) {
        zx_status_t status =
            resource_check(info->self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);
        if (status != ZX_OK)
            return status;
    }
    if (topic->type != ANY && info->object->ops->type != topic->type)
        return ZX_ERR_WRONG_TYPE;
    if ((info->handle->rights & topic->rights) != topic->rights)
        return ZX_ERR_ACCESS_DENIED;
    topic->fill(info);
    return info->status;
}

static zx_status_t write_counts(struct info *info, struct user_ptr actual, struct user_ptr avail)
{
    zx_status_t status =
        user_write_opt(info->self->process, actual, &info->actual, sizeof info->actual);

    if (status == ZX_OK)
        status = user_write_opt(info->self->process, avail, &info->avail, sizeof info->avail);
    return status;
}

int64_t sys_object_get_info(struct thread *self, zx_handle_t handle, uint32_t topic,
                            struct user_ptr buffer, size_t buffer_size, struct user_ptr actual,
                            struct user_ptr avail)
{
    struct info info = {.self = self, .buffer = buffer, .size = buffer_size};
    const struct topic *row = NULL;
    bool many = false;
    size_t record_size = 0;
    zx_status_t status;

    info.handle = handle_find(self->process, handle);
    if (topic == ZX_INFO_HANDLE_VALID)
        return info.handle ? ZX_OK : ZX_ERR_BAD_HANDLE;
    if (topic < sizeof topics / sizeof topics[0] && topics[topic].fill)
        row = &topics[topic];
    else if (!is_typed_topic(topic))
        return ZX_ERR_NOT_SUPPORTED;
    status = handle_get(self->process, handle, ANY, 0, &info.object);
    if (status != ZX_OK)
        return status;
    if (row) {
        status = fill_from_table(&info, row, handle);
        many = row->many;
        record_size = row->size;
    } else {
        status = fill_typed(&info, topic, &record_size);
    }
    if (status == ZX_OK)
        status = info.status;
    if (status != ZX_OK)
        return status;
    /* HANDLE_TABLE without a buffer asks for the number of handles. */
    if (topic == ZX_INFO_HANDLE_TABLE && user_null(buffer))
        info.actual = info.avail;
    status = write_counts(&info, actual, avail);
    if (status == ZX_OK && !many && buffer_size < record_size)
        return ZX_ERR_BUFFER_TOO_SMALL;
    return status;
}
