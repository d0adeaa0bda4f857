/* frames.c - other frames for each boot; see frames.h. */
#include "bench/frames.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/cgroup.h"
#include "bench/random.h"

enum { SHARE_OF_MEMORY = 32 };

static size_t fewer(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* With one page more than `count`, so that the first can begin at a huge page's boundary. */
static size_t room(const struct frames *frames)
{
    return (frames->count + 1) * FRAMES_PAGE;
}

static unsigned char *page(const struct frames *frames, size_t index)
{
    uintptr_t first = ((uintptr_t)frames->base + FRAMES_PAGE - 1) & -(uintptr_t)FRAMES_PAGE;
    return (unsigned char *)first + (size_t)frames->order[index] * FRAMES_PAGE;
}

/* Without huge pages in the host it is small ones, which serve as well. */
static void fill(struct frames *frames)
{
    for (size_t i = 0; i < frames->empty; i++)
        madvise(page(frames, i), FRAMES_PAGE, MADV_POPULATE_WRITE);
    frames->empty = 0;
}

/* Bytes that the machine has, or that this process may have. */
static uint64_t memory_size(void)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = cgroup_memory_limit("");
    return limit < memory ? limit : memory;
}

void frames_begin(struct frames *frames, size_t count, uint64_t seed)
{
    count = fewer(fewer(count, FRAMES_MOST), memory_size() / SHARE_OF_MEMORY / FRAMES_PAGE);
    *frames = (struct frames){.count = count, .empty = count, .random = seed};
    void *base = mmap(NULL, room(frames), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return;
    frames->base = base;
    madvise(base, room(frames), MADV_HUGEPAGE);
    madvise(base, room(frames), MADV_DONTFORK);
    for (size_t i = 0; i < count; i++)
        frames->order[i] = (uint8_t)i;
    fill(frames);
}

static void give_up(struct frames *frames, size_t count)
{
    frames->empty = fewer(count, frames->count);
    for (size_t i = 0; i < frames->empty; i++) {
        size_t other = i + random_below(&frames->random, frames->count - i);
        uint8_t chosen = frames->order[other];
        frames->order[other] = frames->order[i];
        frames->order[i] = chosen;
        madvise(page(frames, i), FRAMES_PAGE, MADV_DONTNEED);
    }
}

void frames_exchange(struct frames *frames, int cpu, size_t count)
{
    cpu_set_t usual, there;
    if (frames->base == NULL || sched_getaffinity(0, sizeof(usual), &usual) != 0)
        return;
    CPU_ZERO(&there);
    CPU_SET(cpu, &there);
    sched_setaffinity(0, sizeof(there), &there);
    fill(frames);
    give_up(frames, count);
    sched_setaffinity(0, sizeof(usual), &usual);
}

void frames_end(struct frames *frames)
{
    if (frames->base != NULL)
        munmap(frames->base, room(frames));
    frames->base = NULL;
}
