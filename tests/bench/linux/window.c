/*
 * window.c - Linux: anonymous memory (new pages, the page of zeros), a shared mapping of a memfd
 * (pages that are there) and a private one (copies). Huge pages are off.
 */
#include "window.h"

#include <sys/mman.h>
#include <unistd.h>

void window_open(struct run *run, struct window *w, enum fault_kind kind, uint64_t size)
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

void window_close(struct window *w)
{
    munmap((void *)w->base, w->size);
    close(w->fd);
}

/* Linux keeps and gives the frames that it has by itself. */
void window_rehearse(struct run *run, uint64_t size)
{
    (void)run;
    (void)size;
}

void window_drop_page(struct run *run, struct window *w)
{
    OK(run, madvise((void *)w->base, PAGE, MADV_DONTNEED));
}
