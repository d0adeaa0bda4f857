/*
 * test_zcore_faults.c - faults that were reproduced in zCore, another kernel with Zircon's system
 * calls: one test each, so that this kernel does not have them. The file runs in a few seconds.
 *
 *   a write lost in a tree of slices and clones; resizing  clone_trees_keep_their_content
 *   with clones panics
 *   a grown clone of a clone shows the parent's next page  grown_clone_shows_no_more_of_its_parent
 *   a chain of 100,000 clones overflows the stack          deep_clone_chain
 *   reading through 64 clones takes ten times as long      depth_costs_nothing
 *   a wake-up is lost                                      no_wake_up_is_lost
 *   expired waits stay linked                              expired_waits_leave_nothing
 *   a reply of a channel call is lost                      no_reply_is_lost
 *   a channel that holds its own peer is never freed       channel_that_holds_its_peer_is_freed
 *   a full-duplex socket deadlocks                         full_duplex_socket
 *   futex entries are never freed                          futex_entries_are_freed
 *   futex wake reports one woken when there was none       futex_wake_without_waiter
 *   a live handle value is issued again after 2^30         live_handle_value_is_never_issued_again
 *   kernel crash: an unknown VMO operation                 unknown_vmo_operation
 *   kernel crash: a huge length                            huge_vmo_lengths
 *   kernel crash: any bad pointer but null                 bad_pointers
 *   commit out of range succeeds                           commit_out_of_range
 *   vmo_create of 2^64-1 makes an empty VMO                vmo_too_large
 *   queues have no limit                                   queues_are_limited
 *   port_cancel does nothing                               port_cancel_cancels
 */
#include "channel_helpers.h"

#include <time.h>
#include <zircon/exception.h>
#include <zircon/vm.h>

#include "aspace.h"
#include "futex.h"
#include "port.h"
#include "resource.h"
#include "socket.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE     4096ull
#define FUTEX_AT 0x100

static zx_handle_t out(void)
{
    return fixture_handle_at(OUT0);
}

static zx_handle_t new_vmo(uint64_t size)
{
    assert_status(sys_vmo_create(SELF, size, ZX_VMO_RESIZABLE, U(OUT0)), ZX_OK);
    return out();
}

static zx_handle_t new_port(void)
{
    assert_status(sys_port_create(SELF, 0, U(OUT0)), ZX_OK);
    return out();
}

/* ---- Clones -------------------------------------------------------------------------------- */

enum { MAX_PAGES = 8, MAX_VMOS = 12, SEEDS = 1200, STEPS = 200 };

/* What a VMO must show. Slices share it with the VMO they are made of. */
struct content {
    unsigned refs, pages;
    uint32_t value[MAX_PAGES];
};

static struct view {
    struct vmo *vmo; /* NULL: free */
    struct content *content;
    unsigned first, pages; /* of the content; a slice's */
    bool slice, resizable;
} views[MAX_VMOS];

static unsigned pick(unsigned n)
{
    return (unsigned)rand() % n;
}

static unsigned pages_of(const struct view *v)
{
    return v->slice ? v->pages : v->content->pages;
}

static void check_view(const struct view *v)
{
    for (unsigned i = 0; i < pages_of(v); i++) {
        uint32_t value;

        assert_status(vmo_read(v->vmo, &value, i * PAGE, sizeof value), ZX_OK);
        assert_int_equal(value, v->content->value[v->first + i]);
    }
}

static struct view *free_view(void)
{
    for (int i = 0; i < MAX_VMOS; i++)
        if (!views[i].vmo)
            return &views[i];
    return NULL;
}

static struct content *new_content(unsigned pages)
{
    struct content *content = calloc(1, sizeof *content);

    content->refs = 1;
    content->pages = pages;
    return content;
}

static void drop_view(struct view *v)
{
    object_release(&v->vmo->object);
    if (--v->content->refs == 0)
        free(v->content);
    v->vmo = NULL;
}

static void create_view(struct view *to)
{
    unsigned pages = 1 + pick(MAX_PAGES);
    bool resizable = pick(2);

    assert_status(vmo_create(pages * PAGE, resizable ? VMO_RESIZABLE : 0, &to->vmo), ZX_OK);
    to->content = new_content(pages);
    to->first = 0;
    to->slice = false;
    to->resizable = resizable;
}

static void clone_view(const struct view *v, struct view *to)
{
    unsigned first = pick(pages_of(v)), pages = 1 + pick(MAX_PAGES);
    uint32_t options = ZX_VMO_CHILD_SNAPSHOT | (pick(2) ? ZX_VMO_CHILD_RESIZABLE : 0);

    if (v->slice)
        return;
    assert_status(vmo_create_child(v->vmo, options, first * PAGE, pages * PAGE, &to->vmo), ZX_OK);
    to->content = new_content(pages);
    to->first = 0;
    to->slice = false;
    to->resizable = options & ZX_VMO_CHILD_RESIZABLE;
    for (unsigned i = 0; i < pages && first + i < v->content->pages; i++)
        to->content->value[i] = v->content->value[first + i];
}

static void slice_view(const struct view *v, struct view *to)
{
    unsigned first = pick(pages_of(v)), pages = 1 + pick(pages_of(v) - first);

    if (v->resizable)
        return;
    assert_status(
        vmo_create_child(v->vmo, ZX_VMO_CHILD_SLICE, first * PAGE, pages * PAGE, &to->vmo), ZX_OK);
    to->content = v->content;
    to->content->refs++;
    to->first = v->first + first;
    to->pages = pages;
    to->slice = true;
    to->resizable = false;
}

static void resize_view(struct view *v)
{
    unsigned pages = 1 + pick(MAX_PAGES);

    if (!v->resizable)
        return;
    assert_status(vmo_set_size(v->vmo, pages * PAGE), ZX_OK);
    for (unsigned i = pages; i < MAX_PAGES; i++)
        v->content->value[i] = 0;
    v->content->pages = pages;
}

static void write_view(struct view *v)
{
    unsigned page = pick(pages_of(v));
    uint32_t value = (uint32_t)rand();

    assert_status(vmo_write(v->vmo, &value, page * PAGE, sizeof value), ZX_OK);
    v->content->value[v->first + page] = value;
}

static void step_views(void)
{
    struct view *v = &views[pick(MAX_VMOS)], *to = free_view();
    unsigned what = pick(10);

    if (!v->vmo) {
        create_view(v);
    } else if (what < 4) {
        write_view(v);
    } else if (what == 9) {
        drop_view(v);
    } else if (what == 8) {
        resize_view(v);
    } else if (to && what < 7) {
        clone_view(v, to);
    } else if (to) {
        slice_view(v, to);
    }
}

/* A write to a parent was lost after slices, clones and a drop; resizing with clones panicked. */
static void test_clone_trees_keep_their_content(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        srand(seed);
        for (int i = 0; i < STEPS; i++) {
            struct view *v = &views[pick(MAX_VMOS)];

            step_views();
            if (v->vmo)
                check_view(v);
        }
        for (int i = 0; i < MAX_VMOS; i++)
            if (views[i].vmo)
                check_view(&views[i]);
        for (int i = 0; i < MAX_VMOS; i++)
            if (views[i].vmo)
                drop_view(&views[i]);
    }
}

static uint32_t page_value(struct vmo *vmo, unsigned page)
{
    uint32_t value;

    assert_status(vmo_read(vmo, &value, page * PAGE, sizeof value), ZX_OK);
    return value;
}

/* A clone of page 0 that was grown and cloned again showed the parent's page 1. */
static void test_grown_clone_shows_no_more_of_its_parent(void **state)
{
    const uint32_t values[2] = {1, 2};
    struct vmo *parent, *clone, *second;

    (void)state;
    assert_status(vmo_create(2 * PAGE, 0, &parent), ZX_OK);
    for (unsigned i = 0; i < 2; i++)
        assert_status(vmo_write(parent, &values[i], i * PAGE, sizeof values[i]), ZX_OK);
    assert_status(
        vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, PAGE, &clone),
        ZX_OK);
    assert_status(vmo_set_size(clone, 2 * PAGE), ZX_OK);
    assert_status(vmo_create_child(clone, ZX_VMO_CHILD_SNAPSHOT, 0, 2 * PAGE, &second), ZX_OK);
    assert_int_equal(page_value(clone, 1), 0);
    assert_int_equal(page_value(second, 0), 1);
    assert_int_equal(page_value(second, 1), 0);
    object_release(&second->object);
    object_release(&clone->object);
    object_release(&parent->object);
}

enum { DEPTH = 100000 };

static void make_chain(struct vmo **chain)
{
    uint32_t value = 77;

    assert_status(vmo_create(PAGE, 0, &chain[0]), ZX_OK);
    assert_status(vmo_write(chain[0], &value, 0, sizeof value), ZX_OK);
    for (int i = 1; i < DEPTH; i++)
        assert_status(vmo_create_child(chain[i - 1], ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &chain[i]),
                      ZX_OK);
    assert_int_equal(page_value(chain[DEPTH - 1], 0), 77);
}

/* A chain of 100,000 clones overflowed the stack. */
static void test_deep_clone_chain(void **state)
{
    struct vmo **chain = calloc(DEPTH, sizeof *chain);

    (void)state;
    make_chain(chain);
    for (int i = 0; i < DEPTH; i++)
        object_release(&chain[i]->object);
    make_chain(chain);
    for (int i = DEPTH; i-- > 0;)
        object_release(&chain[i]->object);
    free(chain);
}

static uint64_t host_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum { DEEP = 64, READ_PAGES = 32, READ_TRIES = 50 };

/* The shortest time in which all of a clone's pages, which its first ancestor has, are read. */
static uint64_t time_to_read(int depth)
{
    static uint8_t bytes[READ_PAGES * PAGE];
    struct vmo *chain[DEEP + 1];
    uint64_t shortest = UINT64_MAX;

    assert_status(vmo_create(sizeof bytes, 0, &chain[0]), ZX_OK);
    assert_status(vmo_write(chain[0], bytes, 0, sizeof bytes), ZX_OK);
    for (int i = 1; i <= depth; i++)
        assert_status(
            vmo_create_child(chain[i - 1], ZX_VMO_CHILD_SNAPSHOT, 0, sizeof bytes, &chain[i]),
            ZX_OK);
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t start = host_nanoseconds(), time;

        assert_status(vmo_read(chain[depth], bytes, 0, sizeof bytes), ZX_OK);
        time = host_nanoseconds() - start;
        shortest = time < shortest ? time : shortest;
    }
    for (int i = 0; i <= depth; i++)
        object_release(&chain[i]->object);
    return shortest;
}

/* Reading 128 KiB took 4 us, and 34 to 56 us through 64 clones. */
static void test_depth_costs_nothing(void **state)
{
    (void)state;
    assert_true(time_to_read(DEEP) < 4 * time_to_read(1));
}

/* ---- Waiting ------------------------------------------------------------------------------- */

/*
 * A wake-up between a waiter's look at the signals and its going to sleep was lost. Whatever comes
 * between the beginning of a wait and the thread's next turn, it has ended.
 */
static void test_no_wake_up_is_lost(void **state)
{
    struct thread *thread = fixture_thread();
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    for (unsigned order = 0; order < 64; order++) {
        bool early = order & 1, clear = order & 2, again = order & 4, suspend = order & 8;

        sys_object_signal(SELF, event, ZX_USER_SIGNAL_0, early ? ZX_USER_SIGNAL_0 : 0);
        AS(thread, sys_object_wait_one(thread, event, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, U(0x40)));
        assert_true(early || thread->state == THREAD_BLOCKED);
        sys_object_signal(SELF, event, 0, ZX_USER_SIGNAL_0);
        if (clear)
            sys_object_signal(SELF, event, ZX_USER_SIGNAL_0, 0);
        if (again)
            sys_object_signal(SELF, event, 0, ZX_USER_SIGNAL_0);
        if (suspend) {
            thread_suspend(thread);
            thread_resume(thread);
        }
        assert_true(fixture_run(thread));
        fix.cpu.current = SELF;
        if (!early)
            assert_status(fixture_result(thread), ZX_OK);
        assert_true(u32_at(0x40) & ZX_USER_SIGNAL_0);
    }
    end_thread(thread);
}

/* A million expired waits cost 133 MB and made one signal take 13 ms. */
static void test_expired_waits_leave_nothing(void **state)
{
    struct thread *thread = fixture_thread();
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    size_t before = heap_used();

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        AS(thread, sys_object_wait_one(thread, event, ZX_USER_SIGNAL_0, hal_now() + 1, NONE));
        fixture_advance(1);
        fixture_run(thread);
    }
    fix.cpu.current = SELF;
    assert_status(fixture_result(thread), ZX_ERR_TIMED_OUT);
    assert_int_equal(heap_used(), before);
    assert_true(TAILQ_EMPTY(&object_of(event)->observers));
    assert_int_equal(handle_find(fix.process, event)->observers, 0);
    assert_int_equal(timerq_next(&fix.cpu.timers), ZX_TIME_INFINITE);
    end_thread(thread);
}

/* ---- Channels ------------------------------------------------------------------------------ */

static void answer(zx_handle_t server, uint32_t value)
{
    uint32_t words[2];

    assert_status(read_any(server), ZX_OK);
    words[0] = u32_at(BYTES_OUT);
    words[1] = value;
    fixture_poke(BYTES, words, sizeof words);
    assert_status(sys_channel_write(SELF, server, 0, U(BYTES), sizeof words, NONE, 0), ZX_OK);
}

/* The reply of a channel call was lost. Here it comes before, with and after a suspension. */
static void test_no_reply_is_lost(void **state)
{
    struct thread *thread = fixture_thread();
    zx_handle_t client, server;

    (void)state;
    make(&client, &server);
    for (uint32_t i = 0; i < 300; i++) {
        zx_time_t deadline = hal_now() + 10;

        set_args(8, 0, 8, 0);
        call(thread, client, deadline);
        if (i % 3 == 0)
            thread_suspend(thread);
        answer(server, i);
        if (i % 3 == 1)
            thread_suspend(thread);
        if (i % 2)
            fixture_advance(20); /* the deadline passes when the reply is there */
        if (i % 3 != 2)
            thread_resume(thread);
        assert_true(fixture_run(thread));
        fix.cpu.current = SELF;
        if (fixture_result(thread) == ZX_ERR_INTERNAL_INTR_RETRY) {
            set_args(8, 0, 8, 0);
            assert_status(AS(thread, sys_channel_call_finish(thread, deadline, U(ARGS),
                                                             U(ACTUAL_BYTES), U(ACTUAL_HANDLES))),
                          ZX_OK);
        } else {
            assert_status(fixture_result(thread), ZX_OK);
        }
        assert_int_equal(u32_at(ACTUAL_BYTES), 8);
        assert_int_equal(u32_at(BYTES_OUT + 4), i);
        assert_int_equal(thread->wait.call.state, CALL_NONE);
        assert_status(read_any(client), ZX_ERR_SHOULD_WAIT); /* not twice */
    }
    end_thread(thread);
}

/* A channel that holds its own peer was never freed. */
static void test_channel_that_holds_its_peer_is_freed(void **state)
{
    size_t before = heap_used();
    zx_handle_t a, b;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        make(&a, &b);
        if (i == 0)
            before = heap_used();
        assert_status(write_handles(a, &b, 1), ZX_OK);
        if (valid(a))
            close_handle(a);
        assert_int_equal(fix.process->handles.count, 0);
    }
    make(&a, &b);
    assert_int_equal(heap_used(), before);
}

/* A full-duplex socket deadlocked; here both ends are full and both are emptied. */
static void test_full_duplex_socket(void **state)
{
    zx_handle_t end[2];

    (void)state;
    assert_status(sys_socket_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    end[0] = fixture_handle_at(OUT0);
    end[1] = fixture_handle_at(OUT1);
    for (int i = 0; i < 200; i++) {
        for (int e = 0; e < 2; e++)
            while (sys_socket_write(SELF, end[e], 0, U(BYTES), 40000, NONE) == ZX_OK)
                ;
        for (int e = 0; e < 2; e++)
            assert_false(signals_of(end[e]) & ZX_SOCKET_WRITABLE);
        for (int e = 0; e < 2; e++)
            while (sys_socket_read(SELF, end[e], 0, U(BYTES), 40000, NONE) == ZX_OK)
                ;
        for (int e = 0; e < 2; e++)
            assert_true(signals_of(end[e]) & ZX_SOCKET_WRITABLE);
    }
}

/* ---- Futexes ------------------------------------------------------------------------------- */

/* Entries for addresses were never freed. */
static void test_futex_entries_are_freed(void **state)
{
    struct thread *thread = fixture_thread();
    size_t before = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct user_ptr at = U((size_t)i * 4);

        AS(thread, sys_futex_wait(thread, at, 0, 0, hal_now() + 1));
        assert_non_null(futex_find(fix.process, at.va));
        if (i % 2)
            sys_futex_wake(SELF, at, 1);
        fixture_advance(1);
        fixture_run(thread);
        fix.cpu.current = SELF;
        assert_null(futex_find(fix.process, at.va));
        if (i == 0)
            before = heap_used(); /* with the process's table */
    }
    assert_int_equal(heap_used(), before);
    end_thread(thread);
}

/* A wake without a waiter was reported as one woken: it must not count for who comes later. */
static void test_futex_wake_without_waiter(void **state)
{
    struct thread *thread = fixture_thread();

    (void)state;
    assert_status(sys_futex_wake(SELF, U(FUTEX_AT), UINT32_MAX), ZX_OK);
    assert_status(sys_futex_wake_single_owner(SELF, U(FUTEX_AT)), ZX_OK);
    assert_status(sys_futex_requeue(SELF, U(FUTEX_AT), 1, 0, U(FUTEX_AT + 4), 1, 0), ZX_OK);
    AS(thread, sys_futex_wait(thread, U(FUTEX_AT), 0, 0, ZX_TIME_INFINITE));
    assert_int_equal(thread->state, THREAD_BLOCKED);
    assert_status(sys_futex_wake(SELF, U(FUTEX_AT), 0), ZX_OK);
    assert_int_equal(thread->state, THREAD_BLOCKED);
    assert_status(sys_futex_wake(SELF, U(FUTEX_AT), 1), ZX_OK);
    assert_int_equal(thread->state, THREAD_RUNNABLE);
    end_thread(thread);
}

/* ---- Handles ------------------------------------------------------------------------------- */

/*
 * A live value was issued again after 2^30 creations. Ours names the slot, and so many creations
 * that every slot's generation comes around several times do not change that.
 */
static void test_live_handle_value_is_never_issued_again(void **state)
{
    zx_handle_t live[3];
    struct event *event;

    (void)state;
    for (int i = 0; i < 3; i++)
        live[i] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    assert_status(event_create(&event), ZX_OK);
    for (int i = 0; i < 29 * 4096 * 3; i++) {
        zx_handle_t value;

        assert_status(handle_create(fix.process, &event->object, 0, &value), ZX_OK);
        for (int k = 0; k < 3; k++)
            assert_true(value != live[k]);
        handle_close(fix.process, value);
    }
    assert_int_equal(fix.process->handles.num_chunks, 1); /* the slots have been used that often */
    for (int i = 0; i < 3; i++)
        assert_true(object_of(live[i]) != &event->object);
    object_release(&event->object);
}

/* ---- Arguments that ended the kernel --------------------------------------------------------- */

static void test_unknown_vmo_operation(void **state)
{
    const uint32_t unknown[] = {0, 5, 11, 99, 0x80000000, UINT32_MAX};
    zx_handle_t vmo = new_vmo(4 * PAGE);

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        int64_t status = sys_vmo_op_range(SELF, vmo, unknown[i], 0, PAGE, NONE, 0);

        assert_true(status == ZX_ERR_NOT_SUPPORTED || status == ZX_ERR_INVALID_ARGS);
    }
}

static void test_huge_vmo_lengths(void **state)
{
    const uint64_t huge[] = {4 * PAGE + 1, 1ull << 32,        1ull << 47, INT64_MAX,
                             1ull << 63,   UINT64_MAX - PAGE, UINT64_MAX};
    zx_handle_t vmo = new_vmo(4 * PAGE);

    (void)state;
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        assert_status(sys_vmo_read(SELF, vmo, U(BYTES), 0, huge[i]), ZX_ERR_OUT_OF_RANGE);
        assert_status(sys_vmo_read(SELF, vmo, U(BYTES), huge[i], 1), ZX_ERR_OUT_OF_RANGE);
        assert_status(sys_vmo_read(SELF, vmo, U(BYTES), huge[i], huge[i]), ZX_ERR_OUT_OF_RANGE);
        assert_status(sys_vmo_write(SELF, vmo, U(BYTES), PAGE, huge[i]), ZX_ERR_OUT_OF_RANGE);
    }
}

/* Committing outside of the VMO succeeded. What begins inside is cut at the end (rules, 158). */
static void test_commit_out_of_range(void **state)
{
    const uint64_t outside[][2] = {
        {5 * PAGE, PAGE},
        {UINT64_MAX - PAGE + 1, 2 * PAGE},
        {PAGE, UINT64_MAX},
        {1ull << 63, PAGE},
    };
    zx_handle_t vmo = new_vmo(4 * PAGE);
    size_t before = fake_frames_in_use();

    (void)state;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_status(
            sys_vmo_op_range(SELF, vmo, ZX_VMO_OP_COMMIT, outside[i][0], outside[i][1], NONE, 0),
            ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_op_range(SELF, vmo, ZX_VMO_OP_COMMIT, 4 * PAGE, PAGE, NONE, 0), ZX_OK);
    assert_int_equal(fake_frames_in_use(), before);
    assert_status(sys_vmo_op_range(SELF, vmo, ZX_VMO_OP_COMMIT, PAGE, 99 * PAGE, NONE, 0), ZX_OK);
    assert_int_equal(fake_frames_in_use(), before + 3);
}

/* A VMO of 2^64-1 bytes had size 0. */
static void test_vmo_too_large(void **state)
{
    zx_handle_t vmo = new_vmo(PAGE);

    (void)state;
    assert_status(sys_vmo_create(SELF, UINT64_MAX, 0, U(OUT0)), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_create(SELF, UINT64_MAX - PAGE + 2, 0, U(OUT0)), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_set_size(SELF, vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(container_of(object_of(vmo), struct vmo, object)->size, PAGE);
    assert_status(sys_vmo_create_child(SELF, vmo, ZX_VMO_CHILD_SNAPSHOT, 0, UINT64_MAX, U(OUT0)),
                  ZX_ERR_OUT_OF_RANGE);
}

/* One handle for each kind of object that can be made out of nothing. */
static zx_handle_t some_handle(unsigned kind)
{
    struct vmar *vmar;

    switch (kind) {
    case 0:
        return new_event(ZX_DEFAULT_EVENT_RIGHTS);
    case 1:
        return new_vmo(4 * PAGE);
    case 2:
        return new_port();
    case 3:
        sys_socket_create(SELF, 0, U(OUT0), U(OUT1));
        return out();
    case 4:
        sys_fifo_create(SELF, 8, 8, 0, U(OUT0), U(OUT1));
        return out();
    case 5:
        sys_channel_create(SELF, 0, U(OUT0), U(OUT1));
        sys_channel_write(SELF, fixture_handle_at(OUT1), 0, U(BYTES), 8, NONE, 0);
        return out();
    case 6:
        sys_timer_create(SELF, 0, 0, U(OUT0));
        return out();
    case 7:
        sys_clock_create(SELF, 0, NONE, U(OUT0));
        return out();
    case 8:
        sys_stream_create(SELF, ZX_STREAM_CREATE_MASK, new_vmo(PAGE), 0, U(OUT0));
        return out();
    case 9:
        assert_status(vmar_allocate(fix.process->aspace->root, 0, 0, 8 * PAGE, &vmar), ZX_OK);
        return fixture_give(&vmar->object, ZX_DEFAULT_VMAR_RIGHTS);
    case 10:
        object_ref(&fix.kernel.root_resource->object);
        return fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    case 11:
        object_ref(&fix.kernel.root_job->object);
        return fixture_give(&fix.kernel.root_job->object, ZX_RIGHTS_BASIC | ZX_RIGHT_ENUMERATE);
    default:
        return ZX_HANDLE_INVALID;
    }
}

enum { KINDS = 13 };

typedef int64_t bad_call(zx_handle_t handle, struct user_ptr bad, uint64_t number);

/* Every call once with that handle, that pointer and that number for each of its arguments. */
#undef VAL
#undef IN
#undef OUT
#undef INOUT
#undef OPT_IN
#undef OPT_OUT
#define IN(t)                           bad
#define OUT(t)                          bad
#define INOUT(t)                        bad
#define OPT_IN(t)                       bad
#define OPT_OUT(t)                      bad
#define VAL(t)                          (t)(strcmp(#t, "zx_handle_t") == 0 ? handle : number)
#define BAD_ARGUMENT(index, type, name) , type
#define SYSCALL(number_, name, ret, flags, ...)                                                    \
    static int64_t bad_##name(zx_handle_t handle, struct user_ptr bad, uint64_t number)            \
    {                                                                                              \
        (void)handle;                                                                              \
        (void)bad;                                                                                 \
        (void)number;                                                                              \
        return sys_##name ? sys_##name(SELF SC_MAP(BAD_ARGUMENT, __VA_ARGS__)) : 0;                \
    }
#include <zircon/syscalls.def>

static bad_call *const bad_calls[] = {
#define SYSCALL(number, name, ...) [number] = bad_##name,
#include <zircon/syscalls.def>
};

enum { PROCESS_EXIT = 97, POWERCTL = 129, THREAD_EXIT = 134 };

static void one_bad_call(uint32_t number, unsigned kind, struct user_ptr bad, uint64_t argument)
{
    zx_handle_t handle = some_handle(kind);

    bad_calls[number](handle, bad, argument);
    if (SELF->wait.kind) {
        wait_end(SELF, ZX_ERR_CANCELED);
        assert_true(fixture_run(SELF));
    }
    assert_int_equal(fix.process->state, PROCESS_RUNNING);
    handle_table_destroy(&fix.process->handles);
}

/* Any bad pointer but null ended the kernel. */
static void test_bad_pointers(void **state)
{
    const struct user_ptr bad[] = {
        {0},
        {1},
        {0x1000},
        {UINT64_MAX - 2},
        {0xffff800000000000ull},
        {(1ull << 47) - 4},
        {fix.user + USER_BYTES - 2},
    };

    (void)state;
    for (uint32_t number = 0; number < sizeof bad_calls / sizeof bad_calls[0]; number++) {
        if (number == PROCESS_EXIT || number == POWERCTL || number == THREAD_EXIT)
            continue;
        for (unsigned kind = 0; kind < KINDS; kind++)
            for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                one_bad_call(number, kind, bad[i], 0);
                one_bad_call(number, kind, bad[i], 8);
            }
    }
}

/* ---- Limits -------------------------------------------------------------------------------- */

/* Queues had none. */
static void test_queues_are_limited(void **state)
{
    zx_handle_t port = new_port(), a, b, end;
    size_t in_socket = 0;

    (void)state;
    for (size_t i = 0; i < ZX_PORT_PACKET_LIMIT; i++)
        assert_status(sys_port_queue(SELF, port, U(BYTES)), ZX_OK);
    assert_status(sys_port_queue(SELF, port, U(BYTES)), ZX_ERR_SHOULD_WAIT);
    make(&a, &b);
    for (size_t i = 0; i < CHANNEL_QUEUE_LIMIT; i++)
        assert_status(write_text(a, "x"), ZX_OK);
    assert_int_equal(SELF->flags & THREAD_POLICY, 0);
    write_text(a, "x");
    assert_int_equal(SELF->flags & THREAD_POLICY, THREAD_POLICY);
    SELF->flags &= ~THREAD_POLICY;
    assert_status(sys_socket_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    end = fixture_handle_at(OUT0);
    while (sys_socket_write(SELF, end, 0, U(BYTES), 65536, U(OUT0)) == ZX_OK)
        in_socket += u64_at(OUT0);
    assert_int_equal(in_socket, ZX_SOCKET_BUFFER_MAX);
}

/* It did nothing. */
static void test_port_cancel_cancels(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    assert_status(sys_object_wait_async(SELF, event, port, 7, ZX_USER_SIGNAL_0, 0), ZX_OK);
    assert_status(sys_port_cancel(SELF, port, event, 7), ZX_OK);
    assert_status(sys_object_signal(SELF, event, 0, ZX_USER_SIGNAL_0), ZX_OK);
    assert_status(sys_port_wait(SELF, port, 0, U(BYTES)), ZX_ERR_TIMED_OUT);
    /* Also a packet that is queued already. */
    assert_status(sys_object_wait_async(SELF, event, port, 8, ZX_USER_SIGNAL_0, 0), ZX_OK);
    assert_status(sys_port_cancel(SELF, port, event, 8), ZX_OK);
    assert_status(sys_port_cancel(SELF, port, event, 8), ZX_ERR_NOT_FOUND);
    assert_status(sys_port_wait(SELF, port, 0, U(BYTES)), ZX_ERR_TIMED_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clone_trees_keep_their_content),
        TEST(test_grown_clone_shows_no_more_of_its_parent),
        TEST(test_deep_clone_chain),
        TEST(test_depth_costs_nothing),
        TEST(test_no_wake_up_is_lost),
        TEST(test_expired_waits_leave_nothing),
        TEST(test_no_reply_is_lost),
        TEST(test_channel_that_holds_its_peer_is_freed),
        TEST(test_full_duplex_socket),
        TEST(test_futex_entries_are_freed),
        TEST(test_futex_wake_without_waiter),
        TEST(test_live_handle_value_is_never_issued_again),
        TEST(test_unknown_vmo_operation),
        TEST(test_huge_vmo_lengths),
        TEST(test_commit_out_of_range),
        TEST(test_vmo_too_large),
        TEST(test_bad_pointers),
        TEST(test_queues_are_limited),
        TEST(test_port_cancel_cancels),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("zcore_faults", tests, NULL, NULL);
}
