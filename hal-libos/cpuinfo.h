/* cpuinfo.h - what the host's kernel lists in /proc/cpuinfo. */
#ifndef HAL_LIBOS_CPUINFO_H
#define HAL_LIBOS_CPUINFO_H

#include <stdint.h>

/*
 * The TSC's frequency by a text in the form of /proc/cpuinfo (the first processor's), in kHz; 0 if
 * the text does not tell it for certain.
 *
 * A kernel that was told the frequency has the flag tsc_known_freq. "cpu MHz" is then that
 * frequency unless something sets the processor's own, and "bogomips", two turns of the delay loop
 * for each of its ticks, always follows from it but has fewer digits: so both must agree.
 */
uint64_t cpuinfo_tsc_khz(const char *text);

#endif
