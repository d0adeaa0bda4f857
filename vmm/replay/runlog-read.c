/* runlog-read.c - reading the record of a deterministic run. The file is hostile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "runlog.h"

enum { ARGUMENT_BYTES_MAX = 1 << 20 };

static int damaged(const struct runlog_reader *log, const char *what, struct zvmm_error *error)
{
    return error_set(error, "%s: %s; the file is damaged or was cut off", log->path, what);
}

/* Read exactly `bytes`: 1; 0 if the file has ended before the first; -1. */
static int get(struct runlog_reader *log, void *to, size_t bytes)
{
    size_t got = fread(to, 1, bytes, log->file);
    return got == bytes ? 1 : got == 0 && feof(log->file) ? 0 : -1;
}

static int read_header(struct runlog_reader *log, struct zvmm_error *error)
{
    struct runlog_header *header = &log->header;
    if (get(log, header, sizeof(*header)) != 1 ||
        memcmp(header->magic, RUNLOG_MAGIC, sizeof(header->magic)) != 0)
        return error_set(error, "%s: not a log of zvmm; give a file that zvmm --log has written",
                         log->path);
    if (header->version != RUNLOG_VERSION)
        return error_set(error,
                         "%s: has version %u of the format and this zvmm reads %u; use the zvmm "
                         "that wrote it",
                         log->path, header->version, RUNLOG_VERSION);
    if (header->argument_bytes > ARGUMENT_BYTES_MAX)
        return damaged(log, "impossible header", error);
    log->arguments = malloc(header->argument_bytes + 1ul);
    if (log->arguments == NULL)
        return error_set(error, "%s: out of memory", log->path);
    if (header->argument_bytes != 0 && get(log, log->arguments, header->argument_bytes) != 1)
        return damaged(log, "its arguments are missing", error);
    log->arguments[header->argument_bytes] = '\0';
    uint32_t strings = 0;
    for (uint32_t i = 0; i < header->argument_bytes; i++)
        strings += log->arguments[i] == '\0';
    return strings != header->argument_count ? damaged(log, "impossible arguments", error) : 0;
}

int runlog_open(struct runlog_reader *log, const char *path, struct zvmm_error *error)
{
    *log = (struct runlog_reader){.path = path, .file = fopen(path, "re")};
    if (log->file == NULL)
        return error_set(error, "%s: %s; give a file that zvmm --log has written", path,
                         strerror(errno));
    log->events = malloc(ZV_EVENTS_MAX * sizeof(log->events[0]));
    int result =
        log->events == NULL ? error_set(error, "%s: out of memory", path) : read_header(log, error);
    if (result != 0)
        runlog_reader_close(log);
    return result;
}

void runlog_reader_close(struct runlog_reader *log)
{
    if (log->file != NULL)
        fclose(log->file);
    free(log->arguments);
    free(log->events);
    *log = (struct runlog_reader){0};
}

static int read_events(struct runlog_reader *log, const struct runlog_block *block,
                       struct zvmm_error *error)
{
    size_t room = ZSTD_compressBound(ZV_EVENTS_MAX * sizeof(log->events[0]));
    if (block->bytes == 0 || block->bytes > ZV_EVENTS_MAX * sizeof(log->events[0]) ||
        block->bytes % sizeof(log->events[0]) != 0 || block->stored_bytes > room)
        return damaged(log, "impossible block of events", error);
    void *stored = malloc(room);
    if (stored == NULL)
        return error_set(error, "%s: out of memory", log->path);
    bool good =
        get(log, stored, block->stored_bytes) == 1 &&
        ZSTD_decompress(log->events, block->bytes, stored, block->stored_bytes) == block->bytes &&
        XXH32(log->events, block->bytes, 0) == block->checksum;
    free(stored);
    if (!good)
        return damaged(log, "a block of events has the wrong checksum", error);
    log->count = block->bytes / sizeof(log->events[0]);
    log->at = 0;
    return 1;
}

static int read_record(struct runlog_reader *log, const struct runlog_block *block, void *to,
                       size_t bytes, struct zvmm_error *error)
{
    if (block->bytes != bytes || block->stored_bytes != bytes || get(log, to, bytes) != 1 ||
        XXH32(to, bytes, 0) != block->checksum)
        return damaged(log, "a record is incomplete or has the wrong checksum", error);
    return 1;
}

/* Another block; as runlog_next(). *item is not set for a block of events. */
static int read_block(struct runlog_reader *log, enum runlog_item *item, struct zvmm_error *error)
{
    struct runlog_block block;
    int got = get(log, &block, sizeof(block));
    if (got <= 0)
        return got == 0 && log->ended ? 0 : damaged(log, "its end is missing", error);
    if (log->ended)
        return damaged(log, "goes on after its end", error);
    switch (block.type) {
    case RUNLOG_EVENTS:
        return read_events(log, &block, error);
    case RUNLOG_DIGEST:
        *item = RUNLOG_IS_DIGEST;
        return read_record(log, &block, &log->digest, sizeof(log->digest), error);
    case RUNLOG_END:
        *item = RUNLOG_IS_END;
        log->ended = true;
        return read_record(log, &block, &log->end, sizeof(log->end), error);
    default:
        return damaged(log, "unknown kind of block", error);
    }
}

int runlog_next(struct runlog_reader *log, enum runlog_item *item, struct zvmm_error *error)
{
    *item = RUNLOG_IS_EVENT;
    if (log->at == log->count) {
        int result = read_block(log, item, error);
        if (result <= 0 || *item != RUNLOG_IS_EVENT)
            return result;
    }
    log->event.what = log->events[log->at].what;
    log->event.detail = log->events[log->at].detail;
    log->event.tsc += log->events[log->at].tsc;
    log->at++;
    log->number++;
    return 1;
}

int runlog_count(const char *path, uint64_t *events, struct zvmm_error *error)
{
    struct runlog_reader log;
    enum runlog_item item;
    int result = runlog_open(&log, path, error);
    if (result != 0)
        return -1;
    do
        result = runlog_next(&log, &item, error);
    while (result > 0);
    *events = log.number;
    runlog_reader_close(&log);
    return result;
}
