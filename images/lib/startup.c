/*
 * The handles of the start-up message.
 */
#include "startup.h"
#include "thread.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/process.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>

static struct {
    _Atomic zx_handle_t *handles; /* ZX_HANDLE_INVALID where one was taken */
    const uint32_t *infos;
    size_t count;
} startup;

void startup_handles_set(zx_handle_t *handles, const uint32_t *infos, size_t count)
{
    startup.handles = (_Atomic zx_handle_t *)handles;
    startup.infos = infos;
    startup.count = count;
}

static _Atomic zx_handle_t *find(uint32_t info)
{
    for (size_t i = 0; i < startup.count; i++) {
        if (startup.infos[i] == info && startup.handles[i] != ZX_HANDLE_INVALID)
            return &startup.handles[i];
    }
    return NULL;
}

zx_handle_t zx_get_startup_handle(uint32_t info)
{
    _Atomic zx_handle_t *place = find(info);

    return place ? *place : ZX_HANDLE_INVALID;
}

static bool is_our_own(uint32_t info)
{
    switch (PA_HND_TYPE(info)) {
    case PA_PROC_SELF:
    case PA_THREAD_SELF:
    case PA_VMAR_ROOT:
    case PA_JOB_DEFAULT:
        return true;
    }
    return false;
}

zx_handle_t zx_take_startup_handle(uint32_t info)
{
    _Atomic zx_handle_t *place = is_our_own(info) ? NULL : find(info);

    return place ? atomic_exchange(place, ZX_HANDLE_INVALID) : ZX_HANDLE_INVALID;
}

size_t startup_handles_duplicate(zx_handle_t *handles, uint32_t *infos, size_t capacity)
{
    size_t count = 0;

    for (size_t i = 0; i < startup.count && count < capacity; i++) {
        if (is_our_own(startup.infos[i]) || startup.handles[i] == ZX_HANDLE_INVALID)
            continue;
        /* One that must not be duplicated is not inherited. */
        if (zx_handle_duplicate(startup.handles[i], ZX_RIGHT_SAME_RIGHTS, &handles[count]) == ZX_OK)
            infos[count++] = startup.infos[i];
    }
    return count;
}

zx_handle_t zx_process_self(void)
{
    return zx_get_startup_handle(PA_HND(PA_PROC_SELF, 0));
}

zx_handle_t zx_vmar_root_self(void)
{
    return zx_get_startup_handle(PA_HND(PA_VMAR_ROOT, 0));
}

zx_handle_t zx_job_default(void)
{
    return zx_get_startup_handle(PA_HND(PA_JOB_DEFAULT, 0));
}

zx_handle_t zx_thread_self(void)
{
    return thread_self()->handle;
}
