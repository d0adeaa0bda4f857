/*
 * test_pager.c - pagers, streams, BTIs: rules sections 9, 5 and 11.
 */
#include "helpers.h"

#include <zircon/device.h>
#include <zircon/exception.h>
#include <zircon/ipc.h>

#include "aspace.h"
#include "bti.h"
#include "pager.h"
#include "port.h"
#include "resource.h"
#include "stream.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE 4096ull

/* ---- Pagers -------------------------------------------------------------------------------- */

struct setup {
    zx_handle_t pager, port, vmo, aux;
    struct vmo *object;
};

static struct vmo *vmo_of(zx_handle_t handle)
{
    return container_of(object_of(handle), struct vmo, object);
}

static struct setup new_setup(uint64_t pages)
{
    struct setup s;

    assert_status(sys_pager_create(SELF, 0, U(0)), ZX_OK);
    s.pager = fixture_handle_at(0);
    assert_status(sys_port_create(SELF, 0, U(0)), ZX_OK);
    s.port = fixture_handle_at(0);
    assert_status(
        sys_pager_create_vmo(SELF, s.pager, ZX_VMO_RESIZABLE, s.port, 77, pages * PAGE, U(0)),
        ZX_OK);
    s.vmo = fixture_handle_at(0);
    s.object = vmo_of(s.vmo);
    assert_status(sys_vmo_create(SELF, 16 * PAGE, 0, U(0)), ZX_OK);
    s.aux = fixture_handle_at(0);
    return s;
}

/* The next request, which must be there. */
static void expect_request(const struct setup *s, unsigned command, uint64_t page, uint64_t pages)
{
    zx_port_packet_t packet;

    assert_true(port_take(container_of(object_of(s->port), struct port, object), &packet));
    assert_int_equal(packet.key, 77);
    assert_int_equal(packet.type, ZX_PKT_TYPE_PAGE_REQUEST);
    assert_int_equal(packet.page_request.command, command);
    assert_int_equal(packet.page_request.offset, page * PAGE);
    assert_int_equal(packet.page_request.length, pages * PAGE);
}

static void expect_nothing(const struct setup *s)
{
    zx_port_packet_t packet;

    assert_false(port_take(container_of(object_of(s->port), struct port, object), &packet));
}

/* Supplies `pages` pages from `page` on, each beginning with the value page + 100. */
static void supply(const struct setup *s, uint64_t page, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        uint32_t value = (uint32_t)(page + i + 100);

        assert_status(vmo_write(vmo_of(s->aux), &value, i * PAGE, sizeof value), ZX_OK);
    }
    assert_status(
        sys_pager_supply_pages(SELF, s->pager, s->vmo, page * PAGE, pages * PAGE, s->aux, 0),
        ZX_OK);
}

static zx_status_t read_as(struct thread *thread, const struct setup *s, uint64_t page)
{
    return (zx_status_t)AS(thread, sys_vmo_read(thread, s->vmo, U(0x100), page * PAGE, 4));
}

static bool waits(const struct thread *thread)
{
    return thread->wait.kind == &wait_kind_page && !thread->wait.ended;
}

static void test_pager_read(void **state)
{
    struct thread *a = fixture_thread(), *b = fixture_thread();
    struct setup s = new_setup(8);

    (void)state;
    read_as(a, &s, 2);
    assert_true(waits(a));
    assert_int_equal(thread_info_state(a), ZX_THREAD_STATE_BLOCKED_PAGER);
    read_as(b, &s, 2); /* the same page is asked for once */
    expect_request(&s, ZX_PAGER_VMO_READ, 2, 1);
    expect_nothing(&s);
    supply(&s, 2, 1);
    assert_int_equal(vmo_attributed_pages(vmo_of(s.aux), 0, 16 * PAGE), 0); /* moved */
    assert_true(fixture_run(a));
    assert_true(fixture_run(b));
    assert_status(read_as(a, &s, 2), ZX_OK);
    assert_int_equal(u32_at(0x100), 102);
    /* Requests one after the other. */
    read_as(a, &s, 3);
    read_as(b, &s, 5);
    expect_request(&s, ZX_PAGER_VMO_READ, 3, 1);
    expect_request(&s, ZX_PAGER_VMO_READ, 5, 1);
    supply(&s, 0, 8); /* page 2 keeps what it has */
    assert_true(fixture_run(a));
    assert_true(fixture_run(b));
    assert_status(read_as(a, &s, 5), ZX_OK);
    end_thread(a);
    end_thread(b);
}

static void test_pager_fault_and_failure(void **state)
{
    struct thread *a = fixture_thread();
    struct setup s = new_setup(8);
    struct aspace *aspace = fix.process->aspace;
    zx_vaddr_t va;

    (void)state;
    assert_status(vmar_map(aspace->root, ZX_VM_PERM_READ, 0, s.object, 0, 8 * PAGE, &va), ZX_OK);
    assert_status(AS(a, aspace_fault(aspace, va + PAGE, 0)), ZX_ERR_SHOULD_WAIT);
    expect_request(&s, ZX_PAGER_VMO_READ, 1, 1);
    assert_status(sys_pager_op_range(SELF, s.pager, 1, s.vmo, 1, PAGE, (uint64_t)ZX_ERR_IO),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_pager_op_range(SELF, s.pager, 2, s.vmo, 0, PAGE, (uint64_t)ZX_ERR_IO),
                  ZX_ERR_NOT_SUPPORTED);
    assert_status(sys_pager_op_range(SELF, s.pager, 1, s.vmo, 0, PAGE, (uint64_t)ZX_ERR_NO_MEMORY),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_pager_op_range(SELF, s.pager, 1, s.vmo, 0, 8 * PAGE, (uint64_t)ZX_ERR_IO),
                  ZX_OK);
    assert_true(fixture_run(a));
    assert_status(AS(a, aspace_fault(aspace, va + PAGE, 0)), ZX_ERR_IO);          /* told once */
    assert_status(AS(a, aspace_fault(aspace, va + PAGE, 0)), ZX_ERR_SHOULD_WAIT); /* asked again */
    expect_request(&s, ZX_PAGER_VMO_READ, 1, 1);
    /* A suspended thread stops waiting and asks again afterwards. */
    thread_suspend(a);
    assert_false(fixture_run(a));
    thread_resume(a);
    assert_true(fixture_run(a));
    assert_status(AS(a, aspace_fault(aspace, va + PAGE, 0)), ZX_ERR_SHOULD_WAIT);
    expect_request(&s, ZX_PAGER_VMO_READ, 1, 1);
    expect_nothing(&s);
    assert_status(sys_pager_detach_vmo(SELF, s.pager, s.vmo), ZX_OK);
    assert_true(fixture_run(a));
    assert_status(AS(a, aspace_fault(aspace, va + PAGE, 0)), ZX_ERR_BAD_STATE);
    expect_request(&s, ZX_PAGER_VMO_COMPLETE, 0, 0);
    assert_status(sys_pager_detach_vmo(SELF, s.pager, s.vmo), ZX_OK); /* once more */
    expect_nothing(&s);
    end_thread(a);
}

/* A process whose first page its pager has: the thread waits for it before it begins. */
static void test_pager_begin(void **state)
{
    struct thread *a = fixture_thread();
    struct setup s = new_setup(8);
    struct aspace *aspace = fix.process->aspace;
    zx_vaddr_t va;

    (void)state;
    assert_status(vmar_map(aspace->root, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, s.object, 0,
                           8 * PAGE, &va),
                  ZX_OK);
    a->context.regs.rip = va + 3 * PAGE + 5;
    a->flags |= THREAD_PROCESS_STARTING | THREAD_STARTING | THREAD_BEGINNING;
    thread_suspend(a);
    assert_false(fixture_run(a)); /* suspended: it does not begin yet */
    expect_nothing(&s);
    thread_resume(a);
    assert_false(fixture_run(a));
    assert_true(waits(a));
    expect_request(&s, ZX_PAGER_VMO_READ, 3, 1);
    supply(&s, 3, 1);
    assert_true(fixture_run(a));
    assert_int_equal(a->flags, 0);
    expect_nothing(&s);
    /* Nothing is there: the fault will tell. */
    a->context.regs.rip = va + 8 * PAGE;
    a->flags |= THREAD_BEGINNING;
    assert_true(fixture_run(a));
    end_thread(a);
}

static void test_pager_commit_asks_for_ranges(void **state)
{
    struct thread *a = fixture_thread();
    struct setup s = new_setup(40);

    (void)state;
    supply(&s, 4, 1);
    AS(a, sys_vmo_op_range(a, s.vmo, ZX_VMO_OP_COMMIT, PAGE, 38 * PAGE, NONE, 0));
    expect_request(&s, ZX_PAGER_VMO_READ, 1, 3);
    supply(&s, 1, 3);
    assert_true(fixture_run(a));
    AS(a, sys_vmo_op_range(a, s.vmo, ZX_VMO_OP_COMMIT, PAGE, 38 * PAGE, NONE, 0));
    expect_request(&s, ZX_PAGER_VMO_READ, 5, 34);
    supply(&s, 5, 1); /* too little: the rest is still asked for */
    assert_true(fixture_run(a));
    end_thread(a);
}

static void test_pager_clones(void **state)
{
    struct thread *a = fixture_thread();
    struct setup s = new_setup(4);
    struct vmo *clone, *inner, *none;
    uint32_t value;

    (void)state;
    assert_status(vmo_create_child(s.object, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &none),
                  ZX_ERR_NOT_SUPPORTED);
    assert_status(
        vmo_create_child(s.object, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, PAGE, 3 * PAGE, &clone),
        ZX_OK);
    assert_status(vmo_create_child(clone, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &none),
                  ZX_ERR_NOT_SUPPORTED);
    assert_status(
        vmo_create_child(clone, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, PAGE, 4 * PAGE, &inner),
        ZX_OK);
    assert_status(AS(a, vmo_read(inner, &value, 0, 4)), ZX_ERR_SHOULD_WAIT);
    expect_request(&s, ZX_PAGER_VMO_READ, 2, 1);
    supply(&s, 0, 4);
    assert_true(fixture_run(a));
    assert_status(vmo_read(inner, &value, 0, 4), ZX_OK);
    assert_int_equal(value, 102);
    value = 5;
    assert_status(vmo_write(clone, &value, 2 * PAGE, 4), ZX_OK);
    assert_status(vmo_zero(inner, 0, PAGE), ZX_OK);
    assert_status(vmo_read(inner, &value, 0, 4), ZX_OK);
    assert_int_equal(value, 0);
    assert_status(vmo_read(inner, &value, 2 * PAGE, 4), ZX_OK);
    assert_int_equal(value, 0); /* beyond what the clone has of the source */
    assert_int_equal(vmo_attributed_pages(s.object, 0, 4 * PAGE), 4);
    assert_int_equal(vmo_attributed_pages(clone, 0, 3 * PAGE), 1);
    object_release(OBJECT(clone));
    /* Shrinking the source cuts the view for good. */
    assert_status(vmo_set_size(s.object, PAGE), ZX_OK);
    assert_status(vmo_set_size(s.object, 4 * PAGE), ZX_OK);
    assert_status(vmo_read(inner, &value, PAGE, 4), ZX_OK);
    assert_int_equal(value, 5);
    object_release(OBJECT(inner));
    end_thread(a);
}

static void test_pager_supply_errors(void **state)
{
    struct setup s = new_setup(4), other = new_setup(4);
    struct vmo *clone;

    (void)state;
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 1, PAGE, s.aux, 0),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_pager_supply_pages(SELF, s.pager, other.vmo, 0, PAGE, s.aux, 0),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 0, PAGE, s.aux, 0),
                  ZX_ERR_BAD_STATE); /* not committed */
    assert_status(vmo_commit(vmo_of(s.aux), 0, 16 * PAGE), ZX_OK);
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 0, 17 * PAGE, s.aux, 0),
                  ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 0, 5 * PAGE, s.aux, 0),
                  ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 0, 0 - PAGE, s.aux, 2 * PAGE),
                  ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_create_child(vmo_of(s.aux), ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &clone), ZX_OK);
    assert_status(sys_pager_supply_pages(SELF, s.pager, s.vmo, 0, PAGE, s.aux, 0),
                  ZX_ERR_BAD_STATE);
    object_release(OBJECT(clone));
    for (unsigned n = 1; n < 3; n++) { /* whatever fails, no page is lost or doubled */
        size_t frames = fake_frames_in_use();

        heap_fail_nth(n);
        sys_pager_supply_pages(SELF, s.pager, s.vmo, PAGE, 2 * PAGE, s.aux, 2 * n * PAGE);
        heap_fail_nth(0);
        assert_true(fake_frames_in_use() <= frames);
    }
}

/* The VMO, then the pager, then the port go, each while something is still on its way. */
static void test_pager_ends(void **state)
{
    struct thread *a = fixture_thread();
    struct setup s = new_setup(4), t = new_setup(4);

    (void)state;
    read_as(a, &s, 1);
    close_handle(s.vmo);
    assert_true(fixture_run(a));
    assert_status(read_as(a, &s, 1), ZX_ERR_BAD_HANDLE);
    /* The request that nobody has read is not told any more. */
    expect_request(&s, ZX_PAGER_VMO_COMPLETE, 0, 0);
    read_as(a, &t, 1);
    close_handle(t.pager);
    assert_true(fixture_run(a));
    assert_status(read_as(a, &t, 1), ZX_ERR_BAD_STATE);
    close_handle(t.port);
    close_handle(t.vmo);
    end_thread(a);
}

/* ---- Streams ------------------------------------------------------------------------------- */

static void set_vector(size_t offset, size_t a, size_t a_size, size_t b, size_t b_size)
{
    zx_iovec_t vector[2] = {
        {.buffer = (void *)(uintptr_t)U(a).va, .capacity = a_size},
        {.buffer = (void *)(uintptr_t)U(b).va, .capacity = b_size},
    };

    fixture_poke(offset, vector, sizeof vector);
}

static void test_stream(void **state)
{
    zx_handle_t vmo, stream;
    char text[16] = "hello, stream";

    (void)state;
    assert_status(sys_vmo_create(SELF, 5, ZX_VMO_RESIZABLE, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    assert_status(sys_stream_create(SELF, 4, vmo, 0, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_stream_create(SELF, 3, vmo, 0, U(0)), ZX_OK);
    stream = fixture_handle_at(0);
    fixture_poke(0x200, text, sizeof text);
    set_vector(0x100, 0x200, 5, 0x205, 8);
    assert_status(sys_stream_writev(SELF, stream, 0, U(0x100), 2, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 13);
    assert_int_equal(vmo_of(vmo)->content_size, 13);
    assert_status(sys_stream_seek(SELF, stream, 0, 2, U(0)), ZX_OK);
    set_vector(0x100, 0x300, 3, 0x303, 100);
    assert_status(sys_stream_readv(SELF, stream, 0, U(0x100), 2, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 11);
    fixture_peek(0x300, text, 11);
    assert_memory_equal(text, "llo, stream", 11);
    assert_status(sys_stream_readv(SELF, stream, 0, U(0x100), 2, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 0); /* the end */
    /* A gap becomes zero, even where the VMO held something. */
    assert_status(vmo_write(vmo_of(vmo), "junk", 20, 4), ZX_OK);
    set_vector(0x100, 0x200, 5, 0, 0);
    assert_status(sys_stream_writev_at(SELF, stream, 0, 2 * PAGE - 2, U(0x100), 1, U(0)), ZX_OK);
    assert_int_equal(vmo_of(vmo)->size, 3 * PAGE);
    assert_int_equal(vmo_of(vmo)->content_size, 2 * PAGE + 3);
    assert_status(vmo_read(vmo_of(vmo), text, 20, 4), ZX_OK);
    assert_memory_equal(text, "\0\0\0\0", 4);
    assert_status(sys_stream_writev(SELF, stream, ZX_STREAM_APPEND, U(0x100), 1, NONE), ZX_OK);
    assert_int_equal(vmo_of(vmo)->content_size, 2 * PAGE + 8);
    assert_status(sys_stream_seek(SELF, stream, 1, 0, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 2 * PAGE + 8);
    assert_status(sys_stream_seek(SELF, stream, 2, -8, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 2 * PAGE);
    assert_status(sys_stream_seek(SELF, stream, 0, -1, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_stream_seek(SELF, stream, 3, 0, U(0)), ZX_ERR_INVALID_ARGS);
}

static void test_stream_limits(void **state)
{
    zx_handle_t vmo, stream;

    (void)state;
    assert_status(sys_vmo_create(SELF, PAGE, 0, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    assert_status(sys_stream_create(SELF, ZX_STREAM_MODE_WRITE, vmo, PAGE - 2, U(0)), ZX_OK);
    stream = fixture_handle_at(0);
    set_vector(0x100, 0x200, 5, 0, 0);
    assert_status(sys_stream_readv(SELF, stream, 0, U(0x100), 1, U(0)), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_stream_writev(SELF, stream, 0, U(0x100), 1, U(0)), ZX_OK);
    assert_int_equal(u64_at(0), 2); /* what fits */
    assert_status(sys_stream_writev(SELF, stream, 0, U(0x100), 1, U(0)), ZX_ERR_NO_SPACE);
    assert_status(sys_stream_writev_at(SELF, stream, 0, UINT64_MAX, U(0x100), 1, U(0)),
                  ZX_ERR_FILE_BIG);
    assert_status(sys_stream_writev(SELF, stream, 0, NONE, 1, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_stream_writev(SELF, stream, 2, U(0x100), 1, U(0)), ZX_ERR_INVALID_ARGS);
    set_vector(0x100, 0x200, SIZE_MAX, 0x200, 2);
    assert_status(sys_stream_writev(SELF, stream, 0, U(0x100), 2, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_stream_writev(SELF, stream, 0, U(0x100), SIZE_MAX, U(0)), ZX_ERR_NO_MEMORY);
}

/* ---- BTIs ---------------------------------------------------------------------------------- */

static void test_bti(void **state)
{
    zx_handle_t root, iommu, bti, vmo, pmt;
    zx_info_bti_t info;
    char desc = 0;

    (void)state;
    object_ref(&fix.kernel.root_resource->object);
    root = fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    fixture_poke(0x100, &desc, 1);
    assert_status(sys_iommu_create(SELF, root, 0, U(0x100), 2, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_iommu_create(SELF, root, 0, U(0x100), 1, U(0)), ZX_OK);
    iommu = fixture_handle_at(0);
    assert_status(sys_bti_create(SELF, iommu, 0, 5, U(0)), ZX_OK);
    bti = fixture_handle_at(0);
    assert_status(sys_vmo_create(SELF, 4 * PAGE, 0, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, 0, 1, U(0x200), 1, U(0)),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_bti_pin(SELF, bti, 0, vmo, 0, PAGE, U(0x200), 1, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, 0, 5 * PAGE, U(0x200), 5, U(0)),
                  ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, 0, 2 * PAGE, U(0x200), 1, U(0)),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, vmo, 0, 2 * PAGE,
                              U(0x200), 1, U(0)),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, 0, 2 * PAGE, U(0x200), 2, BAD),
                  ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_of(vmo)->pinned, 0); /* a failed pin holds nothing */
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, PAGE, 2 * PAGE, U(0x200), 2, U(0)),
                  ZX_OK);
    pmt = fixture_handle_at(0);
    assert_int_not_equal(u64_at(0x200), u64_at(0x208));
    assert_status(sys_vmo_op_range(SELF, vmo, ZX_VMO_OP_DECOMMIT, 0, 4 * PAGE, NONE, 0),
                  ZX_ERR_BAD_STATE);
    close_handle(pmt); /* not unpinned: quarantine */
    assert_int_equal(vmo_of(vmo)->pinned, 2);
    object_of(bti)->ops->get_info(object_of(bti), &info);
    assert_int_equal(info.quarantine_count, 1);
    assert_status(sys_bti_release_quarantine(SELF, bti), ZX_OK);
    assert_int_equal(vmo_of(vmo)->pinned, 0);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, PAGE, 2 * PAGE, U(0x200), 2, U(0)),
                  ZX_OK);
    pmt = fixture_handle_at(0);
    assert_status(sys_pmt_unpin(SELF, pmt), ZX_OK);
    assert_false(valid(pmt));
    assert_int_equal(vmo_of(vmo)->pinned, 0);
    assert_status(sys_pmt_unpin(SELF, iommu), ZX_ERR_WRONG_TYPE);
    assert_false(valid(iommu));
    /* The BTI goes before the PMT. */
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ, vmo, PAGE, 2 * PAGE, U(0x200), 2, U(0)),
                  ZX_OK);
    pmt = fixture_handle_at(0);
    close_handle(bti);
    close_handle(pmt);
    assert_int_equal(vmo_of(vmo)->pinned, 0);
}

static void test_contiguous_call(void **state)
{
    zx_handle_t root, iommu, bti, vmo;
    char desc = 0;

    (void)state;
    object_ref(&fix.kernel.root_resource->object);
    root = fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    fixture_poke(0x100, &desc, 1);
    assert_status(sys_iommu_create(SELF, root, 0, U(0x100), 1, U(0)), ZX_OK);
    iommu = fixture_handle_at(0);
    assert_status(sys_bti_create(SELF, iommu, 0, 5, U(0)), ZX_OK);
    bti = fixture_handle_at(0);
    assert_status(sys_vmo_create_contiguous(SELF, bti, 0, 0, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create_contiguous(SELF, bti, PAGE, 11, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create_contiguous(SELF, bti, PAGE, 64, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create_contiguous(SELF, bti, 1ull << 60, 0, U(0)), ZX_ERR_NO_MEMORY);
    assert_status(sys_vmo_create_contiguous(SELF, bti, UINT64_MAX, 0, U(0)), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_create_contiguous(SELF, bti, 3 * PAGE - 1, 16, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    assert_status(sys_bti_pin(SELF, bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, vmo, 0, 3 * PAGE,
                              U(0x200), 1, U(0)),
                  ZX_OK);
    assert_int_equal(u64_at(0x200) & 0xffff, 0);
    assert_status(sys_pmt_unpin(SELF, fixture_handle_at(0)), ZX_OK);
    assert_status(sys_vmo_create_physical(SELF, root, 0xfee00000, 0, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create_physical(SELF, root, 0xfee00001, PAGE, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create_physical(SELF, bti, 0xfee00000, PAGE, U(0)), ZX_ERR_WRONG_TYPE);
    assert_status(sys_vmo_create_physical(SELF, root, 0xfee00000, PAGE, U(0)), ZX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pager_read),
        TEST(test_pager_fault_and_failure),
        TEST(test_pager_begin),
        TEST(test_pager_commit_asks_for_ranges),
        TEST(test_pager_clones),
        TEST(test_pager_supply_errors),
        TEST(test_pager_ends),
        TEST(test_stream),
        TEST(test_stream_limits),
        TEST(test_bti),
        TEST(test_contiguous_call),
    };

    return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}
