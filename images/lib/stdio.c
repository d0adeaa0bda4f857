/*
 * Standard streams on the debug console: the members of musl's stdio that make Linux system calls,
 * written anew. Everything above them is musl's own. There are no files.
 */
#include "musl.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/limits.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

size_t __stdio_write(struct musl_file *f, const unsigned char *bytes, size_t size);
size_t __stdout_write(struct musl_file *f, const unsigned char *bytes, size_t size);
size_t __stdio_read(struct musl_file *f, unsigned char *bytes, size_t size);
int __stdio_close(struct musl_file *f);
off_t __stdio_seek(struct musl_file *f, off_t offset, int whence);

/* Takes up to size bytes from the front of a piece. */
static size_t take(unsigned char *to, size_t size, const unsigned char **piece, size_t *piece_size)
{
    if (size > *piece_size)
        size = *piece_size;
    memcpy(to, *piece, size);
    *piece += size;
    *piece_size -= size;
    return size;
}

/* The kernel prints at most ZX_DEBUG_WRITE_MAX bytes a call: make each call as full as can be. */
static bool console_write(const unsigned char *first, size_t first_size,
                          const unsigned char *second, size_t second_size)
{
    unsigned char chunk[ZX_DEBUG_WRITE_MAX];

    while (first_size + second_size > 0) {
        size_t size = take(chunk, sizeof(chunk), &first, &first_size);
        size += take(chunk + size, sizeof(chunk) - size, &second, &second_size);
        if (zx_debug_write((const char *)chunk, size) != ZX_OK)
            return false;
    }
    return true;
}

size_t __stdio_write(struct musl_file *f, const unsigned char *bytes, size_t size)
{
    if (!console_write(f->wbase, (size_t)(f->wpos - f->wbase), bytes, size)) {
        f->flags |= MUSL_FILE_ERROR;
        f->wpos = f->wbase = f->wend = NULL;
        errno = EIO;
        return 0;
    }
    f->wend = f->buf + f->buf_size;
    f->wpos = f->wbase = f->buf;
    return size;
}

/* The console counts as a terminal: stdout stays line-buffered. */
size_t __stdout_write(struct musl_file *f, const unsigned char *bytes, size_t size)
{
    f->write = __stdio_write;
    return __stdio_write(f, bytes, size);
}

/* A prompt without a newline appears before the program waits for the answer. */
static void flush_stdout(void)
{
    struct musl_file *out = &__stdout_used ? __stdout_used : NULL;

    if (out && out->wpos > out->wbase)
        out->write(out, NULL, 0);
}

size_t __stdio_read(struct musl_file *f, unsigned char *bytes, size_t size)
{
    size_t actual = 0;

    flush_stdout();
    zx_status_t status = zx_debug_read(zx_get_startup_handle(PA_HND(PA_RESOURCE, 0)),
                                       (char *)f->buf, f->buf_size, &actual);
    if (status != ZX_OK) {
        f->flags |= status == ZX_ERR_PEER_CLOSED ? MUSL_FILE_EOF : MUSL_FILE_ERROR;
        errno = EIO;
        return 0;
    }
    if (size > actual)
        size = actual;
    memcpy(bytes, f->buf, size);
    f->rpos = f->buf + size;
    f->rend = f->buf + actual;
    return size;
}

int __stdio_close(struct musl_file *f)
{
    (void)f;
    return 0;
}

off_t __stdio_seek(struct musl_file *f, off_t offset, int whence)
{
    (void)f;
    (void)offset;
    (void)whence;
    errno = ESPIPE;
    return -1;
}
