/*
 * clock.c - the monotonic clock is a ratio of the TSC (clock_ratio.h), whose frequency the
 * processor tells, or the host's kernel in one of two places, or it is measured.
 */
#include "clock.h"

#include <cpuid.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock_ratio.h"
#include "cpuinfo.h"
#include "machine.h"
#include "proc_text.h"
#include "x86.h"

#define NUMERATOR   1000000u /* denominator: ticks per millisecond */
#define MEASURED_NS 10000000
#define LOOKED_NS   100000
#define LOOK_PART   200 /* what was measured for so long is right to such a part, and far more */
#define LONGEST_NS  (365ull * 24 * 3600 * 1000000000)

static struct {
    struct clock_ratio ratio;
    zx_time_t wall_offset;
} the_clock;

/* ---- Conversions ----------------------------------------------------------------------------- */

uint64_t clock_ticks(zx_time_t time)
{
    return clock_ratio_ticks(&the_clock.ratio, time);
}

uint64_t clock_ns_until(uint64_t ticks)
{
    uint64_t now = x86_rdtsc(), remainder, ns;

    if (ticks <= now)
        return 0;
    ns = clock_scale(ticks - now, NUMERATOR, the_clock.ratio.denominator, &remainder) + 1;
    return ns < LONGEST_NS ? ns : LONGEST_NS;
}

/* ---- Frequency ------------------------------------------------------------------------------- */

static uint64_t host_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Leaf 0x15: the crystal's frequency and its ratio to the TSC, where both are told. */
static uint64_t khz_by_cpuid(void)
{
    uint32_t a, b, c, d;

    if (!__get_cpuid(0x15, &a, &b, &c, &d) || !a || !b || !c)
        return 0;
    return (uint64_t)c * b / a / 1000;
}

/* One reading of both clocks: the one of several that took the shortest time. */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = x86_rdtsc(), now = host_ns(CLOCK_MONOTONIC), after = x86_rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        *ticks = before + best / 2;
        *ns = now;
    }
}

/*
 * The host's kernel tells whoever counts events how it makes nanoseconds of ticks itself:
 * ns = ticks * time_mult >> time_shift. 0 where it does not let us ask.
 */
static uint64_t khz_by_kernel(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof attr,
                                   .config = PERF_COUNT_SW_DUMMY,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    struct perf_event_mmap_page *page;
    uint64_t khz = 0;

    if (fd < 0)
        return 0;
    page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) {
        if (page->cap_user_time && page->time_mult && page->time_shift < 44)
            khz = (UINT64_C(1000000) << page->time_shift) / page->time_mult;
        munmap(page, size);
    }
    close(fd);
    return khz;
}

static uint64_t khz_by_measuring(uint32_t for_ns)
{
    struct timespec wait = {.tv_nsec = for_ns};
    uint64_t ticks, ns, ticks_then, ns_then;

    read_both(&ticks, &ns);
    nanosleep(&wait, NULL);
    read_both(&ticks_then, &ns_then);
    return (ticks_then - ticks) * 1000000 / (ns_then - ns);
}

/* What is listed is there at once, and a short look tells whether the counter is like that;
 * measuring it well takes most of a start. */
static uint64_t khz_by_listing(void)
{
    char text[PROC_TEXT_ROOM];
    uint64_t khz, seen;

    if (!proc_text_read("/proc/cpuinfo", text) || !(khz = cpuinfo_tsc_khz(text)))
        return 0;
    seen = khz_by_measuring(LOOKED_NS);
    return seen > khz - khz / LOOK_PART && seen < khz + khz / LOOK_PART ? khz : 0;
}

void clock_init(struct hal_boot *boot)
{
    uint64_t khz = khz_by_cpuid();

    if (khz == 0)
        khz = khz_by_listing();
    if (khz == 0)
        khz = khz_by_kernel();
    if (khz == 0)
        khz = khz_by_measuring(MEASURED_NS);
    if (khz == 0 || khz > UINT32_MAX)
        machine_fail("the time stamp counter does not count; zlibos needs a constant one");
    machine_remark("time stamp counter: %llu kHz", (unsigned long long)khz);
    the_clock.ratio = (struct clock_ratio){.numerator = NUMERATOR, .denominator = khz};
    the_clock.wall_offset =
        (zx_time_t)host_ns(CLOCK_REALTIME) - clock_ratio_time(&the_clock.ratio, x86_rdtsc());
    boot->tick_numerator = NUMERATOR;
    boot->tick_denominator = (uint32_t)khz;
    boot->ticks_per_second = khz * 1000;
}

/* ---- Contract -------------------------------------------------------------------------------- */

zx_ticks_t hal_ticks(void)
{
    return (zx_ticks_t)x86_rdtsc();
}

zx_time_t hal_now(void)
{
    return clock_ratio_time(&the_clock.ratio, x86_rdtsc());
}

zx_time_t hal_wall_clock_offset(void)
{
    return the_clock.wall_offset;
}

/* Nobody moves a process's time. */
void hal_set_ticks_offset(hal_paddr_t word)
{
    (void)word;
}
