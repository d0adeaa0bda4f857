/*
 * Random numbers from the kernel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>
#include <zircon/syscalls.h>

int getentropy(void *buffer, size_t size)
{
    if (size > 256) {
        errno = EIO;
        return -1;
    }
    zx_cprng_draw(buffer, size);
    return 0;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) {
        errno = EINVAL;
        return -1;
    }
    zx_cprng_draw(buffer, size);
    return (ssize_t)size;
}
