/*
 * debuglog.c - the kernel's log.
 *
 * Records lie in the ring one after the other, each a header and its data rounded up to 8 bytes,
 * and wrap around its end. Offsets count bytes since the beginning of time, so they only grow: a
 * record is still there as long as its offset is at least `tail`.
 */
#include "debuglog.h"

#include <hal.h>
#include <zircon/errors.h>

#include "executor.h"
#include "format.h"
#include "heap.h"
#include "kcounter.h"
#include "process.h"
#include "string.h"
#include "thread.h"

KCOUNTER(records_written, "log.records");
KCOUNTER(records_missed, "log.missed");

struct debuglog {
    size_t size;
    uint64_t head, tail;                   /* offsets: end of the newest, start of the oldest */
    uint64_t head_sequence, tail_sequence; /* numbers of the next and of the oldest record */
    TAILQ_HEAD(, log) readers;
    uint8_t data[];
};

#define RECORD_ALIGN 8u

zx_status_t debuglog_create(size_t size, struct debuglog **out)
{
    struct debuglog *ring;

    assert(size >= 4096 && (size & (size - 1)) == 0);
    ring = heap_alloc(sizeof *ring + size);
    if (!ring)
        return ZX_ERR_NO_MEMORY;
    *ring = (struct debuglog){.size = size};
    TAILQ_INIT(&ring->readers);
    *out = ring;
    return ZX_OK;
}

void debuglog_destroy(struct debuglog *ring)
{
    assert(TAILQ_EMPTY(&ring->readers));
    heap_free(ring);
}

/* ---- The ring ------------------------------------------------------------------------------ */

static void put(struct debuglog *ring, uint64_t offset, const void *from, size_t length)
{
    size_t at = offset & (ring->size - 1);
    size_t first = length < ring->size - at ? length : ring->size - at;

    memcpy(ring->data + at, from, first);
    memcpy(ring->data, (const uint8_t *)from + first, length - first);
}

static void get(const struct debuglog *ring, uint64_t offset, void *to, size_t length)
{
    size_t at = offset & (ring->size - 1);
    size_t first = length < ring->size - at ? length : ring->size - at;

    memcpy(to, ring->data + at, first);
    memcpy((uint8_t *)to + first, ring->data, length - first);
}

static size_t space_of(const zx_log_record_t *header)
{
    return (sizeof *header + header->datalen + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

static void append(struct debuglog *ring, const zx_log_record_t *header, const char *text)
{
    size_t space = space_of(header);
    struct log *reader;

    while (ring->head + space - ring->tail > ring->size) {
        zx_log_record_t oldest;

        get(ring, ring->tail, &oldest, sizeof oldest);
        ring->tail += space_of(&oldest);
        ring->tail_sequence++;
    }
    put(ring, ring->head, header, sizeof *header);
    put(ring, ring->head + sizeof *header, text, header->datalen);
    ring->head += space;
    ring->head_sequence++;
    kcounter_add(&records_written, 1);
    TAILQ_FOREACH (reader, &ring->readers, link)
        object_update_signals(&reader->object, 0, ZX_LOG_READABLE);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void show(const zx_log_record_t *header, const char *text)
{
    uint64_t millis = (uint64_t)header->timestamp / 1000000;
    char prefix[64];
    size_t length = header->datalen;

    while (length && text[length - 1] == '\n')
        length--;
    hal_console_write(prefix, format(prefix, sizeof prefix, "[%05lu.%03lu] %05lu:%05lu> ",
                                     millis / 1000, millis % 1000, header->pid, header->tid));
    hal_console_write(text, length);
    hal_console_write("\n", 1);
}

static void write_record(uint8_t severity, uint8_t flags, const char *text, size_t length,
                         bool on_console)
{
    const struct thread *thread = this_cpu()->current;
    zx_log_record_t header = {
        .datalen = (uint16_t)(length < ZX_LOG_RECORD_DATA_MAX ? length : ZX_LOG_RECORD_DATA_MAX),
        .severity = severity,
        .flags = flags,
        .timestamp = hal_now(),
        .pid = thread ? thread->process->object.koid : 0,
        .tid = thread ? thread->object.koid : 0,
    };

    if (on_console)
        show(&header, text);
    if (kernel()->log)
        append(kernel()->log, &header, text);
}

void log_write(uint8_t severity, uint8_t flags, const char *text, size_t length)
{
    write_record(severity, flags, text, length, kernel()->verbose);
}

void klog(uint8_t level, const char *pattern, ...)
{
    char text[ZX_LOG_RECORD_DATA_MAX + 1];
    size_t length;
    va_list args;

    va_start(args, pattern);
    length = vformat(text, sizeof text, pattern, args);
    va_end(args);
    write_record(level, 0, text, length, level >= ZX_LOG_WARNING || kernel()->verbose);
}

/* ---- Reading ------------------------------------------------------------------------------- */

zx_status_t log_create(struct debuglog *ring, bool readable, struct log **out)
{
    struct log *log = heap_zalloc(sizeof *log);

    if (!log)
        return ZX_ERR_NO_MEMORY;
    object_init(&log->object, &log_ops, ZX_LOG_WRITABLE);
    log->readable = readable;
    if (readable) {
        log->offset = ring->tail;
        log->sequence = ring->tail_sequence;
        if (ring->head != ring->tail)
            log->object.signals |= ZX_LOG_READABLE;
        TAILQ_INSERT_TAIL(&ring->readers, log, link);
    }
    *out = log;
    return ZX_OK;
}

zx_status_t log_read(struct log *log, void *record, size_t *actual)
{
    const struct debuglog *ring = kernel()->log;
    zx_log_record_t *header = record;
    uint64_t missed = 0;

    if (log->offset < ring->tail) {
        missed = ring->tail_sequence - log->sequence;
        kcounter_add(&records_missed, (int64_t)missed);
        log->offset = ring->tail;
        log->sequence = ring->tail_sequence;
    }
    if (log->offset == ring->head)
        return ZX_ERR_SHOULD_WAIT;
    get(ring, log->offset, header, sizeof *header);
    get(ring, log->offset + sizeof *header, header->data, header->datalen);
    header->rollout = missed < UINT32_MAX ? (uint32_t)missed : UINT32_MAX;
    *actual = sizeof *header + header->datalen;
    log->offset += space_of(header);
    log->sequence++;
    if (log->offset == ring->head)
        object_update_signals(&log->object, ZX_LOG_READABLE, 0);
    return ZX_OK;
}

static void log_destroy(struct object *object)
{
    struct log *log = container_of(object, struct log, object);

    if (log->readable)
        TAILQ_REMOVE(&kernel()->log->readers, log, link);
    heap_free(log);
}

const struct object_ops log_ops = {
    .type = ZX_OBJ_TYPE_LOG,
    .name = "debuglog",
    .default_rights = ZX_DEFAULT_LOG_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = log_destroy,
};
