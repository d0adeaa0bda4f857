/*
 * track.h - which pages of a machine have been written since tracking began.
 *
 * KVM tells of the guest's writes, by its dirty ring or, on a KVM without one, by its dirty log;
 * zvmm's own writes into guest memory are noted with track_note(). From the vCPU's thread.
 */
#ifndef ZVMM_SNAPSHOT_TRACK_H
#define ZVMM_SNAPSHOT_TRACK_H

#include <linux/kvm.h>

#include "snapshot/pages.h"

struct zvmm;

struct track {
    bool active;
    struct kvm_dirty_gfn *ring; /* NULL: KVM has none, or none was asked for */
    uint32_t ring_entries, ring_next;
    uint64_t *bitmap; /* for the dirty log; owned */
    struct page_set set;
    uint64_t *list; /* the pages of the set in the order of their first writes; owned */
    uint64_t count, room;
};

/* Map the ring of a new vCPU, if the VM was made with one (kvm.ring_bytes). */
int track_init(struct zvmm *vm, struct zvmm_error *error);
void track_free(struct track *track);

/* Begin to track: from now on, nothing has been written. */
int track_begin(struct zvmm *vm, struct zvmm_error *error);

/* Take over what KVM knows; the pages are then in track.list. -1: vm->error says why. */
int track_collect(struct zvmm *vm);

/* zvmm itself has written [paddr, paddr + length). */
void track_note(struct zvmm *vm, uint64_t paddr, uint64_t length);

/* Forget the pages: they are as they were when tracking began. */
void track_forget(struct track *track);

#endif
