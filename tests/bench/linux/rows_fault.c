/*
 * rows_fault.c - Linux: faults on anonymous memory (new pages, the page of zeros), on a shared
 * mapping of a memfd (pages that are there) and on a private one (copies). Huge pages are off.
 */
#include "linux.h"

#include <sys/mman.h>
#include <unistd.h>

#define PAGE   4096
#define WINDOW (8 * MIB)
#define BLOCK  (16 * PAGE)
#define PAGES  256

enum kind { FRESH, PRESENT, ZERO, SHARED };

struct window {
    int fd;
    volatile char *base;
    uint64_t size, next;
};

static void window_open(struct run *run, struct window *w, enum kind kind, uint64_t size)
{
    int how = kind == PRESENT ? MAP_SHARED : MAP_PRIVATE;
    void *base;

    *w = (struct window){.fd = -1, .size = size};
    if (kind == PRESENT || kind == SHARED)
        w->fd = memory_file(run, size);
    else
        how |= MAP_ANONYMOUS;
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, how, w->fd, 0);
    if (base == MAP_FAILED)
        run_fail(run, "mmap", strerror(errno));
    madvise(base, size, MADV_NOHUGEPAGE);
    w->base = base;
}

static void window_close(struct window *w)
{
    munmap((void *)w->base, w->size);
    close(w->fd);
}

static inline void touch(volatile char *page, enum kind kind)
{
    if (kind == ZERO)
        (void)*page;
    else
        *page = 1;
}

/* The first block of a page table is not measured. */
static volatile char *next_block(struct run *run, struct window *w, enum kind kind)
{
    for (;;) {
        volatile char *page;

        if (w->next >= WINDOW) {
            window_close(w);
            window_open(run, w, kind, WINDOW);
        }
        if (run->failed)
            return NULL;
        page = w->base + w->next;
        if (w->next > 0 && (uintptr_t)page % (2 * MIB) >= BLOCK) {
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

    window_open(run, &w, row->flags, WINDOW);
    while (run_next(run) && !run->failed) {
        volatile char *page = next_block(run, &w, row->flags);

        if (!page)
            break;
        run_restart(run);
        touch(page, row->flags);
    }
    window_close(&w);
}

static void fault_again(struct run *run, const struct row *row)
{
    struct window w;

    window_open(run, &w, row->flags, WINDOW);
    while (run_next(run) && !run->failed) {
        *w.base = 1;
        w.base[PAGE] = 1;
        OK(run, madvise((void *)w.base, PAGE, MADV_DONTNEED));
        run_restart(run);
        *w.base = 1;
    }
    window_close(&w);
}

static void touch_all(struct run *run, const struct row *row)
{
    struct window w;

    window_open(run, &w, row->flags, PAGES * PAGE);
    while (run_next(run) && !run->failed) {
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

const struct row fault_rows[] = {
    {"PageFault/Fresh", fault, .flags = FRESH},
    {"PageFault/Recycled", fault_again, .flags = FRESH},
    {"PageFault/Present", fault, .flags = PRESENT},
    {"PageFault/ReadZero", fault, .flags = ZERO},
    {"PageFault/CopyOnWrite", fault, .flags = SHARED},
    {"PageTouch/New", touch_all, .batch = PAGES, .flags = FRESH},
    {"PageTouch/Present", touch_all, .batch = PAGES, .flags = PRESENT},
    {"PageTouch/ReadZero", touch_all, .batch = PAGES, .flags = ZERO},
    {"PageTouch/CopyOnWrite", touch_all, .batch = PAGES, .flags = SHARED},
    {0},
};
