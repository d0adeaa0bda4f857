/*
 * vmo_info.c - what VMOs tell about themselves.
 *
 * Numbers. Each time a family is gone through, its members get fresh ascending numbers (never 0);
 * nodes and frames that carry a smaller number than the first of these have not been seen in this
 * round. When the 32-bit numbers are used up a new era begins: a family whose numbers are of an
 * older era clears them first.
 */
#include "vmo.h"

#include "aspace.h"
#include "pager.h"
#include "vmar.h"
#include "vmo_family.h"

/* Guarded by the kernel lock. */
static struct {
    uint32_t next;
    uint32_t era; /* families begin with era 0, which is never current */
} numbers = {.next = 1, .era = 1};

static void number_family(struct vmo_family *family)
{
    struct vmo *vmo;
    uint32_t since;

    if (!family->stale)
        return;
    if (family->count >= UINT32_MAX - numbers.next) {
        numbers.next = 1;
        numbers.era++;
    }
    if (family->era != numbers.era) {
        TAILQ_FOREACH(vmo, &family->members, family_link)
            page_tree_claim(&vmo->pages, 0, 0);
        family->era = numbers.era;
    }
    since = numbers.next;
    TAILQ_FOREACH(vmo, &family->members, family_link) {
        vmo->attribution = numbers.next++;
        page_tree_claim(&vmo->pages, vmo->attribution, since);
    }
    family->stale = false;
}

uint64_t vmo_attributed_pages(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    uint64_t first = offset / HAL_PAGE_SIZE, count = length / HAL_PAGE_SIZE;

    if (vmo->flags & (VMO_SLICE | VMO_PHYSICAL))
        return 0;
    if (!vmo->family)
        return page_tree_count(&vmo->pages, first, count);
    number_family(vmo->family);
    return page_tree_count_owned(&vmo->pages, first, count, vmo->attribution);
}

/* Address spaces that map `vmo` (or, for a VMO that has slices, only itself). */
size_t vmo_share_count(struct vmo *vmo)
{
    static uint64_t round; /* marks address spaces that were counted; kernel lock */
    struct mapping_list *list = vmo->flags & VMO_SLICE ? &vmo->base->mappings : &vmo->mappings;
    struct mapping *mapping;
    size_t count = 0;

    round++;
    LIST_FOREACH(mapping, list, vmo_link) {
        if (mapping->vmo == vmo && mapping->aspace->counted != round) {
            mapping->aspace->counted = round;
            count++;
        }
    }
    return count;
}

void vmo_get_info(struct vmo *vmo, zx_info_vmo_t *out)
{
    *out = (zx_info_vmo_t){
        .koid = vmo->object.koid,
        .size_bytes = vmo->size,
        .parent_koid = vmo->parent_koid,
        .num_children = vmo->num_children,
        .num_mappings = vmo->mapping_count,
        .share_count = vmo_share_count(vmo),
        .committed_bytes = vmo_attributed_pages(vmo, 0, vmo->size) * HAL_PAGE_SIZE,
        .cache_policy = vmo->cache_policy,
        .flags = vmo->flags & VMO_PHYSICAL ? ZX_INFO_VMO_TYPE_PHYSICAL : ZX_INFO_VMO_TYPE_PAGED,
    };
    if (vmo->flags & VMO_RESIZABLE)
        out->flags |= ZX_INFO_VMO_RESIZABLE;
    if (vmo->flags & VMO_CLONE)
        out->flags |= ZX_INFO_VMO_IS_COW_CLONE;
    if (vmo->flags & VMO_CONTIGUOUS)
        out->flags |= ZX_INFO_VMO_CONTIGUOUS;
    if (vmo->pager)
        out->flags |= ZX_INFO_VMO_PAGER_BACKED;
    for (unsigned i = 0; i < sizeof out->name; i++)
        out->name[i] = vmo->name[i];
}
