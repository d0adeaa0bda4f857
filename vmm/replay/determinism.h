/*
 * determinism.h - zvmm's side of deterministic mode: the fixed machine, scripted input, digests,
 * the log of events, and the limit for user code that never enters the kernel.
 *
 * The kernel's side is hal-paravirt/virtual.c; docs/determinism.md has the rules. vm->determinism
 * is NULL in an ordinary run, and nothing here is called then.
 */
#ifndef ZVMM_REPLAY_DETERMINISM_H
#define ZVMM_REPLAY_DETERMINISM_H

#include "hypercall.h"
#include "input-script.h"
#include "zvmm.h"

struct zvmm;
struct determinism;
struct snapshot_file;
struct zsnap_determinism;

/* The machine that every host can be: see docs/determinism.md. */
#define DETERMINISTIC_QUIRKS                                                                       \
    (ZV_QUIRK_SLOW_RING0 | ZV_QUIRK_SYSCALL_BROKEN | ZV_QUIRK_NO_XSAVE | ZV_QUIRK_NO_INT3_RING0 |  \
     ZV_QUIRK_NO_PCID)
#define DETERMINISTIC_KHZ        1000000u               /* a tick is a nanosecond */
#define DETERMINISTIC_WALL_CLOCK 1577836800000000000ull /* 2020-01-01 00:00 UTC, at tick 0 */

/* Read the input script; the rest of vm->config is checked already. */
int determinism_create(struct zvmm *vm, struct zvmm_error *error);

/*
 * A snapshot's part of the run, out of the stopped `vm`; the input script belongs to it, too, and
 * lives as long as `vm`.
 */
const struct input_script *determinism_save(const struct zvmm *vm, struct zsnap_determinism *saved);

/* ... and in, instead of determinism_create(). */
int determinism_resume(struct zvmm *vm, const struct snapshot_file *file, struct zvmm_error *error);

/* What a reset puts back beside the memory, in which the guest's clock is. */
struct determinism_mark {
    uint64_t events, taken, input_end;
    uint32_t texts, preemptions;
};

/* Fails if the run is logged or compared with a log: those cannot go back. */
int determinism_mark(const struct zvmm *vm, struct determinism_mark *mark,
                     struct zvmm_error *error);

/* After the memory has been put back. */
void determinism_reset(struct zvmm *vm, const struct determinism_mark *mark);

/*
 * Console input that comes now, behind what the script still has; the number of bytes taken. From
 * then on input does not end.
 */
uint64_t determinism_type(struct zvmm *vm, const void *data, uint64_t length);

/* The guest's clock, ns. */
uint64_t determinism_clock(const struct zvmm *vm);

/* The machine is ready: the last thing before its first instruction. plan_begin() has been called.
 */
int determinism_begin(struct zvmm *vm, struct zvmm_error *error);

/* Before each KVM_RUN: inject what the limit for user code asks for. */
void determinism_before_run(struct zvmm *vm);

/* The hypercalls. Failures of the host end the run through vm->error. */
int64_t determinism_console_read(struct zvmm *vm, uint8_t *to, uint64_t length);
int64_t determinism_events(struct zvmm *vm, const struct zv_call *call);
int64_t determinism_stuck(struct zvmm *vm);
void determinism_marker(struct zvmm *vm, uint32_t id);

/* The guest has written `why` to ZV_STOP_PORT. */
void determinism_stop(struct zvmm *vm, uint32_t why);

/* A debug exit: whether it is the end of a step of user code. */
bool determinism_stepped(struct zvmm *vm);

/* The run has ended with vm->result: digest, end of the log, notes. */
void determinism_end(struct zvmm *vm);

void determinism_destroy(struct zvmm *vm);

#endif
