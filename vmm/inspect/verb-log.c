/* verb-log.c - klog: the kernel's log. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/log.h>

#include "inspect/verb.h"

enum { RING_MAX = 16 << 20, RECORD_ALIGN = 8 };

/* The ring of records, copied out of the guest. */
struct ring {
    uint8_t *bytes;
    uint64_t size, head, tail;
};

static void copy_out(const struct ring *ring, uint64_t offset, void *to, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)to)[i] = ring->bytes[(offset + i) & (ring->size - 1)];
}

static bool read_ring(struct inspector *inspector, struct ring *ring)
{
    struct value kernel, log, data;
    if (!value_variable(inspector, "the_kernel", &kernel) ||
        !value_path(inspector, &kernel, "log->", &log) ||
        !value_path(inspector, &log, "data", &data))
        return false;
    *ring = (struct ring){.size = value_number(inspector, &log, "size"),
                          .head = value_number(inspector, &log, "head"),
                          .tail = value_number(inspector, &log, "tail")};
    if (ring->size == 0 || ring->size > RING_MAX || (ring->size & (ring->size - 1)) != 0 ||
        ring->head - ring->tail > ring->size) {
        inspect_warn(inspector, "the kernel's log is damaged");
        return false;
    }
    ring->bytes = malloc(ring->size);
    return ring->bytes != NULL && read_kernel(inspector, data.address, ring->bytes, ring->size);
}

static const char *severity_word(uint8_t severity)
{
    return severity >= ZX_LOG_FATAL     ? "FATAL"
           : severity >= ZX_LOG_ERROR   ? "ERROR"
           : severity >= ZX_LOG_WARNING ? "WARNING"
           : severity >= ZX_LOG_INFO    ? "INFO"
           : severity >= ZX_LOG_DEBUG   ? "DEBUG"
                                        : "TRACE";
}

static void add_record(struct inspector *inspector, const struct ring *ring, uint64_t offset,
                       const zx_log_record_t *header, struct item *list)
{
    char text[ZX_LOG_RECORD_DATA_MAX + 1];
    struct item *map = item_map(inspector->report, list, NULL);
    copy_out(ring, offset + sizeof(*header), text, header->datalen);
    text[header->datalen] = '\0';
    text[strcspn(text, "\n")] = '\0';
    item_signed(inspector->report, map, "time_ns", header->timestamp);
    item_number(inspector->report, map, "pid", header->pid);
    item_number(inspector->report, map, "tid", header->tid);
    item_text(inspector->report, map, "severity", severity_word(header->severity));
    item_text(inspector->report, map, "text", text);
}

static struct item *run_klog(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct ring ring = {.bytes = NULL};
    (void)argc;
    (void)argv;
    if (census_of(inspector) == NULL)
        return NULL;
    struct item *list = item_list(inspector->report, root, "records");
    if (read_ring(inspector, &ring)) {
        uint64_t at = ring.tail;
        while (at + sizeof(zx_log_record_t) <= ring.head) {
            zx_log_record_t header;
            copy_out(&ring, at, &header, sizeof(header));
            uint64_t space = sizeof(header) + header.datalen;
            if (header.datalen > ZX_LOG_RECORD_DATA_MAX || at + space > ring.head) {
                inspect_warn(inspector, "a record of the kernel's log is damaged: the rest is "
                                        "left out");
                break;
            }
            add_record(inspector, &ring, at, &header, list);
            at += (space + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
        }
    }
    free(ring.bytes);
    return root;
}

static void print_klog(FILE *out, const struct item *root)
{
    if (root->first == NULL || root->first->count == 0)
        fputs("the log is empty\n", out);
    for (const struct item *at = root->first != NULL ? root->first->first : NULL; at != NULL;
         at = at->next) {
        int64_t time = (int64_t)item_find_number(at, "time_ns");
        fprintf(out,
                "[%05" PRId64 ".%06" PRId64 "] %05" PRIu64 ":%05" PRIu64 " %s: ", time / 1000000000,
                time / 1000 % 1000000, item_find_number(at, "pid"), item_find_number(at, "tid"),
                item_find_text(at, "severity"));
        print_harmless(out, item_find_text(at, "text"));
        fputc('\n', out);
    }
}

const struct verb verb_klog = {
    .name = "klog",
    .arguments = "",
    .summary = "the kernel's log",
    .run = run_klog,
    .print = print_klog,
};
