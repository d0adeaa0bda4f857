/* cpuinfo-test.c - which texts tell the TSC's frequency. */
#include <stdio.h>

#include "cpuinfo.h"

static const struct {
    const char *what, *text;
    uint64_t khz;
} cases[] = {
    {"a VM's",
     "processor\t: 0\nmodel name\t: cpu MHz\ncpu MHz\t\t: 2596.148\nflags\t\t: fpu tsc "
     "tsc_known_freq pni\nbugs\t\t:\nbogomips\t: 5192.29\n\nprocessor\t: 1\ncpu MHz\t\t: 800.000\n",
     2596148},
    {"the flag last", "cpu MHz\t\t: 2000.000\nflags\t\t: fpu tsc_known_freq\nbogomips\t: 4000.00\n",
     2000000},
    {"the flag missing", "cpu MHz\t\t: 2000.000\nflags\t\t: fpu tsc\nbogomips\t: 4000.00\n", 0},
    {"another flag that begins like it",
     "cpu MHz\t\t: 2000.000\nflags\t\t: tsc_known_freq2\nbogomips\t: 4000.00\n", 0},
    {"a flag in another line",
     "cpu MHz\t\t: 2000.000\nflags\t\t: fpu\nbugs\t\t: tsc_known_freq\nbogomips\t: 4000.00\n", 0},
    {"a clock that is set by something else",
     "cpu MHz\t\t: 3400.012\nflags\t\t: tsc_known_freq\nbogomips\t: 5192.29\n", 0},
    {"no turns", "cpu MHz\t\t: 2000.000\nflags\t\t: tsc_known_freq\n", 0},
    {"no number", "cpu MHz\t\t: unknown\nflags\t\t: tsc_known_freq\nbogomips\t: 0.00\n", 0},
    {"no colon", "cpu MHz\t\t2000\nflags\t\t: tsc_known_freq\nbogomips\t: 4000.00\n", 0},
    {"nothing", "", 0},
};

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t khz = cpuinfo_tsc_khz(cases[i].text);

        if (khz == cases[i].khz)
            continue;
        printf("%s: %llu kHz, expected %llu\n", cases[i].what, (unsigned long long)khz,
               (unsigned long long)cases[i].khz);
        failed = 1;
    }
    return failed;
}
