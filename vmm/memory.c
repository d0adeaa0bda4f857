/* memory.c - guest-physical memory: one private mapping, one checked translation. */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static int explain_mmap_failure(uint64_t bytes, int reason, struct zvmm_error *error)
{
    struct rlimit limit;
    if (reason == ENOMEM && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return error_set(error,
                         "guest memory: %llu MiB do not fit in this process's address-space limit "
                         "of %llu MiB; raise it (ulimit -v) or use a smaller --memory",
                         (unsigned long long)(bytes >> 20),
                         (unsigned long long)(limit.rlim_cur >> 20));
    return error_set(error, "guest memory: cannot map %llu MiB: %s; use a smaller --memory",
                     (unsigned long long)(bytes >> 20), strerror(reason));
}

int memory_create(struct memory *memory, uint64_t bytes, struct zvmm_error *error)
{
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return explain_mmap_failure(bytes, errno, error);
    /* A huge page for the first byte touched would cost more than the guest's whole start. */
    madvise(base, bytes, MADV_NOHUGEPAGE);
    *memory = (struct memory){.base = base, .bytes = bytes};
    return 0;
}

int memory_discard(struct memory *memory, gpa_t at, uint64_t length)
{
    if (!memory->restored)
        return madvise(memory->base + at.value, length, MADV_DONTNEED);
    memset(memory->base + at.value, 0, length);
    return 0;
}

void *memory_at(const struct memory *memory, gpa_t at, uint64_t length)
{
    if (at.value > memory->bytes || length > memory->bytes - at.value)
        return NULL;
    return memory->base + at.value;
}

void memory_destroy(struct memory *memory)
{
    if (memory->base != NULL)
        munmap(memory->base, memory->bytes);
    *memory = (struct memory){0};
}
