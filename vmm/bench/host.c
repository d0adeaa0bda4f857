/* host.c - what is known of the machine. */
#include "bench/host.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/steal.h"
#include "proc_text.h"

#define LOOK_NS 250000000
enum {
    BUSY_PERCENT = 5,   /* worth a remark */
    TAKEN_PERCENT = 50, /* somebody else's processor */
    MOST_CPUS = 256,
};

/* ---- Small files ---------------------------------------------------------------------------- */

/* The first line of root + path, without its end; false if there is none. */
static bool read_line(const char *root, const char *path, char *line, size_t size)
{
    char name[512];
    snprintf(name, sizeof(name), "%s%s", root, path);
    FILE *file = fopen(name, "re");
    bool good = file != NULL && fgets(line, (int)size, file) != NULL;
    if (file != NULL)
        fclose(file);
    if (good)
        line[strcspn(line, "\n")] = '\0';
    return good;
}

/* The value of the first line with that key of a file. */
static bool read_key(const char *root, const char *path, const char *key, char *value, size_t size)
{
    char name[512], text[PROC_TEXT_ROOM];
    snprintf(name, sizeof(name), "%s%s", root, path);
    const char *found = proc_text_read(name, text) ? proc_text_value(text, key) : NULL;
    if (found != NULL)
        snprintf(value, size, "%.*s", (int)strcspn(found, "\n"), found);
    return found != NULL;
}

__attribute__((format(printf, 2, 3))) static void remark(struct host *host, const char *format, ...)
{
    va_list args;
    if (host->remark_count == HOST_REMARKS)
        return;
    va_start(args, format);
    vsnprintf(host->remarks[host->remark_count++], HOST_TEXT, format, args);
    va_end(args);
}

/* ---- Which machine -------------------------------------------------------------------------- */

static void name_machine(struct host *host, const char *root)
{
    char model[96] = "unknown processor", mhz[32] = "0";
    struct utsname system;
    uname(&system);
    read_key(root, "/proc/cpuinfo", "model name", model, sizeof(model));
    read_key(root, "/proc/cpuinfo", "cpu MHz", mhz, sizeof(mhz));
    host->mhz = strtod(mhz, NULL);
    host->cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
    snprintf(host->machine, sizeof(host->machine), "%s, %d CPUs, %s, Linux %.48s", model,
             host->cpus, system.machine, system.release);
}

/* ---- What is unsettled ---------------------------------------------------------------------- */

static void check_frequency(struct host *host, const char *root)
{
    char path[128], text[64];
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
             host->cpu);
    if (!read_line(root, path, text, sizeof(text)))
        remark(host, "the host does not say how its clock frequency is governed");
    else if (strcmp(text, "performance") != 0)
        remark(host, "frequency governor is %.20s; cpupower frequency-set -g performance", text);
    if ((read_line(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", text, sizeof(text)) &&
         strcmp(text, "0") == 0) ||
        (read_line(root, "/sys/devices/system/cpu/cpufreq/boost", text, sizeof(text)) &&
         strcmp(text, "1") == 0))
        remark(host, "turbo is on; write 1 to intel_pstate/no_turbo or 0 to cpufreq/boost");
}

static void check_sharing(struct host *host, const char *root)
{
    char text[4096];
    if (read_line(root, "/sys/devices/system/cpu/smt/active", text, sizeof(text)) &&
        strcmp(text, "1") == 0)
        remark(host, "two threads share a core; write off to cpu/smt/control");
    if (read_key(root, "/proc/cpuinfo", "flags", text, sizeof(text)) &&
        proc_text_has_word(text, "hypervisor"))
        remark(host, "this host is itself a virtual machine: what else its machine does is not "
                     "seen, except as stolen time");
}

static void check_memory(struct host *host, const char *root)
{
    char text[256];
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < 1u << 30 && geteuid() != 0)
        remark(host, "guest memory cannot be locked: ulimit -l is %llu KiB",
               (unsigned long long)limit.rlim_cur >> 10);
    if (read_key(root, "/proc/meminfo", "SwapTotal", text, sizeof(text)) && strtol(text, NULL, 10))
        remark(host, "there is swap; swapoff -a");
}

/* ---- Load ----------------------------------------------------------------------------------- */

struct load {
    struct steal_counters before, after;
    bool allowed;
};

static double busy_percent(const struct load *load)
{
    uint64_t busy = load->after.busy - load->before.busy;
    uint64_t idle = load->after.idle - load->before.idle;
    uint64_t steal = load->after.steal - load->before.steal;
    uint64_t all = busy + idle + steal;
    return all != 0 ? 100.0 * (double)(busy + steal) / (double)all : 0;
}

/*
 * The first processor that nobody else has taken; if there is none, the idlest. So sessions are on
 * the same one: behind its core and its caches each has neighbours of its own.
 */
static int choose(const struct load *loads, int count)
{
    int idlest = -1;
    for (int i = 0; i < count; i++) {
        if (!loads[i].allowed)
            continue;
        if (busy_percent(&loads[i]) <= TAKEN_PERCENT)
            return i;
        if (idlest < 0 || busy_percent(&loads[i]) < busy_percent(&loads[idlest]))
            idlest = i;
    }
    return idlest >= 0 ? idlest : sched_getcpu();
}

/* What the processors do for a quarter of a second. */
static void look_at_loads(struct load loads[MOST_CPUS], const char *root)
{
    char path[512];
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    snprintf(path, sizeof(path), "%s/proc/stat", root);
    for (int i = 0; i < MOST_CPUS; i++)
        loads[i].allowed = CPU_ISSET(i, &set) && steal_read(path, i, &loads[i].before);
    nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    for (int i = 0; i < MOST_CPUS; i++)
        loads[i].allowed = loads[i].allowed && steal_read(path, i, &loads[i].after);
}

static void check_load(struct host *host, const char *root, int cpu)
{
    struct load loads[MOST_CPUS] = {0};
    char text[128];
    look_at_loads(loads, root);
    host->cpu = cpu >= 0 ? cpu : choose(loads, MOST_CPUS);
    const struct load *chosen = &loads[host->cpu < MOST_CPUS ? host->cpu : 0];
    if (busy_percent(chosen) > BUSY_PERCENT)
        remark(host, "CPU %d is %.0f %% busy with other work; stop it or use --cpu", host->cpu,
               busy_percent(chosen));
    if (chosen->after.steal > chosen->before.steal)
        remark(host, "CPU %d loses time to the hypervisor below", host->cpu);
    if (read_line(root, "/proc/loadavg", text, sizeof(text)) && strtod(text, NULL) > 0.5)
        remark(host, "the load average is %.1f", strtod(text, NULL));
}

void host_look(struct host *host, const char *root, int cpu)
{
    *host = (struct host){.cpu = cpu};
    name_machine(host, root);
    check_load(host, root, cpu);
    check_frequency(host, root);
    check_sharing(host, root);
    check_memory(host, root);
}
