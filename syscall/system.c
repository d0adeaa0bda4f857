/*
 * system.c - power, and the calls that test the calling convention.
 */
#include <hal.h>
#include <zircon/errors.h>
#include <zircon/log.h>
#include <zircon/object.h>
#include <zircon/policy.h>
#include <zircon/resource.h>

#include "event.h"
#include "executor.h"
#include "resource.h"
#include "syscalls.h"

int64_t sys_system_powerctl(struct thread *self, zx_handle_t resource, uint32_t cmd,
                            struct user_ptr arg)
{
    zx_status_t status = resource_check(self->process, resource, ZX_RSRC_KIND_ROOT, 0, 0);

    (void)arg;
    if (status != ZX_OK)
        return status;
    switch (cmd) {
    case ZX_SYSTEM_POWERCTL_REBOOT:
    case ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER:
    case ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY:
    case ZX_SYSTEM_POWERCTL_SHUTDOWN:
        hal_exit(kernel()->exit_code);
    case ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS:
    case ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY:
        return ZX_OK; /* there is one CPU, and it is the primary */
    case ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE:
    case ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1:
        return ZX_ERR_NOT_SUPPORTED;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* Sums wrap like unsigned numbers: the callers only look for lost or swapped arguments. */
#define SUM2(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))

int64_t sys_syscall_test_0(struct thread *self)
{
    (void)self;
    return 0;
}

int64_t sys_syscall_test_1(struct thread *self, int32_t a)
{
    (void)self;
    return a;
}

int64_t sys_syscall_test_2(struct thread *self, int32_t a, int32_t b)
{
    (void)self;
    return SUM2(a, b);
}

int64_t sys_syscall_test_3(struct thread *self, int32_t a, int32_t b, int32_t c)
{
    return SUM2(sys_syscall_test_2(self, a, b), c);
}

int64_t sys_syscall_test_4(struct thread *self, int32_t a, int32_t b, int32_t c, int32_t d)
{
    return SUM2(sys_syscall_test_3(self, a, b, c), d);
}

int64_t sys_syscall_test_5(struct thread *self, int32_t a, int32_t b, int32_t c, int32_t d,
                           int32_t e)
{
    return SUM2(sys_syscall_test_4(self, a, b, c, d), e);
}

int64_t sys_syscall_test_6(struct thread *self, int32_t a, int32_t b, int32_t c, int32_t d,
                           int32_t e, int32_t f)
{
    return SUM2(sys_syscall_test_5(self, a, b, c, d, e), f);
}

int64_t sys_syscall_test_7(struct thread *self, int32_t a, int32_t b, int32_t c, int32_t d,
                           int32_t e, int32_t f, int32_t g_)
{
    return SUM2(sys_syscall_test_6(self, a, b, c, d, e, f), g_);
}

int64_t sys_syscall_test_8(struct thread *self, int32_t a, int32_t b, int32_t c, int32_t d,
                           int32_t e, int32_t f, int32_t g_, int32_t h)
{
    return SUM2(sys_syscall_test_7(self, a, b, c, d, e, f, g_), h);
}

int64_t sys_syscall_test_wrapper(struct thread *self, int32_t a, int32_t b, int32_t c)
{
    return sys_syscall_test_3(self, a, b, c);
}

/* Makes an event, but gives it out only if `return_value` is ZX_OK. */
int64_t sys_syscall_test_handle_create(struct thread *self, zx_status_t return_value,
                                       struct user_ptr out)
{
    struct event *event;
    zx_status_t status = event_create(&event);

    if (status != ZX_OK)
        return status;
    if (return_value != ZX_OK) {
        object_release(&event->object);
        return return_value;
    }
    return handle_return(self->process, &event->object, ZX_DEFAULT_EVENT_RIGHTS, out);
}
