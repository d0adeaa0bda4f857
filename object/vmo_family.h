/*
 * vmo_family.h - VMOs that may share pages because they are snapshots of one another.
 *
 * A page that several of them show counts as the oldest one's, so that the committed pages of all
 * VMOs add up to the frames in use. Nobody keeps that up to date while pages come and go: the first
 * query after a change goes through the family once and numbers every node and frame with its
 * owner; the following ones only count.
 */
#ifndef ZVMM_OBJECT_VMO_FAMILY_H
#define ZVMM_OBJECT_VMO_FAMILY_H

#include "vmo.h"

struct vmo_family {
    TAILQ_HEAD(, vmo) members; /* the oldest first */
    uint64_t count;            /* members; a family of one dissolves */
    uint32_t era;              /* of the numbers in use, see vmo_info.c */
    bool stale;                /* something changed since members were numbered */
};

#endif
