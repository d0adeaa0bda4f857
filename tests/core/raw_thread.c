/*
 * Threads of this process without a library.
 */
#include "raw_thread.h"

struct raw_thread raw_make(void)
{
    struct raw_thread t;
    zx_handle_t vmo;

    ASSERT_OK(zx_thread_create(zx_process_self(), "raw", 3, 0, &t.handle));
    ASSERT_OK(zx_vmo_create(RAW_STACK_SIZE, 0, &vmo));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                          RAW_STACK_SIZE, &t.stack));
    CLOSE(vmo);
    return t;
}

zx_status_t raw_start(const struct raw_thread *t, raw_function_t function, uintptr_t argument1,
                      uintptr_t argument2)
{
    return zx_thread_start(t->handle, (uintptr_t)function, t->stack + RAW_STACK_SIZE - 8, argument1,
                           argument2);
}

struct raw_thread raw_run(raw_function_t function, uintptr_t argument1, uintptr_t argument2)
{
    struct raw_thread t = raw_make();

    ASSERT_OK(raw_start(&t, function, argument1, argument2));
    return t;
}

void raw_join(struct raw_thread *t)
{
    EXPECT_OK(zx_object_wait_one(t->handle, ZX_THREAD_TERMINATED, soon(), NULL));
    CLOSE(t->handle);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), t->stack, RAW_STACK_SIZE));
}

uint32_t raw_state(const struct raw_thread *t)
{
    zx_info_thread_t info = {.state = UINT32_MAX};

    EXPECT_OK(zx_object_get_info(t->handle, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    return info.state;
}

zx_handle_t raw_suspend(const struct raw_thread *t)
{
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(t->handle, &token));
    ASSERT_OK(zx_object_wait_one(t->handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    return token;
}

void raw_resume(const struct raw_thread *t, zx_handle_t token)
{
    CLOSE(token);
    ASSERT_OK(zx_object_wait_one(t->handle, ZX_THREAD_RUNNING | ZX_THREAD_TERMINATED, soon(),
                                 NULL));
}
