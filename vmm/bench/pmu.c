/* pmu.c - cycles and instructions of the guest. */
#include "bench/pmu.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

/* ---- perf_event_open ------------------------------------------------------------------------ */

static int open_counter(uint64_t config, int group)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attributes),
        .config = config,
        .read_format = PERF_FORMAT_GROUP,
        .exclude_host = 1,
        .pinned = group < 0,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, group, PERF_FLAG_FD_CLOEXEC);
}

static bool perf_open(void **state)
{
    int cycles = open_counter(PERF_COUNT_HW_CPU_CYCLES, -1);
    if (cycles < 0)
        return false;
    if (open_counter(PERF_COUNT_HW_INSTRUCTIONS, cycles) < 0) {
        close(cycles);
        return false;
    }
    *state = (void *)(intptr_t)cycles;
    return true;
}

static bool perf_read(void *state, struct pmu_reading *out)
{
    uint64_t values[3]; /* how many, and these */
    if (read((int)(intptr_t)state, values, sizeof(values)) != sizeof(values) || values[0] != 2)
        return false;
    out->cycles = values[1];
    out->instructions = values[2];
    return true;
}

const struct pmu_provider pmu_perf = {"perf", perf_open, perf_read};

/* ---- The time stamp counter ----------------------------------------------------------------- */

static bool tsc_open(void **state)
{
    *state = NULL;
    return true;
}

static bool tsc_read(void *state, struct pmu_reading *out)
{
    (void)state;
    out->cycles = __rdtsc();
    out->instructions = 0;
    return true;
}

const struct pmu_provider pmu_tsc = {"tsc", tsc_open, tsc_read};

/* ---- Attribution ---------------------------------------------------------------------------- */

/* Index of the first reading after `tsc`. */
static size_t first_after(const struct pmu_reading *readings, size_t count, uint64_t tsc)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (readings[middle].tsc <= tsc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double less(double value, double overhead)
{
    return value > overhead ? value - overhead : 0;
}

void pmu_attribute(const struct pmu_reading *readings, size_t reading_count,
                   const struct vouch_window *windows, size_t count, struct pmu_cost *costs)
{
    uint64_t cycles = UINT64_MAX, instructions = UINT64_MAX; /* of the markers */
    for (size_t i = 0; i < count; i++) {
        size_t begin = first_after(readings, reading_count, windows[i].begin);
        size_t end = first_after(readings, reading_count, windows[i].end);
        costs[i] = (struct pmu_cost){.known = begin > 0 && begin == end && end < reading_count};
        if (!costs[i].known)
            continue;
        costs[i].cycles = (double)(readings[end].cycles - readings[end - 1].cycles);
        costs[i].instructions =
            (double)(readings[end].instructions - readings[end - 1].instructions);
        if (end + 1 == reading_count)
            continue;
        if (readings[end + 1].cycles - readings[end].cycles < cycles)
            cycles = readings[end + 1].cycles - readings[end].cycles;
        if (readings[end + 1].instructions - readings[end].instructions < instructions)
            instructions = readings[end + 1].instructions - readings[end].instructions;
    }
    for (size_t i = 0; i < count; i++) {
        costs[i].cycles = less(costs[i].cycles, cycles != UINT64_MAX ? (double)cycles : 0);
        costs[i].instructions =
            less(costs[i].instructions, instructions != UINT64_MAX ? (double)instructions : 0);
    }
}
