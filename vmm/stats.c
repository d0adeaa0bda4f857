/* stats.c - the line of --stats. */
#include "stats.h"

#include <stdio.h>

#include "vm.h"

static const char *reason_name(unsigned reason)
{
    static const char *const names[ZVMM_STATS_REASONS] = {
        [KVM_EXIT_IO] = "io",
        [KVM_EXIT_HLT] = "hlt",
        [KVM_EXIT_MMIO] = "mmio",
        [KVM_EXIT_IRQ_WINDOW_OPEN] = "window",
        [KVM_EXIT_SHUTDOWN] = "shutdown",
        [KVM_EXIT_INTR] = "interrupted",
        [KVM_EXIT_INTERNAL_ERROR] = "internal_error",
        [KVM_EXIT_FAIL_ENTRY] = "fail_entry",
    };
    return names[reason] != NULL ? names[reason] : "other";
}

/* Resident KiB of this process outside [base, base + bytes), from /proc/self/smaps. */
static unsigned long own_resident_kib(const struct memory *memory)
{
    char line[512];
    unsigned long total = 0, kib;
    unsigned long long start, end, base = (unsigned long long)(uintptr_t)memory->base;
    bool ours = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    if (maps == NULL)
        return 0;
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2)
            ours = end <= base || start >= base + memory->bytes;
        else if (ours && sscanf(line, "Rss: %lu kB", &kib) == 1)
            total += kib;
    }
    fclose(maps);
    return total;
}

void stats_print(const struct zvmm *vm)
{
    const struct zvmm_stats *stats = &vm->stats;
    const char *separator = " exits=";
    fprintf(stderr, "zvmm: stats: runs=%llu probe_runs=%llu", (unsigned long long)stats->runs,
            (unsigned long long)stats->probe_runs);
    for (unsigned i = 0; i < ZVMM_STATS_REASONS; i++) {
        if (stats->exits[i] == 0)
            continue;
        fprintf(stderr, "%s%s:%llu", separator, reason_name(i),
                (unsigned long long)stats->exits[i]);
        separator = ",";
    }
    fprintf(stderr,
            " hypercalls=%llu injected=%llu console_bytes=%llu quirks=%#x features=%#x "
            "first_run_us=%llu end_us=%llu first_run_cpu_us=%llu first_run_clock_ns=%llu",
            (unsigned long long)stats->hypercalls, (unsigned long long)stats->injected,
            (unsigned long long)stats->console_bytes, vm->quirks, vm->features,
            (unsigned long long)stats->first_run_ns / 1000,
            (unsigned long long)stats->end_ns / 1000,
            (unsigned long long)stats->first_run_cpu_ns / 1000,
            (unsigned long long)(stats->created_ns + stats->first_run_ns));
    for (unsigned i = 0; i < ZVMM_STATS_MARKERS; i++)
        if (stats->marker_ns[i] != 0)
            fprintf(stderr, " marker%u_us=%llu", i, (unsigned long long)stats->marker_ns[i] / 1000);
    fprintf(stderr, " own_rss_kib=%lu\n", own_resident_kib(&vm->memory));
}
