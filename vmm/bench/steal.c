/* steal.c - time that the hypervisor below this host took. */
#include "bench/steal.h"

#include <stdio.h>
#include <string.h>

bool steal_read(const char *path, int cpu, struct steal_counters *out)
{
    char line[512], name[16];
    bool found = false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    int length = snprintf(name, sizeof(name), "cpu%d ", cpu);
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        unsigned long long v[8];
        if (strncmp(line, name, (size_t)length) != 0 ||
            sscanf(line + length, "%llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2],
                   &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
            continue;
        *out = (struct steal_counters){
            .busy = v[0] + v[1] + v[2] + v[5] + v[6], .idle = v[3] + v[4], .steal = v[7]};
        found = true;
    }
    fclose(file);
    return found;
}

void steal_begin(struct steal *steal, const char *path, int cpu, uint64_t now_tsc)
{
    struct steal_counters counters = {0};
    *steal = (struct steal){.path = path, .cpu = cpu, .last_tsc = now_tsc};
    steal->known = steal_read(path, cpu, &counters);
    steal->last = counters.steal;
}

void steal_poll(struct steal *steal, uint64_t now_tsc, struct vouch_facts *to)
{
    struct steal_counters counters;
    if (!steal->known || !steal_read(steal->path, steal->cpu, &counters))
        return;
    if (counters.steal > steal->last)
        vouch_add_span(to, steal->last_tsc, now_tsc, VOUCH_STOLEN);
    steal->last = counters.steal;
    steal->last_tsc = now_tsc;
}
