/*
 * record.h - the form of an input: records of equal length, one a step.
 *
 *     byte 0    what is done: a system call's number, or STEP_*; numbers between the last call and
 *               STEP_FIRST are calls again, counted from 0
 *     byte 1    which of the ready threads does it (modulo their number)
 *     byte 2..  the choices that are to be made on the way, in their order; zeros behind the end
 */
#ifndef ZVMM_TESTS_FUZZ_RECORD_H
#define ZVMM_TESTS_FUZZ_RECORD_H

#define RECORD_BYTES 24

enum step_kind {
    STEP_FIRST = 244,
    STEP_KILL_THREAD = STEP_FIRST,
    STEP_KILL_PROCESS,
    STEP_CONSOLE,    /* a character comes */
    STEP_EXCEPTION,  /* the thread executes something that traps */
    STEP_FAULT,      /* ... or accesses an address */
    STEP_FAIL_MAP,   /* a call (byte 3) of which an operation on page tables fails: the n-th, byte 2
                      */
    STEP_FAIL_FRAME, /* ... the n-th allocation of a frame */
    STEP_FAIL_HEAP,  /* ... or from the heap */
    STEP_RUN_ALL,    /* every ready thread settles */
    STEP_SETTLE,     /* the thread settles */
    STEP_DEADLINE,   /* time passes to the next deadline */
    STEP_ADVANCE,    /* ... by nanoseconds */
};

#endif
