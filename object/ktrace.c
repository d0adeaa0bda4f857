/*
 * ktrace.c - the kernel trace.
 */
#include "ktrace.h"

#include <hal.h>
#include <zircon/errors.h>

#include "executor.h"
#include "heap.h"
#include "job.h"
#include "process.h"
#include "string.h"
#include "thread.h"

struct ktrace ktrace;

/* Room for a record; NULL if there is none, and then nothing is recorded any more. */
static void *claim(uint32_t tag)
{
    uint32_t bytes = KTRACE_LEN(tag);
    void *record;

    if (!ktrace.buffer)
        return NULL;
    if (bytes > KTRACE_BUFFER_SIZE - ktrace.length) {
        ktrace.groups = 0;
        return NULL;
    }
    record = ktrace.buffer + ktrace.length;
    ktrace.length += bytes;
    return record;
}

void ktrace_append(uint32_t tag, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const struct thread *thread = this_cpu()->current;
    uint32_t bytes = KTRACE_LEN(tag), tid = thread ? (uint32_t)thread->object.koid : 0;
    ktrace_rec_32b_t record = {.tag = tag,
                               .tid = bytes > 16 ? tid : a,
                               .ts = (uint64_t)hal_ticks(),
                               .a = a,
                               .b = b,
                               .c = c,
                               .d = d};
    void *place = claim(tag);

    if (place)
        memcpy(place, &record, bytes);
}

void ktrace_append_name(uint32_t tag, uint32_t id, uint32_t arg, const char *name)
{
    ktrace_rec_name_t *record = claim(tag);
    size_t length = strnlen(name, sizeof record->name - 1);

    if (!record)
        return;
    memset(record, 0, sizeof *record);
    record->tag = tag;
    record->id = id;
    record->arg = arg;
    memcpy(record->name, name, length);
}

/* ---- Names of what there is ----------------------------------------------------------------- */

static void name_process(const struct process *process)
{
    const struct thread *thread;
    uint32_t pid = (uint32_t)process->object.koid;

    ktrace_append_name(KTRACE_TAG_PROC_NAME, pid, 0, process->name);
    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (ktrace.length > KTRACE_BUFFER_SIZE / 2)
            return; /* leave room for events */
        ktrace_append_name(KTRACE_TAG_THREAD_NAME, (uint32_t)thread->object.koid, pid,
                           thread->name);
    }
}

/* No deeper than jobs can nest. */
static void name_job(const struct job *job)
{
    const struct process *process;
    const struct job *child;

    TAILQ_FOREACH(process, &job->processes, job_link)
        name_process(process);
    TAILQ_FOREACH(child, &job->jobs, sibling_link)
        name_job(child);
}

/* ---- Control -------------------------------------------------------------------------------- */

zx_status_t ktrace_rewind(void)
{
    uint64_t ticks_per_ms = kernel()->boot->ticks_per_second / 1000;

    if (!ktrace.buffer)
        ktrace.buffer = heap_alloc(KTRACE_BUFFER_SIZE);
    if (!ktrace.buffer)
        return ZX_ERR_NO_MEMORY;
    ktrace.length = 0;
    ktrace_append(KTRACE_TAG_VERSION, KTRACE_VERSION, 0, 0, 0);
    ktrace_append(KTRACE_TAG_TICKS_PER_MS, (uint32_t)ticks_per_ms, (uint32_t)(ticks_per_ms >> 32),
                  0, 0);
    for (uint32_t i = 0; i < ktrace.probe_count; i++)
        ktrace_append_name(KTRACE_TAG_PROBE_NAME, i + 1, 0, ktrace.probes[i]);
    return ZX_OK;
}

zx_status_t ktrace_start(uint32_t groups)
{
    zx_status_t status = ktrace.buffer ? ZX_OK : ktrace_rewind();

    if (status != ZX_OK)
        return status;
    ktrace.groups = groups ? groups : KTRACE_GRP_ALL;
    name_job(kernel()->root_job);
    return ZX_OK;
}

void ktrace_stop(void)
{
    ktrace.groups = 0;
}

int64_t ktrace_probe(const char name[ZX_MAX_NAME_LEN])
{
    uint32_t i;

    for (i = 0; i < ktrace.probe_count; i++)
        if (memcmp(ktrace.probes[i], name, ZX_MAX_NAME_LEN) == 0)
            return i + 1;
    if (i == KTRACE_PROBES)
        return ZX_ERR_NO_RESOURCES;
    memcpy(ktrace.probes[i], name, ZX_MAX_NAME_LEN);
    ktrace.probe_count++;
    ktrace_append_name(KTRACE_TAG_PROBE_NAME, i + 1, 0, name);
    return i + 1;
}

zx_status_t ktrace_write_probe(uint32_t id, uint32_t a, uint32_t b)
{
    uint32_t before = ktrace.length;

    KTRACE(KTRACE_TAG_PROBE(id), a, b, 0, 0);
    return ktrace.length > before ? ZX_OK : ZX_ERR_UNAVAILABLE;
}
