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
#include "rows.h"
#include "window.h"

#define PAGES 256 /* of a touched megabyte */

static inline void touch(volatile char *page, enum fault_kind kind)
{
    if (kind == ZERO)
        (void)*page;
    else
        *page = 1;
}

/* The next block's first page; when all have been met, a new window. The first block of a page
 * table is passed over: it would bring the table's own frame in. */
static volatile char *next_block(struct run *run, struct window *w, enum fault_kind kind)
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
        if (w->next > 0 && (uintptr_t)page % (2 * MIB) >= WINDOW_BLOCK) {
            w->next += WINDOW_BLOCK;
            return page;
        }
        touch(page, kind);
        w->next += WINDOW_BLOCK;
    }
}

static void fault(struct run *run, const struct row *row)
{
    struct window w;

    if (row->flags == SHARED)
        window_rehearse(run, WINDOW + WINDOW_SPARE);
    window_open(run, &w, row->flags, row->flags == FRESH ? WINDOW_UNUSED : WINDOW);
    RUN_TURNS(run) {
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

    window_rehearse(run, 4 * PAGES * PAGE);
    window_open(run, &w, row->flags, PAGES * PAGE);
    RUN_TURNS(run) {
        if (w.next >= w.size) {
            window_close(&w);
            window_open(run, &w, row->flags, PAGES * PAGE);
            if (run->failed)
                break;
            run_restart(run);
        }
        touch(w.base + w.next, row->flags);
        w.next += PAGE;
    }
    window_close(&w);
}

/* One page again and again: its frame has been used. */
static void fault_recycled(struct run *run, const struct row *row)
{
    struct window w;

    window_open(run, &w, row->flags, WINDOW);
    RUN_TURNS(run) {
        *w.base = 1;
        w.base[PAGE] = 1;
        window_drop_page(run, &w);
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
