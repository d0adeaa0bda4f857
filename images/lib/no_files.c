/*
 * musl reads time zones and message catalogues from files. There are none.
 */
#include <errno.h>
#include <stddef.h>

const char *__map_file(const char *path, size_t *size);
int __munmap(void *start, size_t size);

const char *__map_file(const char *path, size_t *size)
{
    (void)path;
    *size = 0;
    errno = ENOENT;
    return NULL;
}

/* Called for what __map_file returned. */
int __munmap(void *start, size_t size)
{
    (void)start;
    (void)size;
    errno = EINVAL;
    return -1;
}
