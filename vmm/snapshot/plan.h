/* plan.h - when a running machine takes a snapshot by itself: --snapshot-at, SIGUSR1, a panic. */
#ifndef ZVMM_SNAPSHOT_PLAN_H
#define ZVMM_SNAPSHOT_PLAN_H

#include "zvmm.h"

struct take;

enum plan_kind {
    PLAN_NEVER,
    PLAN_MARKER, /* ZV_CALL_MARKER with `number`, or with the name `name` */
    PLAN_TIME,   /* `number` ns after the run has begun */
    PLAN_EXITS,  /* before KVM_RUN number `number` + 1 */
    PLAN_START,  /* the program `name` starts */
    PLAN_EXIT,   /* ... ends */
    PLAN_PANIC,
    PLAN_EVENT, /* event `number` of a deterministic run */
    PLAN_END,   /* the guest asks for the machine's end */
};

/* Belongs to one machine; used by its vCPU's thread only. */
struct plan {
    enum plan_kind kind;
    uint64_t number;
    const char *name; /* NULL, or points into config.snapshot_at */
    uint64_t deadline_ns;
    bool due, met;
    struct take *next; /* prepared, or NULL; owned */
    struct take *take; /* the one that is being written, or NULL */
};

/* Understand an EVENT of --snapshot-at; NULL is "never". -1 with a line in `error`. */
int plan_parse(struct plan *plan, const char *event, struct zvmm_error *error);

/* Whether the kernel has to tell of processes (kernel.process-markers). */
bool plan_needs_processes(const struct plan *plan);

/* The event of a deterministic run at which a snapshot is wanted, or 0. */
uint64_t plan_event(const struct zvmm *vm);

/* A run begins: check that config's files can be used, set the clock. */
int plan_begin(struct zvmm *vm, struct zvmm_error *error);

/* What happens in a run. */
void plan_see_marker(struct zvmm *vm, uint32_t id, uint64_t value, const char *name);
void plan_see_exit(struct zvmm *vm);

/* The vCPU is settled: take the snapshot if one is due. A failure ends the run. */
void plan_serve(struct zvmm *vm);

/* The same at the exit that is being handled, before the guest goes on. -1: see vm->error. */
int plan_take_here(struct zvmm *vm);

/*
 * The run has ended: write the snapshot of a guest that failed, wait for the one being written.
 * -1 if one that the user asked for is not there.
 */
int plan_end(struct zvmm *vm, struct zvmm_error *error);

#endif
