/* switches.c - when a thread was not on a processor. */
#include "bench/switches.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { RING_PAGES = 128, PAGE = 4096 }; /* what an unprivileged process may lock, too */
#define RING_BYTES (RING_PAGES * (uint64_t)PAGE)
#define MARGIN_NS  2000   /* the two clocks agree better than this */
#define SETTLE_NS  500000 /* what ran meanwhile has left its traces in caches and predictors */
#define TURN_NS    10000

/* ---- Two clocks ----------------------------------------------------------------------------- */

static uint64_t raw_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The reading with the least time around it, of a few. */
static struct switches_moment read_moment(void)
{
    struct switches_moment best = {0};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = __rdtsc(), ns = raw_ns(), after = __rdtsc();
        if (after - before < least) {
            least = after - before;
            best = (struct switches_moment){before + (after - before) / 2, ns};
        }
    }
    return best;
}

/* `ns` as TSC, on the line through two moments. */
static uint64_t to_tsc(uint64_t ns, const struct switches_moment *start,
                       const struct switches_moment *end)
{
    double slope = (double)(end->tsc - start->tsc) / (double)(end->ns - start->ns);
    double since = (double)(int64_t)(ns - start->ns) * slope;
    return start->tsc + (uint64_t)(int64_t)since;
}

/* ---- The record ----------------------------------------------------------------------------- */

void switches_open(struct switches *switches, pid_t tid)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_SW_DUMMY,
        .context_switch = 1,
        .sample_id_all = 1,
        .sample_type = PERF_SAMPLE_TIME,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC_RAW,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    *switches = (struct switches){.start = read_moment()};
    switches->fd =
        (int)syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (switches->fd < 0) {
        switches->reason = errno;
        return;
    }
    switches->ring =
        mmap(NULL, PAGE + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, switches->fd, 0);
    if (switches->ring == MAP_FAILED) {
        switches->reason = errno;
        close(switches->fd);
        switches->fd = -1;
    }
}

const char *switches_explain(int reason)
{
    switch (reason) {
    case EACCES:
    case EPERM:
        return "perf_event_open is not permitted; set kernel.perf_event_paranoid to 2 or less, or "
               "run as root";
    case ENOSYS:
        return "this kernel has no perf_event_open; use one with CONFIG_PERF_EVENTS";
    default:
        return "perf_event_open fails; check the host's kernel log";
    }
}

static void copy_out(const struct switches *switches, uint64_t at, void *to, size_t size)
{
    const char *data = (const char *)switches->ring + PAGE;
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = data[(at + i) % RING_BYTES];
}

/* Threads that take turns preempt each other for a few microseconds: that is work like blocking. */
static void note_preempted(struct switches *switches, uint64_t out, uint64_t in)
{
    if (in - out < TURN_NS)
        vouch_add_block(&switches->raw, out);
    else
        vouch_add_span(&switches->raw, out, in, VOUCH_DESCHEDULED);
}

/* A switch's body is its time alone: that is all of sample_type. */
static void take_record(struct switches *switches, const struct perf_event_header *header)
{
    uint64_t ns;
    if (header->type == PERF_RECORD_LOST) {
        vouch_add_span(&switches->raw, switches->start.ns, raw_ns(), VOUCH_BLIND);
        return;
    }
    if (header->type != PERF_RECORD_SWITCH || header->size < sizeof(*header) + sizeof(ns))
        return;
    copy_out(switches, switches->tail + sizeof(*header), &ns, sizeof(ns));
    if (header->misc & PERF_RECORD_MISC_SWITCH_OUT) {
        /* Who blocks of its own accord leaves the processor as part of its work. */
        if (header->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT)
            switches->out_ns = ns;
        else
            vouch_add_block(&switches->raw, ns);
    } else if (switches->out_ns != 0) {
        note_preempted(switches, switches->out_ns, ns);
        switches->out_ns = 0;
    }
}

void switches_drain(struct switches *switches)
{
    struct perf_event_mmap_page *page = switches->ring;
    struct perf_event_header header;
    if (switches->fd < 0)
        return;
    uint64_t head = atomic_load_explicit((_Atomic(__u64) *)&page->data_head, memory_order_acquire);
    while (switches->tail + sizeof(header) <= head) {
        copy_out(switches, switches->tail, &header, sizeof(header));
        if (header.size < sizeof(header))
            break;
        take_record(switches, &header);
        switches->tail += header.size;
    }
    atomic_store_explicit((_Atomic(__u64) *)&page->data_tail, switches->tail, memory_order_release);
}

void switches_finish(struct switches *switches, struct vouch_facts *to)
{
    struct switches_moment end = read_moment();
    switches_drain(switches);
    if (switches->fd < 0) {
        vouch_add_span(to, 0, UINT64_MAX, VOUCH_BLIND);
        return;
    }
    for (size_t i = 0; i < switches->raw.span_count; i++) {
        const struct vouch_span *span = &switches->raw.spans[i];
        vouch_add_span(to, to_tsc(span->begin - MARGIN_NS, &switches->start, &end),
                       to_tsc(span->end + SETTLE_NS, &switches->start, &end), span->reason);
    }
    for (size_t i = 0; i < switches->raw.blocks.count; i++)
        vouch_add_block(to, to_tsc(switches->raw.blocks.at[i], &switches->start, &end));
    to->out_of_memory |= switches->raw.out_of_memory;
    vouch_clear(&switches->raw);
    munmap(switches->ring, PAGE + RING_BYTES);
    close(switches->fd);
    switches->fd = -1;
}
