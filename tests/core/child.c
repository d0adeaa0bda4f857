/*
 * Child processes for tests.
 */
#include "child.h"

#include "new_process.h"

#define STACK_SIZE 0x4000u

extern const char __start_child_code[] __attribute__((visibility("hidden")));
extern const char __stop_child_code[] __attribute__((visibility("hidden")));

void child_exits(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    calls->process_exit((int64_t)calls->argument);
}

void child_sleeps(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    for (;;)
        calls->nanosleep(ZX_TIME_INFINITE);
}

void child_spins(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    (void)calls;
    for (;;)
        __asm__ volatile("");
}

/* The same vDSO is mapped somewhere else there. */
static struct child_calls calls_at(zx_vaddr_t vdso_base, uint64_t argument)
{
    uintptr_t ours = 0;

    ASSERT_OK(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &ours,
                                     sizeof(ours)));
#define THERE(call) (__typeof__(zx_##call) *)((uintptr_t)zx_##call - ours + vdso_base)
    return (struct child_calls){
        .channel_read = THERE(channel_read),
        .channel_write = THERE(channel_write),
        .handle_close = THERE(handle_close),
        .nanosleep = THERE(nanosleep),
        .object_wait_one = THERE(object_wait_one),
        .process_exit = THERE(process_exit),
        .thread_exit = THERE(thread_exit),
        .vmo_create = THERE(vmo_create),
        .channel_create = THERE(channel_create),
        .event_create = THERE(event_create),
        .eventpair_create = THERE(eventpair_create),
        .port_create = THERE(port_create),
        .socket_create = THERE(socket_create),
        .fifo_create = THERE(fifo_create),
        .timer_create = THERE(timer_create),
        .task_kill = THERE(task_kill),
        .argument = argument,
    };
#undef THERE
}

static zx_vaddr_t map_code(zx_handle_t root_vmar)
{
    size_t size = (size_t)(__stop_child_code - __start_child_code);
    zx_vaddr_t address = 0;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(size, 0, &vmo));
    ASSERT_OK(zx_vmo_write(vmo, __start_child_code, 0, size));
    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo));
    ASSERT_OK(
        zx_vmar_map(root_vmar, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, vmo, 0, size, &address));
    CLOSE(vmo);
    return address;
}

/* A stack, at whose low end the calls are. */
static zx_vaddr_t map_stack(zx_handle_t root_vmar, const struct child_calls *calls,
                            zx_handle_t *vmo)
{
    zx_vaddr_t address = 0;

    ASSERT_OK(zx_vmo_create(STACK_SIZE, 0, vmo));
    ASSERT_OK(zx_vmo_write(*vmo, calls, 0, sizeof(*calls)));
    ASSERT_OK(zx_vmar_map(root_vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, *vmo, 0, STACK_SIZE,
                          &address));
    return address;
}

struct prepared_child child_prepare(zx_handle_t job, child_function_t function, uint64_t argument)
{
    zx_handle_t in = job != ZX_HANDLE_INVALID ? job : zx_job_default();
    struct prepared_child prepared;
    struct new_process p;

    ASSERT_OK(new_process_create(&p, in, "child"));
    ASSERT_OK(new_process_load_vdso(&p, zx_get_startup_handle(PA_HND(PA_VMO_VDSO, 0))));
    struct child_calls calls = calls_at(p.vdso_base, argument);
    zx_vaddr_t code = map_code(p.root_vmar);
    zx_vaddr_t stack = map_stack(p.root_vmar, &calls, &prepared.stack);
    prepared.child = (struct child){p.process, p.root_vmar, p.thread, p.channel};
    prepared.its_channel = p.child_channel;
    prepared.entry = code + (uintptr_t)function - (uintptr_t)__start_child_code;
    prepared.stack_pointer = stack + STACK_SIZE - 8;
    prepared.calls = stack;
    return prepared;
}

void child_set_argument(const struct prepared_child *prepared, uint64_t argument)
{
    ASSERT_OK(zx_vmo_write(prepared->stack, &argument, offsetof(struct child_calls, argument),
                           sizeof(argument)));
}

void child_run(struct prepared_child *prepared)
{
    CLOSE(prepared->stack);
    ASSERT_OK(zx_process_start(prepared->child.process, prepared->child.thread, prepared->entry,
                               prepared->stack_pointer, prepared->its_channel, prepared->calls));
}

struct child child_start(zx_handle_t job, child_function_t function, uint64_t argument)
{
    struct prepared_child prepared = child_prepare(job, function, argument);

    child_run(&prepared);
    return prepared.child;
}

int64_t child_wait(const struct child *child)
{
    zx_info_process_t info = {.return_code = INT64_MIN};

    EXPECT_OK(zx_object_wait_one(child->process, ZX_PROCESS_TERMINATED, soon(), NULL));
    EXPECT_OK(zx_object_get_info(child->process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    return info.return_code;
}

void child_close(struct child *child)
{
    zx_task_kill(child->process);
    CLOSE(child->channel);
    CLOSE(child->thread);
    CLOSE(child->root_vmar);
    CLOSE(child->process);
}
