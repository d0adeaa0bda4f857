/*
 * still.h - what a snapshot needs of a machine that stands still, and the file made of it.
 *
 * Reading it is quick and needs the vCPU's thread; composing the file takes longer and needs
 * neither that nor the machine, only its memory as it was then: in a forked child, in a copy of the
 * pages that count (aside.h), or in the machine itself if that waits.
 */
#ifndef ZVMM_SNAPSHOT_STILL_H
#define ZVMM_SNAPSHOT_STILL_H

#include "console.h"
#include "snapshot/aside.h"
#include "snapshot/file.h"
#include "snapshot/state.h"

struct zvmm;

struct still {
    struct vcpu_state state;
    struct zsnap_machine machine;
    uint8_t input[CONSOLE_INPUT_BYTES]; /* typed, and not taken by the guest yet */
    uint64_t input_bytes;
};

/* From the vCPU's thread, with the vCPU settled. */
int still_read(struct still *still, struct zvmm *vm, struct zvmm_error *error);

/* A file to be made. Everything belongs to the caller. */
struct composition {
    const struct zvmm *vm; /* only what does not change while it runs, and its memory: see below */
    const struct still *still;
    const char *path, *label;     /* label "": none */
    const char *parent_path;      /* "", or where the parent is ... */
    struct snapshot_file *parent; /* ... which is open then */
    uint8_t uuid[16];
    const struct aside *aside; /* the pages that may differ from the parent; NULL: vm->memory has */
    bool known;                /* them, and those in vm->track.since_base are all that may */
    bool sync;                 /* wait until the file is on the disk */
};

int still_compose(const struct composition *composition, struct zvmm_error *error);

#endif
