/*
 * fixture.c - the kernel that unit tests start from.
 */
#include "fixture.h"

#include <cmocka.h>

#include <zircon/errors.h>

#include "aspace.h"
#include "debuglog.h"
#include "heap.h"
#include "ktrace.h"
#include "resource.h"
#include "vmar.h"
#include "vmo.h"

struct fixture fix;

static void map_user_memory(void)
{
    struct vmo *vmo;

    assert_int_equal(vmo_create(USER_BYTES, 0, &vmo), ZX_OK);
    assert_int_equal(vmar_map(fix.process->aspace->root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                              vmo, 0, USER_BYTES, &fix.user),
                     ZX_OK);
    object_release(&vmo->object);
}

int fixture_setup(void **state)
{
    struct heap_stats heap;
    struct handle_ref none = {NULL, 0};

    (void)state;
    fake_reset(0, 1);
    heap_stats(&heap);
    fix = (struct fixture){.heap_before = heap.used, .frames_before = fake_frames_in_use()};
    fix.kernel.next_koid = ZX_KOID_FIRST;
    fix.kernel.boot = &fake_boot;
    TAILQ_INIT(&fix.kernel.console_readers);
    executor_init(&fix.cpu, &fix.kernel);
    assert_int_equal(debuglog_create(4096, &fix.kernel.log), ZX_OK);
    assert_int_equal(job_create(NULL, &fix.kernel.root_job), ZX_OK);
    assert_int_equal(resource_create_root(&fix.kernel.root_resource), ZX_OK);
    assert_int_equal(process_create(fix.kernel.root_job, "test", &fix.process), ZX_OK);
    assert_int_equal(thread_create(fix.process, "main", &fix.thread), ZX_OK);
    assert_int_equal(process_start(fix.process, fix.thread, 0x2000000, 0x3000000, none, 0), ZX_OK);
    map_user_memory();
    assert_ptr_equal(executor_take(&fix.cpu), fix.thread);
    fix.cpu.current = fix.thread;
    return 0;
}

struct thread *fixture_thread(void)
{
    struct thread *thread;

    assert_int_equal(thread_create(fix.process, "extra", &thread), ZX_OK);
    assert_int_equal(thread_start(thread, 0x2000000, 0x3000000, 0, 0), ZX_OK);
    executor_remove(thread);
    return thread;
}

bool fixture_run(struct thread *thread)
{
    executor_remove(thread);
    fix.cpu.current = thread;
    fix.cpu.resched = false;
    if (thread_settle(thread))
        return true;
    if (thread->state == THREAD_DEAD)
        object_release(&thread->object);
    return false;
}

void fixture_settle_all(void)
{
    struct thread *before = fix.cpu.current, *thread;

    while ((thread = executor_take(&fix.cpu)))
        fixture_run(thread);
    fix.cpu.current = before;
}

zx_status_t fixture_result(const struct thread *thread)
{
    return (zx_status_t)thread->context.regs.rax;
}

void fixture_advance(zx_duration_t by)
{
    fake_advance(by);
    timerq_expire(&fix.cpu.timers, hal_now());
}

struct user_ptr fixture_user(size_t offset)
{
    return (struct user_ptr){fix.user + offset};
}

void fixture_poke(size_t offset, const void *from, size_t length)
{
    assert_int_equal(user_write(fix.process, fixture_user(offset), from, length), ZX_OK);
}

void fixture_peek(size_t offset, void *to, size_t length)
{
    assert_int_equal(user_read(fix.process, to, fixture_user(offset), length), ZX_OK);
}

zx_handle_t fixture_handle_at(size_t offset)
{
    zx_handle_t value;

    fixture_peek(offset, &value, sizeof value);
    return value;
}

zx_handle_t fixture_give(struct object *object, zx_rights_t rights)
{
    zx_handle_t value;

    assert_int_equal(handle_create(fix.process, object, rights, &value), ZX_OK);
    object_release(object);
    return value;
}

int fixture_teardown(void **state)
{
    struct heap_stats heap;

    (void)state;
    process_kill(fix.process, 0);
    fixture_settle_all();
    /* Threads that a test took out of the queue die on their way back to user mode. */
    while (fix.process->state != PROCESS_DEAD)
        fixture_run(TAILQ_FIRST(&fix.process->threads));
    fix.cpu.current = NULL;
    assert_int_equal(fix.process->state, PROCESS_DEAD);
    object_release(&fix.thread->object);
    assert_int_equal(fix.process->object.refs, 1);
    object_release(&fix.process->object);
    object_release(&fix.kernel.root_resource->object);
    object_release(&fix.kernel.root_job->object);
    debuglog_destroy(fix.kernel.log);
    heap_free(ktrace.buffer); /* the kernel keeps it for ever */
    ktrace = (struct ktrace){.groups = 0};
    heap_stats(&heap);
    assert_int_equal(heap.used, fix.heap_before);
    assert_int_equal(fake_frames_in_use(), fix.frames_before);
    return 0;
}
