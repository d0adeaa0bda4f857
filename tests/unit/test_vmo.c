/*
 * test_vmo.c - VMOs: the rules of section 8, attribution of shared pages, and what many and deep
 * clones cost. Content under random operations is test_vmo_model.c's.
 */
#include "helpers.h"

#include "aspace.h"
#include "resource.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE 4096ull
#define COW  ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE
#define RW   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

static struct vmo *new_vmo(uint64_t pages)
{
    struct vmo *vmo;

    assert_status(vmo_create(pages * PAGE, VMO_RESIZABLE, &vmo), ZX_OK);
    return vmo;
}

static struct vmo *clone_of(struct vmo *vmo, uint64_t offset, uint64_t pages)
{
    struct vmo *clone;

    assert_status(
        vmo_create_child(vmo, COW | ZX_VMO_CHILD_RESIZABLE, offset * PAGE, pages * PAGE, &clone),
        ZX_OK);
    return clone;
}

static void put(struct vmo *vmo, uint64_t page, uint32_t value)
{
    assert_status(vmo_write(vmo, &value, page * PAGE, sizeof value), ZX_OK);
}

static uint32_t get(struct vmo *vmo, uint64_t page)
{
    uint32_t value;

    assert_status(vmo_read(vmo, &value, page * PAGE, sizeof value), ZX_OK);
    return value;
}

/* Page n holds n + 1. */
static struct vmo *tagged_vmo(uint64_t pages)
{
    struct vmo *vmo = new_vmo(pages);

    for (uint64_t i = 0; i < pages; i++)
        put(vmo, i, (uint32_t)i + 1);
    return vmo;
}

static uint64_t committed(struct vmo *vmo)
{
    return vmo_attributed_pages(vmo, 0, vmo->size);
}

static void done(struct vmo *vmo)
{
    object_release(OBJECT(vmo));
}

/* ---- Creation, size, copying --------------------------------------------------------------- */

static void test_sizes(void **state)
{
    struct vmo *vmo;

    (void)state;
    assert_status(vmo_create(UINT64_MAX, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_create(VMO_MAX_SIZE + 1, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_create(VMO_MAX_SIZE, VMO_RESIZABLE, &vmo), ZX_OK);
    assert_status(vmo_set_size(vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    put(vmo, VMO_MAX_SIZE / PAGE - 1, 7);
    put(vmo, 0, 8);
    assert_int_equal(get(vmo, VMO_MAX_SIZE / PAGE - 1), 7);
    assert_int_equal(committed(vmo), 2);
    assert_status(vmo_set_size(vmo, PAGE + 1), ZX_OK);
    assert_int_equal(vmo->size, 2 * PAGE);
    assert_int_equal(vmo->content_size, PAGE + 1);
    assert_int_equal(committed(vmo), 1);
    done(vmo);
    assert_status(vmo_create(0, 0, &vmo), ZX_OK);
    assert_status(vmo_set_size(vmo, PAGE), ZX_ERR_UNAVAILABLE);
    assert_status(vmo_read(vmo, NULL, 0, 0), ZX_OK);
    done(vmo);
}

static void test_one_page_costs_one_block(void **state)
{
    size_t before = heap_used();
    struct vmo *vmo = new_vmo(1);
    size_t empty = heap_used();

    (void)state;
    put(vmo, 0, 1);
    assert_int_equal(heap_used(), empty); /* no node for a single page */
    assert_in_range(empty - before, sizeof *vmo, 400);
    done(vmo);
}

static void test_copy_ranges(void **state)
{
    struct vmo *vmo = new_vmo(2);
    char byte = 1;

    (void)state;
    assert_status(vmo_write(vmo, &byte, 2 * PAGE, 1), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_write(vmo, &byte, UINT64_MAX, 1), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_write(vmo, &byte, UINT64_MAX, 2), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_read(vmo, &byte, 1, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_write(vmo, &byte, 2 * PAGE - 1, 1), ZX_OK);
    assert_int_equal(committed(vmo), 1);
    assert_status(vmo_read(vmo, &byte, 0, 1), ZX_OK);
    assert_int_equal(byte, 0);
    assert_int_equal(committed(vmo), 1); /* reading commits nothing */
    done(vmo);
}

static void test_read_write_calls(void **state)
{
    zx_handle_t handle;
    uint64_t size;
    static char text[3 * PAGE];

    (void)state;
    assert_status(sys_vmo_create(SELF, 3 * PAGE, 4, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_create(SELF, 3 * PAGE, ZX_VMO_RESIZABLE, U(0)), ZX_OK);
    handle = fixture_handle_at(0);
    memset(text, 'x', sizeof text);
    fixture_poke(0x1000, text, sizeof text);
    assert_status(sys_vmo_write(SELF, handle, U(0x1000), 5, 3 * PAGE - 5), ZX_OK);
    assert_status(sys_vmo_write(SELF, handle, U(0x1000), 5, 3 * PAGE), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_read(SELF, handle, U(0x8001), 1, 2 * PAGE), ZX_OK);
    fixture_peek(0x8001, text, 8);
    assert_memory_equal(text, "\0\0\0\0xxxx", 8);
    /* A huge length, a bad address, no address: errors, and no harm. */
    assert_status(sys_vmo_read(SELF, handle, U(0), 0, SIZE_MAX), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_vmo_read(SELF, handle, BAD, 0, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_write(SELF, handle, NONE, 0, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_write(SELF, handle, (struct user_ptr){UINT64_MAX - 3}, 0, PAGE),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_read(SELF, handle, U(USER_BYTES - 16), 0, 32), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_get_size(SELF, handle, U(0)), ZX_OK);
    size = u64_at(0);
    assert_int_equal(size, 3 * PAGE);
    assert_status(sys_vmo_get_size(SELF, handle, BAD), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmo_set_size(SELF, handle, 1), ZX_OK);
    handle = with_rights(handle, ZX_RIGHT_READ);
    assert_status(sys_vmo_write(SELF, handle, U(0), 0, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_vmo_set_size(SELF, handle, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_vmo_op_range(SELF, handle, ZX_VMO_OP_COMMIT, 0, 1, NONE, 0),
                  ZX_ERR_ACCESS_DENIED);
    assert_status(sys_vmo_op_range(SELF, handle, 5, 0, 1, NONE, 0), ZX_ERR_INVALID_ARGS);
    close_handle(handle);
    assert_status(sys_vmo_create(SELF, PAGE, 0, BAD), ZX_ERR_INVALID_ARGS);
}

/* The user's buffer is the VMO itself, and a clone of it. */
static void test_copy_onto_itself(void **state)
{
    struct vmo *vmo = tagged_vmo(4), *clone = clone_of(vmo, 0, 4);
    zx_vaddr_t va, clone_va;

    (void)state;
    assert_status(vmar_map(fix.process->aspace->root, RW, 0, vmo, 0, 4 * PAGE, &va), ZX_OK);
    assert_status(vmar_map(fix.process->aspace->root, RW, 0, clone, 0, 4 * PAGE, &clone_va), ZX_OK);
    assert_status(vmo_read_user(vmo, fix.process, (struct user_ptr){va + PAGE}, 0, 2 * PAGE),
                  ZX_OK);
    assert_int_equal(get(vmo, 1), 1);
    assert_int_equal(get(clone, 1), 2);
    assert_status(vmo_write_user(clone, fix.process, (struct user_ptr){va}, PAGE, 3 * PAGE), ZX_OK);
    assert_int_equal(get(clone, 2), 1);
    assert_int_equal(get(vmo, 3), 4);
    assert_status(vmo_write_user(vmo, fix.process, (struct user_ptr){clone_va}, 0, 4 * PAGE),
                  ZX_OK);
    assert_int_equal(get(vmo, 0), 1);
    done(vmo);
    done(clone);
}

/* ---- Operations on ranges ------------------------------------------------------------------ */

static void test_op_ranges(void **state)
{
    struct vmo *vmo = new_vmo(4);

    (void)state;
    assert_status(vmo_commit(vmo, PAGE + 1, PAGE), ZX_OK); /* touches two pages */
    assert_int_equal(committed(vmo), 2);
    assert_status(vmo_commit(vmo, 3 * PAGE, UINT64_MAX - 3 * PAGE), ZX_OK); /* tail is trimmed */
    assert_int_equal(committed(vmo), 3);
    assert_status(vmo_commit(vmo, 5 * PAGE, 0), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_commit(vmo, 3 * PAGE, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_decommit(vmo, 1, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_decommit(vmo, PAGE, 1), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_decommit(vmo, 8 * PAGE, PAGE), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_decommit(vmo, PAGE, PAGE), ZX_OK);
    assert_int_equal(committed(vmo), 2);
    assert_status(vmo_zero(vmo, PAGE / 2, 2 * PAGE), ZX_OK); /* nothing there but page 2's half */
    assert_int_equal(committed(vmo), 2);
    assert_status(vmo_zero(vmo, 0, UINT64_MAX), ZX_OK);
    assert_int_equal(committed(vmo), 0);
    assert_status(vmo_op_range(vmo, ZX_VMO_OP_CACHE_SYNC, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_op_range(vmo, ZX_VMO_OP_CACHE_SYNC, PAGE, 4 * PAGE), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_op_range(vmo, ZX_VMO_OP_CACHE_CLEAN, 0, 4 * PAGE), ZX_OK);
    assert_status(vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    done(vmo);
}

static void test_cache_policy(void **state)
{
    struct vmo *vmo, *clone;
    char byte = 0;

    (void)state;
    assert_status(vmo_create(PAGE, 0, &vmo), ZX_OK);
    assert_status(vmo_set_cache_policy(vmo, 4), ZX_ERR_INVALID_ARGS);
    clone = clone_of(vmo, 0, 1);
    assert_status(vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    assert_status(vmo_set_cache_policy(clone, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    done(clone);
    put(vmo, 0, 1);
    assert_status(vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_OK);
    assert_status(vmo_read(vmo, &byte, 0, 1), ZX_ERR_BAD_STATE);
    assert_status(vmo_zero(vmo, 0, 1), ZX_ERR_BAD_STATE);
    assert_status(vmo_create_child(vmo, COW, 0, PAGE, &clone), ZX_ERR_BAD_STATE);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &clone), ZX_ERR_BAD_STATE);
    assert_status(vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED), ZX_ERR_BAD_STATE);
    done(vmo);
}

/* ---- Children ------------------------------------------------------------------------------ */

static void test_child_arguments(void **state)
{
    struct vmo *vmo = new_vmo(2), *child, *fixed;

    (void)state;
    assert_status(vmo_create_child(vmo, 0, 0, PAGE, &child), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(vmo, 0x40, 0, PAGE, &child), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT | COW, 0, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(vmo, COW, 1, PAGE, &child), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(vmo, COW, 0, UINT64_MAX, &child), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_create_child(vmo, COW, 0 - PAGE, 2 * PAGE, &child), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &child), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_create(2 * PAGE, 0, &fixed), ZX_OK);
    assert_status(vmo_create_child(fixed, ZX_VMO_CHILD_SLICE | COW, 0, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(fixed, ZX_VMO_CHILD_SLICE, 1, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(fixed, ZX_VMO_CHILD_SLICE, PAGE, 2 * PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmo_create_child(fixed, ZX_VMO_CHILD_SLICE, PAGE, UINT64_MAX, &child),
                  ZX_ERR_INVALID_ARGS);
    done(fixed);
    done(vmo);
}

static void test_child_rights(void **state)
{
    zx_handle_t vmo, child;
    zx_info_vmo_t info;

    (void)state;
    assert_status(sys_vmo_create(SELF, PAGE, 0, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    vmo_set_name(container_of(object_of(vmo), struct vmo, object), "original");
    assert_status(sys_vmo_create_child(SELF, vmo, COW, 0, PAGE, U(0)), ZX_OK);
    child = fixture_handle_at(0);
    assert_int_equal(handle_find(fix.process, child)->rights, ZX_DEFAULT_VMO_RIGHTS);
    vmo_get_info(container_of(object_of(child), struct vmo, object), &info);
    assert_string_equal(info.name, "original");
    assert_int_equal(info.parent_koid, object_of(vmo)->koid);
    close_handle(child);
    vmo = with_rights(vmo, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE);
    assert_status(sys_vmo_create_child(SELF, vmo, COW, 0, PAGE, U(0)), ZX_OK);
    child = fixture_handle_at(0);
    assert_int_equal(handle_find(fix.process, child)->rights,
                     ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHTS_PROPERTY);
    close_handle(child);
    assert_status(sys_vmo_create_child(SELF, vmo, COW | ZX_VMO_CHILD_NO_WRITE, 0, PAGE, U(0)),
                  ZX_OK);
    child = fixture_handle_at(0);
    assert_int_equal(handle_find(fix.process, child)->rights,
                     ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE | ZX_RIGHTS_PROPERTY);
    close_handle(child);
    vmo = with_rights(vmo, ZX_RIGHT_READ);
    assert_status(sys_vmo_create_child(SELF, vmo, COW, 0, PAGE, U(0)), ZX_ERR_ACCESS_DENIED);
}

static void test_zero_children_signal(void **state)
{
    struct vmo *vmo, *clone, *slice, *grandchild;

    (void)state;
    assert_status(vmo_create(PAGE, 0, &vmo), ZX_OK);
    assert_true(vmo->object.signals & ZX_VMO_ZERO_CHILDREN);
    clone = clone_of(vmo, 0, 1);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice), ZX_OK);
    assert_status(vmo_create_child(slice, ZX_VMO_CHILD_SLICE, 0, PAGE, &grandchild), ZX_OK);
    assert_int_equal(vmo->num_children, 2);
    assert_false(vmo->object.signals & ZX_VMO_ZERO_CHILDREN);
    assert_true(clone->object.signals & ZX_VMO_ZERO_CHILDREN);
    done(clone);
    assert_false(vmo->object.signals & ZX_VMO_ZERO_CHILDREN);
    done(slice); /* still there: its own slice keeps it */
    assert_false(vmo->object.signals & ZX_VMO_ZERO_CHILDREN);
    done(grandchild);
    assert_true(vmo->object.signals & ZX_VMO_ZERO_CHILDREN);
    clone = clone_of(vmo, 0, 1);
    done(vmo); /* the parent goes first */
    assert_null(clone->parent);
    done(clone);
}

static void test_slices(void **state)
{
    struct vmo *vmo, *slice, *inner, *none;

    (void)state;
    assert_status(vmo_create(8 * PAGE, 0, &vmo), ZX_OK);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 2 * PAGE, 4 * PAGE, &slice), ZX_OK);
    assert_status(vmo_create_child(slice, ZX_VMO_CHILD_SLICE, PAGE, 2 * PAGE, &inner), ZX_OK);
    put(inner, 1, 9);
    assert_int_equal(get(vmo, 4), 9);
    assert_int_equal(get(slice, 2), 9);
    assert_int_equal(committed(vmo), 1);
    assert_int_equal(committed(inner), 0);
    assert_status(vmo_set_size(slice, PAGE), ZX_ERR_UNAVAILABLE);
    assert_status(vmo_create_child(slice, COW, 0, PAGE, &none), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_decommit(slice, 2 * PAGE, PAGE), ZX_OK);
    assert_int_equal(get(inner, 1), 0);
    put(vmo, 3, 5);
    done(vmo); /* the slices keep the pages */
    done(slice);
    assert_int_equal(get(inner, 0), 5);
    done(inner);
}

/* Attribution, with the figures that Zircon's own tests of clones expect. */
static void test_attribution(void **state)
{
    struct vmo *vmo = tagged_vmo(2), *clone, *clone2;

    (void)state;
    clone = clone_of(vmo, 0, 2);
    assert_int_equal(committed(vmo), 2);
    assert_int_equal(committed(clone), 0);
    put(vmo, 0, 10);
    assert_int_equal(committed(vmo), 2);
    assert_int_equal(committed(clone), 1);
    put(clone, 1, 11);
    assert_int_equal(committed(vmo), 2);
    assert_int_equal(committed(clone), 2);
    put(vmo, 1, 12);
    put(clone, 0, 13);
    assert_int_equal(committed(vmo) + committed(clone), 4);
    done(clone);
    /* A window that goes beyond the parent; the parent's end frees what only it could see. */
    clone = clone_of(vmo, 1, 3);
    put(clone, 1, 4);
    done(vmo);
    assert_int_equal(get(clone, 0), 12);
    assert_int_equal(committed(clone), 2);
    done(clone);
    /* Small clones: who is left is blamed, the oldest first. */
    vmo = tagged_vmo(3);
    clone = clone_of(vmo, 0, 2);
    put(clone, 1, 4);
    clone2 = clone_of(vmo, 0, 1);
    assert_int_equal(committed(vmo), 3);
    assert_int_equal(committed(clone), 1);
    assert_int_equal(committed(clone2), 0);
    done(vmo);
    assert_int_equal(committed(clone), 2);
    assert_int_equal(committed(clone2), 0);
    done(clone);
    assert_int_equal(committed(clone2), 1);
    done(clone2);
}

/* A write outside the clone's window takes no frame. */
static void test_write_out_of_sight(void **state)
{
    struct vmo *vmo = tagged_vmo(3), *clone = clone_of(vmo, 1, 1);
    size_t frames = fake_frames_in_use();

    (void)state;
    put(vmo, 0, 4);
    put(vmo, 2, 5);
    assert_int_equal(fake_frames_in_use(), frames);
    done(vmo);
    assert_int_equal(fake_frames_in_use(), frames - 2);
    assert_int_equal(get(clone, 0), 2);
    done(clone);
}

static void test_shrunk_clone_grows_zero(void **state)
{
    struct vmo *vmo = tagged_vmo(4), *clone = clone_of(vmo, 0, 4), *again;

    (void)state;
    assert_status(vmo_set_size(clone, PAGE), ZX_OK);
    assert_status(vmo_set_size(clone, 4 * PAGE), ZX_OK);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(get(clone, i), i == 0 ? 1 : 0);
    /* zCore showed the parent's page again here. */
    again = clone_of(clone, 0, 4);
    assert_int_equal(get(again, 1), 0);
    assert_status(vmo_set_size(vmo, 0), ZX_OK);
    assert_int_equal(get(again, 0), 1);
    assert_int_equal(committed(vmo), 0);
    assert_int_equal(committed(clone), 1);
    assert_int_equal(committed(again), 0);
    done(vmo);
    done(clone);
    done(again);
}

static void test_decommit_of_relatives(void **state)
{
    struct vmo *vmo = tagged_vmo(1), *clone = clone_of(vmo, 0, 1);

    (void)state;
    assert_status(vmo_decommit(vmo, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_decommit(clone, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    done(vmo);
    assert_status(vmo_decommit(clone, 0, PAGE), ZX_OK); /* alone again */
    done(clone);
}

/* ---- Depth and width ----------------------------------------------------------------------- */

/* A chain of clones of clones: each reads the first one's page; closing in any order works. */
static void test_deep_chain(void **state)
{
    enum { DEPTH = 1000 };
    static struct vmo *chain[DEPTH];
    size_t frames = fake_frames_in_use();

    (void)state;
    chain[0] = tagged_vmo(40);
    for (int i = 1; i < DEPTH; i++) {
        chain[i] = clone_of(chain[i - 1], 0, 40);
        put(chain[i], 1, (uint32_t)i);
    }
    for (int i = 1; i < DEPTH; i += 37) {
        assert_int_equal(get(chain[i], 39), 40);
        assert_int_equal(get(chain[i], 1), i);
    }
    assert_int_equal(fake_frames_in_use() - frames, 40 + DEPTH - 1);
    assert_int_equal(committed(chain[0]), 40);
    assert_int_equal(committed(chain[DEPTH - 1]), 1);
    for (int i = 0; i < DEPTH - 1; i++)
        done(chain[i]);
    assert_int_equal(fake_frames_in_use() - frames, 40);
    assert_int_equal(get(chain[DEPTH - 1], 0), 1);
    done(chain[DEPTH - 1]);
    assert_int_equal(fake_frames_in_use(), frames);
}

static void test_wide_tree(void **state)
{
    enum { WIDTH = 10000 };
    static struct vmo *clones[WIDTH];
    struct vmo *vmo = tagged_vmo(8);
    size_t frames = fake_frames_in_use();

    (void)state;
    for (int i = 0; i < WIDTH; i++)
        clones[i] = clone_of(vmo, 0, 8);
    assert_int_equal(vmo->num_children, WIDTH);
    assert_int_equal(fake_frames_in_use(), frames);
    put(clones[5000], 3, 1);
    assert_int_equal(fake_frames_in_use(), frames + 1);
    assert_int_equal(committed(clones[5000]), 1);
    for (int i = 0; i < WIDTH; i += 2)
        done(clones[i]);
    done(vmo);
    assert_int_equal(committed(clones[1]), 8);
    for (int i = 1; i < WIDTH; i += 2)
        done(clones[i]);
}

/* A chain of slices, and one of clones that look through, end without recursion. */
static void test_held_chains(void **state)
{
    enum { DEPTH = 20000 };
    struct vmo *vmo, *next;

    (void)state;
    assert_status(vmo_create(PAGE, 0, &vmo), ZX_OK);
    for (int i = 0; i < DEPTH; i++) {
        assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &next), ZX_OK);
        done(vmo);
        vmo = next;
    }
    put(vmo, 0, 3);
    assert_int_equal(get(vmo, 0), 3);
    done(vmo);
}

/* ---- Mapped clones ------------------------------------------------------------------------- */

static uint32_t peek(zx_vaddr_t va)
{
    uint32_t value;

    assert_status(user_read(fix.process, &value, (struct user_ptr){va}, sizeof value), ZX_OK);
    return value;
}

static void poke(zx_vaddr_t va, uint32_t value)
{
    assert_status(user_write(fix.process, (struct user_ptr){va}, &value, sizeof value), ZX_OK);
}

static void test_mapped_clone(void **state)
{
    struct vmo *vmo = tagged_vmo(2), *clone;
    zx_vaddr_t a, b;

    (void)state;
    assert_status(vmar_map(fix.process->aspace->root, RW, 0, vmo, 0, 2 * PAGE, &a), ZX_OK);
    poke(a, 5); /* mapped writable now */
    clone = clone_of(vmo, 0, 2);
    assert_status(vmar_map(fix.process->aspace->root, RW, 0, clone, 0, 2 * PAGE, &b), ZX_OK);
    assert_int_equal(peek(b), 5);
    poke(a, 6);
    assert_int_equal(peek(b), 5);
    poke(b + PAGE, 7);
    assert_int_equal(peek(a + PAGE), 2);
    put(vmo, 1, 8);
    assert_int_equal(peek(a + PAGE), 8);
    assert_int_equal(peek(b + PAGE), 7);
    done(vmo);
    done(clone);
}

/* ---- Other kinds --------------------------------------------------------------------------- */

static void test_from_frames(void **state)
{
    static const char text[] = "module";
    static char bytes[2 * PAGE];
    struct hal_module module;
    struct vmo *vmo, *clone;
    size_t frames = fake_frames_in_use();

    (void)state;
    memcpy(bytes + PAGE, text, sizeof text);
    module = fake_module(bytes, PAGE + sizeof text);
    assert_status(vmo_create_from_frames(module.paddr, module.length, &vmo), ZX_OK);
    assert_int_equal(vmo->size, 2 * PAGE);
    assert_int_equal(vmo->content_size, PAGE + sizeof text);
    assert_int_equal(committed(vmo), 2);
    assert_status(vmo_read(vmo, bytes, PAGE, sizeof text), ZX_OK);
    assert_string_equal(bytes, text);
    clone = clone_of(vmo, 1, 1);
    put(vmo, 1, 0);
    assert_status(vmo_read(clone, bytes, 0, sizeof text), ZX_OK);
    assert_string_equal(bytes, text);
    done(vmo);
    done(clone);
    assert_int_equal(fake_frames_in_use(), frames);
}

static void test_from_frames_out_of_memory(void **state)
{
    static char bytes[40 * PAGE];
    struct hal_module module = fake_module(bytes, sizeof bytes);
    struct vmo *vmo;
    size_t frames = fake_frames_in_use();

    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        heap_fail_nth(n);
        assert_status(vmo_create_from_frames(module.paddr, module.length, &vmo), ZX_ERR_NO_MEMORY);
        heap_fail_nth(0);
        assert_int_equal(fake_frames_in_use(), frames);
    }
    assert_status(vmo_create_from_frames(module.paddr, module.length, &vmo), ZX_OK);
    done(vmo);
}

static void test_contiguous(void **state)
{
    struct vmo *vmo, *clone, *grandchild;
    hal_paddr_t frames[4];

    (void)state;
    assert_status(vmo_create_contiguous(4 * PAGE, 14, &vmo), ZX_OK);
    assert_int_equal(committed(vmo), 4);
    for (uint64_t i = 0; i < 4; i++)
        put(vmo, i, (uint32_t)i + 1);
    assert_status(vmo_decommit(vmo, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_set_size(vmo, PAGE), ZX_ERR_UNAVAILABLE);
    clone = clone_of(vmo, 0, 4);
    put(vmo, 1, 5);
    put(clone, 2, 5);
    assert_int_equal(committed(vmo), 4);
    assert_int_equal(committed(clone), 2);
    assert_int_equal(get(clone, 1), 2);
    grandchild = clone_of(clone, 0, 4);
    put(clone, 3, 6);
    put(vmo, 0, 6);
    assert_int_equal(get(grandchild, 3), 4);
    assert_int_equal(get(grandchild, 0), 1);
    assert_status(vmo_zero(vmo, 0, 4 * PAGE), ZX_OK);
    assert_int_equal(committed(vmo), 4);
    assert_status(vmo_pin(vmo, 0, 4 * PAGE, frames), ZX_OK);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(frames[i], frames[0] + i * PAGE);
    assert_int_equal(frames[0] & 0x3fff, 0);
    vmo_unpin(vmo, 0, 4 * PAGE);
    done(vmo);
    done(clone);
    done(grandchild);
}

static void test_physical(void **state)
{
    struct vmo *vmo, *slice;
    char byte;

    (void)state;
    assert_status(vmo_create_physical(0xfee00000, PAGE, &vmo), ZX_OK);
    assert_status(vmo_read(vmo, &byte, 0, 1), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_commit(vmo, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_zero(vmo, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_set_size(vmo, PAGE), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_create_child(vmo, COW, 0, PAGE, &slice), ZX_ERR_NOT_SUPPORTED);
    assert_status(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice), ZX_OK);
    assert_status(vmo_read(slice, &byte, 0, 1), ZX_ERR_NOT_SUPPORTED);
    done(vmo);
    done(slice);
}

static void test_pins(void **state)
{
    struct vmo *vmo = tagged_vmo(4), *clone;
    hal_paddr_t mine[2], theirs[2];

    (void)state;
    clone = clone_of(vmo, 0, 4);
    assert_status(vmo_pin(vmo, PAGE, 2 * PAGE, mine), ZX_OK);
    assert_status(vmo_pin(clone, PAGE, 2 * PAGE, theirs), ZX_OK);
    assert_int_not_equal(mine[0], theirs[0]);
    assert_int_equal(get(clone, 1), 2);
    vmo_unpin(clone, PAGE, 2 * PAGE);
    done(clone);
    assert_status(vmo_create_child(vmo, COW, 0, PAGE, &clone), ZX_ERR_BAD_STATE);
    assert_status(vmo_decommit(vmo, 0, 4 * PAGE), ZX_ERR_BAD_STATE);
    assert_status(vmo_set_size(vmo, 2 * PAGE), ZX_ERR_BAD_STATE);
    assert_status(vmo_set_size(vmo, 3 * PAGE), ZX_OK);
    assert_status(vmo_zero(vmo, 0, 4 * PAGE), ZX_OK);
    assert_int_equal(committed(vmo), 2); /* the pinned pages stay, and are zero */
    assert_int_equal(get(vmo, 1), 0);
    vmo_unpin(vmo, PAGE, 2 * PAGE);
    for (int i = 0; i < PAGE_PIN_MAX; i++)
        assert_status(vmo_pin(vmo, 0, PAGE, NULL), ZX_OK);
    assert_status(vmo_pin(vmo, 0, PAGE, NULL), ZX_ERR_UNAVAILABLE);
    assert_int_equal(vmo->pinned, PAGE_PIN_MAX);
    for (int i = 0; i < PAGE_PIN_MAX; i++)
        vmo_unpin(vmo, 0, PAGE);
    done(vmo);
}

static void test_replace_as_executable(void **state)
{
    zx_handle_t vmo, event = new_event(ZX_DEFAULT_EVENT_RIGHTS), root;

    (void)state;
    assert_status(sys_vmo_replace_as_executable(SELF, event, 0, U(0)), ZX_ERR_BAD_HANDLE);
    assert_false(valid(event));
    assert_status(sys_vmo_create(SELF, PAGE, 0, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    object_ref(&fix.kernel.root_resource->object);
    root = fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    assert_status(sys_vmo_replace_as_executable(SELF, vmo, root, U(0)), ZX_OK);
    assert_false(valid(vmo));
    vmo = fixture_handle_at(0);
    assert_int_equal(handle_find(fix.process, vmo)->rights,
                     ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE);
    assert_status(sys_vmo_replace_as_executable(SELF, vmo, vmo, U(0)), ZX_ERR_WRONG_TYPE);
    assert_false(valid(vmo));
}

static void test_content_size(void **state)
{
    struct vmo *vmo = new_vmo(4);
    uint64_t value;

    (void)state;
    assert_status(vmo_ops.get_property(OBJECT(vmo), ZX_PROP_VMO_CONTENT_SIZE, &value), ZX_OK);
    assert_int_equal(value, 4 * PAGE);
    assert_status(vmo_ops.set_property(OBJECT(vmo), ZX_PROP_VMO_CONTENT_SIZE, 5), ZX_OK);
    assert_int_equal(vmo->content_size, 5);
    assert_status(vmo_ops.set_property(OBJECT(vmo), ZX_PROP_NAME, 5), ZX_ERR_WRONG_TYPE);
    assert_status(vmo_set_size(vmo, 5461), ZX_OK);
    assert_int_equal(vmo->content_size, 5461);
    done(vmo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes),
        TEST(test_one_page_costs_one_block),
        TEST(test_copy_ranges),
        TEST(test_read_write_calls),
        TEST(test_copy_onto_itself),
        TEST(test_op_ranges),
        TEST(test_cache_policy),
        TEST(test_child_arguments),
        TEST(test_child_rights),
        TEST(test_zero_children_signal),
        TEST(test_slices),
        TEST(test_attribution),
        TEST(test_write_out_of_sight),
        TEST(test_shrunk_clone_grows_zero),
        TEST(test_decommit_of_relatives),
        TEST(test_deep_chain),
        TEST(test_wide_tree),
        TEST(test_held_chains),
        TEST(test_mapped_clone),
        TEST(test_from_frames),
        TEST(test_from_frames_out_of_memory),
        TEST(test_contiguous),
        TEST(test_physical),
        TEST(test_pins),
        TEST(test_replace_as_executable),
        TEST(test_content_size),
    };

    return cmocka_run_group_tests_name("vmo", tests, NULL, NULL);
}
