/* temporary.c - a file that gets its name only when it is complete. */
#include "snapshot/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int explain_write_failure(const char *path, int reason, struct zvmm_error *error)
{
    return error_set(error, "%s: cannot write it: %s%s", path, strerror(reason),
                     reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                         ? "; make room or write it elsewhere (what was there before is untouched)"
                         : "; write it elsewhere");
}

int temporary_write(struct temporary *file, const void *data, uint64_t length, uint64_t offset,
                    struct zvmm_error *error)
{
    const uint8_t *from = data;
    while (length != 0) {
        ssize_t written = pwrite(file->fd, from, length, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return explain_write_failure(file->path, errno, error);
        from += written;
        offset += (uint64_t)written;
        length -= (uint64_t)written;
    }
    return 0;
}

int temporary_create(struct temporary *file, const char *path, struct zvmm_error *error)
{
    struct stat status;
    *file = (struct temporary){.path = path, .fd = -1};
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, "%s: is there and no regular file; name another file", path);
    if (asprintf(&file->name, "%s.XXXXXX", path) < 0) {
        file->name = NULL;
        return error_set(error, "%s: out of memory", path);
    }
    file->fd = mkostemp(file->name, O_CLOEXEC);
    if (file->fd < 0)
        return error_set(error,
                         "%s: cannot create the file: %s; name one in a folder that you may write "
                         "to",
                         path, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    fchmod(file->fd, 0666 & ~mask); /* a file like any other */
    return 0;
}

/* The name itself has to reach the disk too. Failing is harmless: the file is whole. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path + 1));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

int temporary_finish(struct temporary *file, bool sync, struct zvmm_error *error)
{
    if (sync && fsync(file->fd) != 0)
        return explain_write_failure(file->path, errno, error);
    if (rename(file->name, file->path) != 0)
        return error_set(error, "%s: cannot give the file its name: %s; write it elsewhere",
                         file->path, strerror(errno));
    free(file->name);
    file->name = NULL;
    if (sync)
        sync_folder(file->path);
    return 0;
}

void temporary_close(struct temporary *file)
{
    if (file->fd < 0) {
        free(file->name);
        return;
    }
    if (file->name != NULL)
        unlink(file->name);
    close(file->fd);
    free(file->name);
}
