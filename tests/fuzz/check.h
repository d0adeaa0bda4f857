/*
 * check.h - what must be true of the kernel's objects between two turns; docs/fuzzing.md lists it.
 */
#ifndef ZVMM_TESTS_FUZZ_CHECK_H
#define ZVMM_TESTS_FUZZ_CHECK_H

/* Goes through everything that can be reached and ends the run (fuzz_fail) at the first rule that
 * does not hold. No thread is current. */
void check_world(void);

#endif
