/*
 * helpers.h - what the tests of the waiting and message objects share, on top of the fixture.
 */
#ifndef ZVMM_TESTS_HELPERS_H
#define ZVMM_TESTS_HELPERS_H

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zircon/errors.h>

#include "event.h"
#include "heap.h"
#include "syscalls.h"

#define SELF      fix.thread
#define U(offset) fixture_user(offset)
#define BAD       ((struct user_ptr){0x1000}) /* no user address */
#define NONE      ((struct user_ptr){0})

#define assert_status(got, expected) assert_int_equal((int32_t)(got), (int32_t)(expected))

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline uint32_t u32_at(size_t offset)
{
    uint32_t value;

    fixture_peek(offset, &value, sizeof value);
    return value;
}

static inline uint64_t u64_at(size_t offset)
{
    uint64_t value;

    fixture_peek(offset, &value, sizeof value);
    return value;
}

static inline bool valid(zx_handle_t handle)
{
    return handle_find(fix.process, handle) != NULL;
}

static inline struct object *object_of(zx_handle_t handle)
{
    struct handle *slot = handle_find(fix.process, handle);

    assert_non_null(slot);
    return slot->object;
}

static inline zx_signals_t signals_of(zx_handle_t handle)
{
    return object_of(handle)->signals;
}

static inline void close_handle(zx_handle_t handle)
{
    assert_status(handle_close(fix.process, handle), ZX_OK);
}

static inline zx_handle_t new_event(zx_rights_t rights)
{
    struct event *event;

    assert_status(event_create(&event), ZX_OK);
    return fixture_give(&event->object, rights);
}

/* The same handle value with other rights. */
static inline zx_handle_t with_rights(zx_handle_t handle, zx_rights_t rights)
{
    struct handle_ref ref;
    zx_handle_t value;

    assert_status(handle_remove(fix.process, handle, &ref), ZX_OK);
    ref.rights = rights;
    assert_status(handle_install(fix.process, ref, &value), ZX_OK);
    return value;
}

/* Lets `thread` die, and drops the reference that fixture_thread gave. */
static inline void end_thread(struct thread *thread)
{
    thread_kill(thread);
    if (thread->state != THREAD_DEAD) {
        struct thread *before = fix.cpu.current;

        fixture_run(thread);
        fix.cpu.current = before;
    }
    assert_int_equal(thread->state, THREAD_DEAD);
    object_release(&thread->object);
}

/* Runs a system call as another thread: AS(thread, sys_...(thread, ...)). */
#define AS(who, call)                                                                              \
    ({                                                                                             \
        struct thread *as_before = fix.cpu.current;                                                \
        int64_t as_result;                                                                         \
        fix.cpu.current = (who);                                                                   \
        as_result = (call);                                                                        \
        fix.cpu.current = as_before;                                                               \
        as_result;                                                                                 \
    })

static inline size_t heap_used(void)
{
    struct heap_stats stats;

    heap_stats(&stats);
    return stats.used;
}

#endif
