/*
 * bare.h - the least that snapshots can cost here: a prototype over plain KVM, without a file
 * format, checks or checksums, for one machine whose memory it knows.
 */
#ifndef BENCH_SNAPSHOT_BARE_H
#define BENCH_SNAPSHOT_BARE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"

struct bare {
    int kvm, vm, vcpu, file;
    bool lapic;
    struct zsnap_header *header;
    uint8_t *memory, *reference, *aside;
    struct kvm_run *run;
    struct kvm_dirty_gfn *ring; /* NULL: the log */
    uint64_t *bitmap;
    uint32_t next;
};

/* Say what has failed, and end. */
void need(bool good, const char *what, const char *why);

/* A machine out of a snapshot of zvmm's; `track`: KVM tells of written pages. */
void bare_open(struct bare *bare, const char *path, bool track);
void bare_close(struct bare *bare);

/* Run to the next exit. */
void bare_run(struct bare *bare);

/* Put it back: the pages that were written, and the vCPU. */
void bare_reset(struct bare *bare);

/* Read the vCPU and write the pages that this process has to a file. */
void bare_take(struct bare *bare, const char *path);

/* Read the vCPU and copy the written pages aside. */
void bare_set_aside(struct bare *bare);

#endif
