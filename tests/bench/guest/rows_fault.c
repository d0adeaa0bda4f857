/*
 * rows_fault.c - page faults. What one has to do differs: take a frame that nobody has used (known
 * to be zero), take one that was used (to be cleared), enter pages that the object has already,
 * show the page of zeros for reading, copy a page that a snapshot shares.
 *
 * PageFault/ is one fault a sample, each in a block of 128 pages of its own, because a fault may
 * bring its neighbours in. PageTouch/ touches all pages of a megabyte; the figure is for a page. A
 * frame that nobody has used is one that the host, too, has yet to supply: only PageFault/Fresh has
 * that.
 */
#include "guest.h"

#define WINDOW (4 * MIB)
#define SPARE  MIB        /* room for copies and tables */
#define UNUSED (16 * MIB) /* of frames that nobody has used: no window takes one again soon */
#define BLOCK  (128 * ZX_PAGE_SIZE)
#define PAGES  256 /* of a touched megabyte */

enum kind { FRESH, RECYCLED, PRESENT, ZERO, SHARED };

struct window {
    zx_handle_t vmo, clone;
    volatile char *base;
    uint64_t size, next;
};

static void window_open(struct run *run, struct window *w, enum kind kind, uint64_t size)
{
    zx_vaddr_t address = 0;

    *w = (struct window){.size = size};
    if (kind == PRESENT || kind == SHARED)
        w->vmo = vmo_committed(run, size);
    else
        OK(run, zx_vmo_create(size, 0, &w->vmo));
    if (kind == SHARED)
        OK(run, zx_vmo_create_child(w->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, size, &w->clone));
    OK(run, zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                        kind == SHARED ? w->clone : w->vmo, 0, size, &address));
    w->base = (volatile char *)address;
}

static void window_close(struct window *w)
{
    zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)w->base, w->size);
    zx_handle_close(w->vmo);
    zx_handle_close(w->clone);
}

/* So that the frames which the samples will get, or see, are supplied by the host already. */
static void window_rehearse(struct run *run, uint64_t size)
{
    struct window w;

    window_open(run, &w, PRESENT, size);
    for (uint64_t at = 0; at < size && run_preparing(run); at += ZX_PAGE_SIZE)
        w.base[at] = 1;
    window_close(&w);
}

static inline void touch(volatile char *page, enum kind kind)
{
    if (kind == ZERO)
        (void)*page;
    else
        *page = 1;
}

/* The next block's first page; when all have been met, a new window. The first block of a page
 * table is passed over: it would bring the table's own frame in. */
static volatile char *next_block(struct run *run, struct window *w, enum kind kind)
{
    for (;;) {
        volatile char *page;

        if (w->next >= w->size) {
            uint64_t size = w->size;

            window_close(w);
            window_open(run, w, kind, size);
        }
        if (run->failed)
            return NULL;
        page = w->base + w->next;
        if (w->next > 0 && (zx_vaddr_t)page % (2 * MIB) >= BLOCK) {
            w->next += BLOCK;
            return page;
        }
        touch(page, kind);
        w->next += BLOCK;
    }
}

static void fault(struct run *run, const struct row *row)
{
    struct window w;

    if (row->flags == SHARED)
        window_rehearse(run, WINDOW + SPARE);
    window_open(run, &w, row->flags, row->flags == FRESH ? UNUSED : WINDOW);
    while (run_next(run) && !run->failed) {
        volatile char *page = next_block(run, &w, row->flags);

        if (!page)
            break;
        run_restart(run);
        touch(page, row->flags);
    }
    window_close(&w);
}

/* A batch is a whole window. */
static void touch_all(struct run *run, const struct row *row)
{
    struct window w;

    window_rehearse(run, 4 * PAGES * ZX_PAGE_SIZE);
    window_open(run, &w, row->flags, PAGES * ZX_PAGE_SIZE);
    while (run_next(run) && !run->failed) {
        if (w.next >= w.size) {
            window_close(&w);
            window_open(run, &w, row->flags, PAGES * ZX_PAGE_SIZE);
            if (run->failed)
                break;
            run_restart(run);
        }
        touch(w.base + w.next, row->flags);
        w.next += ZX_PAGE_SIZE;
    }
    window_close(&w);
}

/* One page again and again: its frame has been used. */
static void fault_recycled(struct run *run, const struct row *row)
{
    struct window w;

    window_open(run, &w, row->flags, WINDOW);
    while (run_next(run) && !run->failed) {
        *w.base = 1;
        w.base[ZX_PAGE_SIZE] = 1;
        OK(run, zx_vmo_op_range(w.vmo, ZX_VMO_OP_DECOMMIT, 0, ZX_PAGE_SIZE, NULL, 0));
        run_restart(run);
        *w.base = 1;
    }
    window_close(&w);
}

const struct row fault_rows[] = {
    {"PageFault/Fresh", fault, .flags = FRESH},
    {"PageFault/Recycled", fault_recycled, .flags = RECYCLED},
    {"PageFault/Present", fault, .flags = PRESENT},
    {"PageFault/ReadZero", fault, .flags = ZERO},
    {"PageFault/CopyOnWrite", fault, .flags = SHARED},
    {"PageTouch/New", touch_all, .batch = PAGES, .flags = FRESH},
    {"PageTouch/Present", touch_all, .batch = PAGES, .flags = PRESENT},
    {"PageTouch/ReadZero", touch_all, .batch = PAGES, .flags = ZERO},
    {"PageTouch/CopyOnWrite", touch_all, .batch = PAGES, .flags = SHARED},
    {0},
};
