/* verb-ktrace.c - ktrace: the kernel's trace, if it was recorded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/ktrace.h>

#include "inspect/verb.h"

enum { BUFFER_MAX = 64 << 20, SYSCALLS_MAX = 1024, PROBES_MAX = 1024, NAME = 40 };

/* Events whose meaning is known, and what their arguments are. */
static const struct {
    uint32_t tag;
    const char *word;
    const char *arguments[4]; /* NULL: not shown */
} events[] = {
    {KTRACE_TAG_VERSION, "version", {"version"}},
    {KTRACE_TAG_TICKS_PER_MS, "ticks per ms", {"low", "high"}},
    {KTRACE_TAG_PAGE_FAULT, "page fault", {"high", "low", "access"}},
    {KTRACE_TAG_CONTEXT_SWITCH, "context switch", {"to"}},
    {KTRACE_TAG_THREAD_CREATE, "thread created", {"tid", "pid"}},
    {KTRACE_TAG_THREAD_START, "thread started", {"tid"}},
    {KTRACE_TAG_THREAD_EXIT, "thread ended", {"tid"}},
    {KTRACE_TAG_PROC_CREATE, "process created", {"pid"}},
    {KTRACE_TAG_PROC_START, "process started", {"tid", "pid"}},
    {KTRACE_TAG_PROC_EXIT, "process ended", {"pid"}},
};

struct trace {
    struct inspector *inspector;
    struct item *list;
    char (*syscalls)[NAME]; /* SYSCALLS_MAX names, from records of the trace */
    char (*probes)[NAME];
};

static bool is_name(uint32_t tag)
{
    return tag == KTRACE_TAG_THREAD_NAME || tag == KTRACE_TAG_PROC_NAME ||
           tag == KTRACE_TAG_SYSCALL_NAME || tag == KTRACE_TAG_PROBE_NAME;
}

/* Names come once; those of calls and probes are put into the records that follow. */
static void take_name(struct trace *trace, const uint8_t *at)
{
    ktrace_rec_name_t record;
    memcpy(&record, at, sizeof(record));
    record.name[sizeof(record.name) - 1] = '\0';
    if (record.tag == KTRACE_TAG_SYSCALL_NAME && record.id < SYSCALLS_MAX)
        memcpy(trace->syscalls[record.id], record.name, sizeof(record.name));
    if (record.tag == KTRACE_TAG_PROBE_NAME && record.id < PROBES_MAX)
        memcpy(trace->probes[record.id], record.name, sizeof(record.name));
}

static void describe_short(struct trace *trace, const ktrace_rec_32b_t *record, struct item *map)
{
    struct report *report = trace->inspector->report;
    uint32_t number = record->tid >> 8;
    bool enter = record->tag == KTRACE_TAG_SYSCALL_ENTER;
    if (record->tag == KTRACE_TAG_IRQ_ENTER) {
        item_format(report, map, "event", "interrupt %u", number);
    } else if (enter || record->tag == KTRACE_TAG_SYSCALL_EXIT) {
        const char *name = number < SYSCALLS_MAX ? trace->syscalls[number] : "";
        item_format(report, map, "event", "%s %s", enter ? "call" : "return from",
                    name[0] != '\0' ? name : "?");
        item_number(report, map, "number", number);
    } else {
        item_format(report, map, "event", "event %#x", KTRACE_EVENT(record->tag));
    }
}

static void describe_long(struct trace *trace, const ktrace_rec_32b_t *record, struct item *map)
{
    struct report *report = trace->inspector->report;
    const uint32_t values[4] = {record->a, record->b, record->c, record->d};
    uint32_t probe = KTRACE_EVENT(record->tag) & KTRACE_PROBE_ID_MAX;
    item_number(report, map, "tid", record->tid);
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i].tag != record->tag)
            continue;
        item_text(report, map, "event", events[i].word);
        for (unsigned k = 0; k < 4 && events[i].arguments[k] != NULL; k++)
            item_number(report, map, events[i].arguments[k], values[k]);
        return;
    }
    if (KTRACE_GROUP(record->tag) == KTRACE_GRP_PROBE && probe < PROBES_MAX)
        item_format(report, map, "event", "probe %s", trace->probes[probe]);
    else
        item_format(report, map, "event", "event %#x", KTRACE_EVENT(record->tag));
    item_number(report, map, "a", values[0]);
    item_number(report, map, "b", values[1]);
}

static void add_record(struct trace *trace, const uint8_t *at, uint32_t length)
{
    ktrace_rec_32b_t record = {.tag = 0};
    memcpy(&record, at, length < sizeof(record) ? length : sizeof(record));
    struct item *map = item_map(trace->inspector->report, trace->list, NULL);
    item_signed(trace->inspector->report, map, "time_ns", ticks_to_ns(trace->inspector, record.ts));
    if (length < 24)
        describe_short(trace, &record, map);
    else
        describe_long(trace, &record, map);
}

static void read_records(struct trace *trace, const uint8_t *bytes, uint32_t length)
{
    uint32_t at = 0;
    while (at + 16 <= length) {
        uint32_t tag;
        memcpy(&tag, bytes + at, sizeof(tag));
        uint32_t size = KTRACE_LEN(tag);
        if (size < 16 || size > length - at || (is_name(tag) && size < sizeof(ktrace_rec_name_t))) {
            inspect_warn(trace->inspector, "the trace is damaged at byte %u: the rest is left out",
                         at);
            return;
        }
        if (is_name(tag))
            take_name(trace, bytes + at);
        else
            add_record(trace, bytes + at, size);
        at += size;
    }
}

static struct item *run_ktrace(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct value ktrace;
    (void)argc;
    (void)argv;
    if (census_of(inspector) == NULL)
        return NULL;
    if (!value_variable(inspector, "ktrace", &ktrace)) {
        error_set(inspector->error, "this guest kernel keeps no trace");
        return NULL;
    }
    struct trace trace = {.inspector = inspector,
                          .list = item_list(inspector->report, root, "records"),
                          .syscalls = calloc(SYSCALLS_MAX, NAME),
                          .probes = calloc(PROBES_MAX, NAME)};
    uint64_t length = value_number(inspector, &ktrace, "length");
    uint64_t buffer = value_number(inspector, &ktrace, "buffer");
    uint8_t *bytes = length <= BUFFER_MAX ? malloc(length + 1) : NULL;
    if (bytes != NULL && trace.syscalls != NULL && trace.probes != NULL && buffer != 0)
        read_records(&trace, bytes,
                     (uint32_t)target_read_kernel(inspector->target, buffer, bytes, length));
    else if (length > BUFFER_MAX)
        inspect_warn(inspector, "the trace is damaged: it claims %" PRIu64 " bytes", length);
    free(bytes);
    free(trace.syscalls);
    free(trace.probes);
    return root;
}

static void print_ktrace(FILE *out, const struct item *root)
{
    const struct item *list = root->first;
    if (list == NULL || list->count == 0)
        fputs("nothing was traced\n", out);
    for (const struct item *at = list != NULL ? list->first : NULL; at != NULL; at = at->next) {
        int64_t time = (int64_t)item_find_number(at, "time_ns");
        fprintf(out, "[%05" PRId64 ".%09" PRId64 "] ", time / 1000000000, time % 1000000000);
        print_harmless(out, item_find_text(at, "event"));
        for (const struct item *more = at->first; more != NULL; more = more->next)
            if (more->kind == ITEM_NUMBER && strcmp(more->key, "number") != 0)
                fprintf(out, " %s=%" PRIu64, more->key, more->number);
        fputc('\n', out);
    }
}

const struct verb verb_ktrace = {
    .name = "ktrace",
    .arguments = "",
    .summary = "the kernel's trace, if one was recorded",
    .run = run_ktrace,
    .print = print_ktrace,
};
