/* cpuinfo.c - which lines of /proc/cpuinfo must agree. */
#include "cpuinfo.h"

#include <stdlib.h>

#include "proc_text.h"

#define BOGOMIPS_KHZ 500u /* of the TSC, for each */
#define TOLERANCE    10u  /* kHz: "bogomips" has two digits behind the point, 5 kHz each */

uint64_t cpuinfo_tsc_khz(const char *text)
{
    const char *flags = proc_text_value(text, "flags"), *mhz = proc_text_value(text, "cpu MHz"),
               *bogomips = proc_text_value(text, "bogomips");
    double own, twice;

    if (!flags || !mhz || !bogomips || !proc_text_has_word(flags, "tsc_known_freq"))
        return 0;
    own = strtod(mhz, NULL) * 1000;
    twice = strtod(bogomips, NULL) * BOGOMIPS_KHZ;
    if (!(own >= 1 && own < UINT32_MAX && own - twice <= TOLERANCE && twice - own <= TOLERANCE))
        return 0;
    return (uint64_t)(own + 0.5);
}
