/*
 * vmar_place.h - where a new region of a VMAR goes.
 */
#ifndef ZVMM_OBJECT_VMAR_PLACE_H
#define ZVMM_OBJECT_VMAR_PLACE_H

#include "vmar.h"

/*
 * Finds the address for `size` bytes, rounded up to pages, as `options` (SPECIFIC, COMPACT,
 * OFFSET_IS_UPPER_LIMIT, ALIGN_*) say, checking in the order of rules 147. `can_map`: CAN_MAP_*
 * that the parent must have. With `overwrite` an occupied place is fine. Changes nothing that
 * matters.
 */
zx_status_t vmar_place(struct vmar *vmar, uint32_t options, uint32_t can_map, uint64_t offset,
                       uint64_t size, bool overwrite, zx_vaddr_t *base);

#endif
