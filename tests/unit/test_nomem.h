/*
 * test_nomem.h - what test_nomem.c's rows are made of: the state that calls work on, and the loop
 * that lets one allocation after the other fail.
 */
#ifndef ZVMM_TESTS_NOMEM_H
#define ZVMM_TESTS_NOMEM_H

#include "helpers.h"

#include <zircon/clock.h>
#include <zircon/exception.h>
#include <zircon/iommu.h>
#include <zircon/ktrace.h>
#include <zircon/log.h>
#include <zircon/resource.h>
#include <zircon/system.h>
#include <zircon/vm.h>

#include "aspace.h"
#include "channel.h"
#include "exception.h"
#include "resource.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE 4096ull

/* Where things are in the fixture's user memory. */
enum {
    OUT = 0,
    OUT2 = 8,
    FUTEX = 32,
    ARGS = 0x100,
    HANDLES = 0x400,
    DATA = 0x4000,
};

#define IOMMU_DESC  U(DATA), sizeof(zx_iommu_desc_dummy_t)
#define PIN_PERMS   (1u /* ZX_BTI_PERM_READ */)
#define MAP_RW      (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define CAN_MAP_ALL (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE)

/* ---- Rows ---------------------------------------------------------------------------------- */

#define CONSUMES (1u << 0) /* handles given to the call are gone also if it fails */
#define COMMITS  (1u << 1) /* what was done before the failure stays done */
#define PARKS    (1u << 2) /* success is a thread that waits */
#define ENDS     (1u << 3) /* the call ends something, also by failing */
/*
 * Memory got on the way is kept until it is used or the object goes: a process's futex table, the
 * COMPLETE packet of a pager's VMO, the kernel's end of an exception channel that nobody has.
 */
#define KEEPS (1u << 4)

struct nomem_row {
    const char *call, *name;
    void (*prepare)(void);
    int64_t (*run)(void);
    uint32_t flags;
};

enum nomem_source { FAIL_HEAP, FAIL_FRAMES, FAIL_MAPS, NOMEM_SOURCES };

static zx_handle_t h[4]; /* what prepare has made */
static zx_vaddr_t va;

static inline uint64_t root_base(void)
{
    return fix.process->aspace->root->region.base;
}

/* ---- State that calls work on --------------------------------------------------------------- */

static zx_handle_t out(void)
{
    return fixture_handle_at(OUT);
}

static void nothing(void)
{
}

static void make_event(void)
{
    h[0] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
}

static void give(int i, struct object *object, zx_rights_t rights)
{
    object_ref(object);
    h[i] = fixture_give(object, rights);
}

static void make_job(void)
{
    give(0, &fix.kernel.root_job->object, ZX_DEFAULT_JOB_RIGHTS);
}

static void make_self(void)
{
    give(0, &fix.process->object, ZX_DEFAULT_PROCESS_RIGHTS);
}

static void make_resource(void)
{
    give(0, &fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS | ZX_RIGHT_WRITE);
}

static void make_iommu(void)
{
    make_resource();
    assert_status(sys_iommu_create(SELF, h[0], ZX_IOMMU_TYPE_DUMMY, IOMMU_DESC, U(OUT)), ZX_OK);
    h[0] = out();
}

static void make_vmo(void)
{
    assert_status(sys_vmo_create(SELF, 4 * PAGE, ZX_VMO_RESIZABLE, U(OUT)), ZX_OK);
    h[0] = out();
}

static void make_fixed_vmo(void)
{
    assert_status(sys_vmo_create(SELF, 4 * PAGE, 0, U(OUT)), ZX_OK);
    h[0] = out();
}

static void make_bti(void)
{
    make_vmo();
    h[2] = h[0];
    make_iommu();
    assert_status(sys_bti_create(SELF, h[0], 0, 1, U(OUT)), ZX_OK);
    h[1] = out();
}

static void make_channel(void)
{
    assert_status(sys_channel_create(SELF, 0, U(OUT), U(OUT2)), ZX_OK);
    h[0] = out();
    h[1] = fixture_handle_at(OUT2);
}

static void make_handles(void)
{
    zx_handle_t sent[2] = {new_event(ZX_DEFAULT_EVENT_RIGHTS), new_event(ZX_DEFAULT_EVENT_RIGHTS)};

    make_channel();
    fixture_poke(HANDLES, sent, sizeof sent);
}

static void make_dispositions(void)
{
    zx_handle_disposition_t sent[2] = {
        {ZX_HANDLE_OP_MOVE, new_event(ZX_DEFAULT_EVENT_RIGHTS), 0, ZX_RIGHT_SAME_RIGHTS, 0},
        {ZX_HANDLE_OP_DUPLICATE, new_event(ZX_DEFAULT_EVENT_RIGHTS), 0, ZX_RIGHT_SAME_RIGHTS, 0},
    };

    make_channel();
    fixture_poke(HANDLES, sent, sizeof sent);
}

static void make_message(void)
{
    make_handles();
    assert_status(sys_channel_write(SELF, h[0], 0, U(DATA), 64, U(HANDLES), 2), ZX_OK);
}

static void make_call(void)
{
    zx_channel_call_args_t args = {
        .wr_bytes = (void *)U(DATA).va,
        .rd_bytes = (void *)U(DATA).va,
        .rd_handles = (void *)U(HANDLES).va,
        .wr_num_bytes = 64,
        .rd_num_bytes = 64,
        .rd_num_handles = 4,
    };

    make_channel();
    fixture_poke(ARGS, &args, sizeof args);
}

/* A call that a suspension has interrupted; then its answer comes, with two handles. */
static void make_answer(void)
{
    zx_txid_t txid;

    make_call();
    sys_channel_call_noretry(SELF, h[0], 0, ZX_TIME_INFINITE, U(ARGS), U(OUT), U(OUT2));
    thread_suspend(SELF);
    thread_resume(SELF);
    assert_true(fixture_run(SELF));
    assert_status(sys_channel_read(SELF, h[1], 0, U(DATA), NONE, 64, 0, NONE, NONE), ZX_OK);
    txid = u32_at(DATA);
    {
        zx_handle_t sent[2] = {new_event(ZX_DEFAULT_EVENT_RIGHTS),
                               new_event(ZX_DEFAULT_EVENT_RIGHTS)};

        fixture_poke(HANDLES, sent, sizeof sent);
    }
    fixture_poke(DATA, &txid, sizeof txid);
    assert_status(sys_channel_write(SELF, h[1], 0, U(DATA), 64, U(HANDLES), 2), ZX_OK);
}

/* Somebody waits at the first futex. */
static void make_futex(void)
{
    struct thread *thread = fixture_thread();

    AS(thread, sys_futex_wait(thread, U(FUTEX), 0, 0, ZX_TIME_INFINITE));
    assert_int_equal(thread->state, THREAD_BLOCKED);
    object_release(&thread->object);
}

static void make_port(void)
{
    make_event();
    assert_status(sys_port_create(SELF, 0, U(OUT)), ZX_OK);
    h[1] = out();
}

static void make_items(void)
{
    zx_wait_item_t items[2];

    for (int i = 0; i < 2; i++)
        items[i] = (zx_wait_item_t){new_event(ZX_DEFAULT_EVENT_RIGHTS), ZX_USER_SIGNAL_0, 0};
    fixture_poke(ARGS, items, sizeof items);
}

static void make_pager(void)
{
    assert_status(sys_pager_create(SELF, 0, U(OUT)), ZX_OK);
    h[0] = out();
    assert_status(sys_port_create(SELF, 0, U(OUT)), ZX_OK);
    h[1] = out();
}

/* Four pages are asked for, of which the call answers some. h: pager, port, its VMO, another one.
 */
static void make_waiting_reader(void)
{
    struct thread *thread = fixture_thread();

    make_pager();
    assert_status(sys_pager_create_vmo(SELF, h[0], 0, h[1], 7, 4 * PAGE, U(OUT)), ZX_OK);
    h[2] = out();
    assert_status(sys_vmo_create(SELF, 4 * PAGE, 0, U(OUT)), ZX_OK);
    h[3] = out();
    assert_status(sys_vmo_write(SELF, h[3], U(DATA), 0, 4 * PAGE), ZX_OK);
    AS(thread, sys_vmo_read(thread, h[2], U(DATA), 0, 4 * PAGE));
    assert_int_equal(thread->state, THREAD_BLOCKED);
    object_release(&thread->object);
}

/* h: an event, a process and its first thread. */
static void make_process(void)
{
    zx_handle_t process;

    make_job();
    assert_status(sys_process_create(SELF, h[0], U(DATA), 4, 0, U(OUT), U(OUT2)), ZX_OK);
    process = out();
    assert_status(sys_thread_create(SELF, process, U(DATA), 4, 0, U(OUT)), ZX_OK);
    h[2] = out();
    h[1] = process;
    make_event();
}

static void make_profile_info(void)
{
    zx_profile_info_t info = {
        .flags = ZX_PROFILE_INFO_FLAG_DEADLINE,
        .deadline_params = {1000000, 2000000, 4000000},
    };

    make_job();
    fixture_poke(ARGS, &info, sizeof info);
}

static void make_profile(void)
{
    make_profile_info();
    assert_status(sys_profile_create(SELF, h[0], 0, U(ARGS), U(OUT)), ZX_OK);
    h[1] = out();
    give(0, &SELF->object, ZX_DEFAULT_THREAD_RIGHTS);
}

/* An exception that a handler of the process has read. */
static void make_exception(void)
{
    struct thread *thread = fixture_thread();
    struct exception_cause cause = {.type = ZX_EXCP_GENERAL};
    zx_handle_t channel;

    make_self();
    assert_status(sys_task_create_exception_channel(SELF, h[0], 0, U(OUT)), ZX_OK);
    channel = out();
    fixture_run(thread);
    exception_raise(thread, &cause);
    fix.cpu.current = SELF;
    assert_status(sys_channel_read(SELF, channel, 0, U(DATA), U(HANDLES), 64, 1, NONE, NONE),
                  ZX_OK);
    h[0] = fixture_handle_at(HANDLES);
    object_release(&thread->object);
}

static void make_suspendable(void)
{
    struct thread *thread = fixture_thread();

    h[0] = fixture_give(&thread->object, ZX_DEFAULT_THREAD_RIGHTS);
}

static void make_socket(void)
{
    assert_status(sys_socket_create(SELF, 0, U(OUT), U(OUT2)), ZX_OK);
    h[0] = out();
}

static void make_datagram_socket(void)
{
    assert_status(sys_socket_create(SELF, ZX_SOCKET_DATAGRAM, U(OUT), U(OUT2)), ZX_OK);
    h[0] = out();
}

static void make_stream(void)
{
    zx_iovec_t vector[2] = {{(void *)U(DATA).va, 2 * PAGE}, {(void *)U(DATA).va, PAGE}};

    make_vmo();
    assert_status(sys_stream_create(SELF, ZX_STREAM_CREATE_MASK, h[0], 0, U(OUT)), ZX_OK);
    h[1] = out();
    fixture_poke(ARGS, vector, sizeof vector);
}

static void make_written(void)
{
    make_vmo();
    assert_status(sys_vmo_write(SELF, h[0], U(DATA), 0, 4 * PAGE), ZX_OK);
}

/* h: a written VMO and a snapshot of it. */
static void make_clone(void)
{
    make_written();
    assert_status(sys_vmo_create_child(SELF, h[0], ZX_VMO_CHILD_SNAPSHOT, 0, 4 * PAGE, U(OUT)),
                  ZX_OK);
    h[1] = out();
}

static void make_vmar(void)
{
    make_vmo();
    h[1] = h[0];
    give(0, &fix.process->aspace->root->object,
         ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE);
}

static void make_committed(void)
{
    make_vmar();
    assert_status(sys_vmo_write(SELF, h[1], U(DATA), 0, 4 * PAGE), ZX_OK);
}

static void make_mapping(void)
{
    make_committed();
    assert_status(sys_vmar_map(SELF, h[0], MAP_RW | ZX_VM_MAP_RANGE, 0, h[1], 0, 4 * PAGE, U(OUT)),
                  ZX_OK);
    va = u64_at(OUT);
}

/* ---- The loop ------------------------------------------------------------------------------ */

struct snapshot {
    size_t heap, frames;
    uint32_t handles;
};

static size_t heap_cost(size_t size)
{
    size_t before = heap_used();
    void *block = heap_alloc(size);
    size_t cost = heap_used() - before;

    heap_free(block);
    return cost;
}

/* What the handle table takes: it may grow before something else fails, and keeps that. */
static size_t table_cost(void)
{
    uint32_t chunks = fix.process->handles.num_chunks, capacity = 1;

    while (capacity < chunks)
        capacity *= 2;
    return chunks * heap_cost(32 * sizeof(struct handle)) + heap_cost(capacity * sizeof(void *));
}

static struct snapshot take_snapshot(void)
{
    return (struct snapshot){
        .heap = heap_used() - table_cost(),
        .frames = fake_frames_in_use(),
        .handles = fix.process->handles.count,
    };
}

static void arm(enum nomem_source source, uint64_t n)
{
    if (source == FAIL_HEAP)
        heap_fail_nth(n);
    else if (source == FAIL_FRAMES)
        fake_fail_frame(n);
    else
        fake_fail_map(n);
}

/* One allocation of the kind; whether it fails. */
static bool probe(enum nomem_source source)
{
    struct hal_page_table *table;
    hal_paddr_t frame;

    if (source == FAIL_HEAP) {
        void *block = heap_alloc(16);

        heap_free(block);
        return !block;
    }
    if (source == FAIL_FRAMES) {
        if (hal_frame_alloc(HAL_FRAME_ANY, &frame) != ZX_OK)
            return true;
        hal_frame_free(frame);
        return false;
    }
    if (hal_page_table_create(&table) != ZX_OK)
        return true;
    hal_page_table_destroy(table);
    return false;
}

/* Whether the failure that was armed as the n-th has not happened yet. */
static bool still_armed(enum nomem_source source, uint64_t n)
{
    bool armed = false;

    for (uint64_t i = 0; i < n && !armed; i++)
        armed = probe(source);
    arm(source, 0);
    return armed;
}

/* No free slot, and the next chunk needs a larger array, too. */
static void fill_handle_table(void)
{
    struct handle_table *table = &fix.process->handles;
    struct event *event;
    zx_handle_t value;

    assert_status(event_create(&event), ZX_OK);
    while (table->num_chunks & (table->num_chunks - 1) || table->count < 32 * table->num_chunks)
        assert_status(handle_create(fix.process, &event->object, 0, &value), ZX_OK);
    object_release(&event->object);
}

static void check_failure(const struct nomem_row *row, const struct snapshot *before,
                          const struct snapshot *after, int64_t result)
{
    assert_status(result, ZX_ERR_NO_MEMORY);
    assert_null(SELF->wait.kind);
    if (!(row->flags & (CONSUMES | ENDS)))
        assert_int_equal(after->handles, before->handles);
    if (!(row->flags & (CONSUMES | ENDS | COMMITS | KEEPS)))
        assert_int_equal(after->heap, before->heap);
    if (!(row->flags & (COMMITS | ENDS)))
        assert_int_equal(after->frames, before->frames);
}

/* What the fixture does not know of: events of the kernel, and a process that the call started. */
static void end_attempt(void)
{
    struct process *process, *next;

    TAILQ_FOREACH_SAFE(process, &fix.kernel.root_job->processes, job_link, next)
        if (process != fix.process)
            process_kill(process, 0);
    for (int i = 0; i < 4; i++)
        if (fix.kernel.system_events[i])
            object_release(&fix.kernel.system_events[i]->object);
}

/* The call in a fresh kernel, its n-th allocation failing. False: it has not made so many. */
static bool attempt(const struct nomem_row *row, enum nomem_source source, bool full, uint64_t n)
{
    struct snapshot before, after;
    int64_t result;
    bool reached;

    fixture_setup(NULL);
    for (size_t at = 0; at < USER_BYTES; at += PAGE)
        fixture_poke(at, "", 1);
    row->prepare();
    if (full)
        fill_handle_table();
    before = take_snapshot();
    arm(source, n);
    result = row->run();
    reached = !still_armed(source, n);
    after = take_snapshot();
    if (reached && result != ZX_OK)
        check_failure(row, &before, &after, result);
    else if (row->flags & PARKS)
        assert_non_null(SELF->wait.kind);
    else
        assert_status(result, ZX_OK);
    end_attempt();
    fixture_teardown(NULL);
    return reached;
}

static void nomem_run(const struct nomem_row *row, enum nomem_source source, bool full)
{
    uint64_t n = 1;

    while (attempt(row, source, full, n))
        assert_true(n++ < 1000);
}

#endif
