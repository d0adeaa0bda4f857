/* memory.c - guest-physical memory: one memfd, one mapping, one checked translation. */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
    int fd = memfd_create("zvmm-guest", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(error, "guest memory: memfd_create: %s%s", strerror(errno),
                         errno == EMFILE ? "; raise the open-file limit (ulimit -n)" : "");
    if (ftruncate(fd, (off_t)bytes) != 0) {
        int reason = errno;
        close(fd);
        return error_set(error,
                         "guest memory: cannot size it to %llu MiB: %s; use a smaller --memory "
                         "or raise the file-size limit (ulimit -f)",
                         (unsigned long long)(bytes >> 20), strerror(reason));
    }
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        int reason = errno;
        close(fd);
        return explain_mmap_failure(bytes, reason, error);
    }
    *memory = (struct memory){.base = base, .bytes = bytes, .fd = fd};
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
    if (memory->base != NULL) {
        munmap(memory->base, memory->bytes);
        close(memory->fd);
    }
    *memory = (struct memory){.fd = -1};
}
