/*
 * track.h - which pages of a machine have been written since some moment.
 *
 * KVM tells of the guest's writes, by its dirty ring or, on a KVM without one, by its dirty log;
 * zvmm's own writes into guest memory are noted with track_note(). There are two moments: the mark
 * of zvmm_mark(), and the last snapshot, which the next one may be the difference from. From the
 * vCPU's thread.
 */
#ifndef ZVMM_SNAPSHOT_TRACK_H
#define ZVMM_SNAPSHOT_TRACK_H

#include <linux/kvm.h>

#include "snapshot/pages.h"

struct zvmm;

/* Pages written since one moment. */
struct written {
    bool active;
    struct page_set set;
    uint64_t *list; /* the pages of the set in the order of their first writes; owned */
    uint64_t count, room;
};

struct track {
    bool logging;               /* KVM has been told to */
    struct kvm_dirty_gfn *ring; /* NULL: KVM has none, or none was asked for */
    uint32_t ring_entries;
    uint32_t ring_kept, ring_next; /* entries between them are read, and KVM's not again yet */
    bool keeps;       /* pages stay writable when they have been read: see track_protect() */
    uint64_t *bitmap; /* for the dirty log; owned */
    struct written since_mark;
    struct written since_base;
    uint8_t base[16]; /* the uuid of the snapshot that since_base counts from */
};

/* Map the ring of a new vCPU, if the VM was made with one (kvm.ring_bytes). */
int track_init(struct zvmm *vm, struct zvmm_error *error);
void track_free(struct track *track);

/* Begin, or begin again: from now on, nothing has been written. `which` is one of vm->track's. */
int track_begin(struct zvmm *vm, struct written *which, struct zvmm_error *error);

/* The same for since_base: the memory is now that of the snapshot `uuid`. */
int track_begin_base(struct zvmm *vm, const uint8_t uuid[16], struct zvmm_error *error);

/* Whether since_base counts from the snapshot `uuid`. */
bool track_knows(const struct track *track, const uint8_t uuid[16]);

/*
 * Take over what KVM knows; the pages are then in the lists. They stay writable, and further writes
 * to them are not told of, so they may be forgotten only after track_protect(). -1: vm->error says
 * why.
 */
int track_collect(struct zvmm *vm);

/* Have KVM tell again of writes to the pages that have been collected. Expensive: each of them will
 * cost the guest another page fault. */
int track_protect(struct zvmm *vm);

/* Whether there are such pages: protecting them also makes the processor forget translations. */
bool track_has_open(const struct track *track);

/* The ring is full. */
int track_make_room(struct zvmm *vm);

/* zvmm itself has written [paddr, paddr + length). */
void track_note(struct zvmm *vm, uint64_t paddr, uint64_t length);

/* Forget the pages: they are as they were at that moment, and protected. */
void written_forget(struct written *which);

#endif
