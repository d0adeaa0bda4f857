/* cpuinfo.c - lines "NAME<tab>: VALUE". */
#include "cpuinfo.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BOGOMIPS_KHZ 500u /* of the TSC, for each */
#define TOLERANCE    10u  /* kHz: "bogomips" has two digits behind the point, 5 kHz each */

/* The value of the first line with the name, or NULL. */
static const char *find_value(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && isspace((unsigned char)line[length])) {
            const char *colon = line + strcspn(line, ":\n");
            return *colon == ':' ? colon + 1 : NULL;
        }
    }
    return NULL;
}

static bool has_word(const char *line, const char *word)
{
    size_t end = strcspn(line, "\n"), length = strlen(word);

    for (size_t at = 0; at < end; at += strcspn(line + at, " \n")) {
        at += strspn(line + at, " ");
        if (strncmp(line + at, word, length) == 0 && strchr(" \n", line[at + length]))
            return true;
    }
    return false;
}

uint64_t cpuinfo_tsc_khz(const char *text)
{
    const char *flags = find_value(text, "flags"), *mhz = find_value(text, "cpu MHz"),
               *bogomips = find_value(text, "bogomips");
    double own, twice;

    if (!flags || !mhz || !bogomips || !has_word(flags, "tsc_known_freq"))
        return 0;
    own = strtod(mhz, NULL) * 1000;
    twice = strtod(bogomips, NULL) * BOGOMIPS_KHZ;
    if (!(own >= 1 && own < UINT32_MAX && own - twice <= TOLERANCE && twice - own <= TOLERANCE))
        return 0;
    return (uint64_t)(own + 0.5);
}
