/*
 * aspace_info.c - what an address space tells about itself: memory map, VMOs, totals.
 */
#include "aspace.h"

#include "string.h"
#include "vmar.h"
#include "vmo.h"

/* The region after `region` in depth-first order, sub-VMARs entered; *depth follows. */
static struct region *next_region(struct region *region, size_t *depth)
{
    struct region *next;

    if (!region->is_mapping) {
        next = vmar_region_from(region_vmar(region), 0);
        if (next) {
            ++*depth;
            return next;
        }
    }
    while (region->parent) {
        next = vmar_region_next(region);
        if (next)
            return next;
        region = &region->parent->region;
        --*depth;
    }
    return NULL;
}

static uint64_t committed_pages(const struct mapping *mapping)
{
    uint64_t length = mapping->region.size;

    if (mapping->offset >= mapping->limit)
        return 0;
    if (length > mapping->limit - mapping->offset)
        length = mapping->limit - mapping->offset;
    return vmo_attributed_pages(mapping->pages, mapping->offset, length);
}

static void fill_record(zx_info_maps_t *record, struct region *region, size_t depth)
{
    struct mapping *mapping;

    *record = (zx_info_maps_t){
        .base = region->base,
        .size = region->size,
        .depth = depth,
        .type = ZX_INFO_MAPS_TYPE_VMAR,
    };
    if (!region->is_mapping) {
        const char *name = region->parent ? "useralloc" : "root";

        memcpy(record->name, name, strlen(name));
        return;
    }
    mapping = region_mapping(region);
    memcpy(record->name, mapping->vmo->name, sizeof record->name);
    record->type = ZX_INFO_MAPS_TYPE_MAPPING;
    record->u.mapping = (zx_info_maps_mapping_t){
        .mmu_flags = mapping->perms,
        .vmo_koid = mapping->vmo->object.koid,
        .vmo_offset =
            mapping->offset - (mapping->vmo == mapping->pages ? 0 : mapping->vmo->base_offset),
        .committed_pages = committed_pages(mapping),
    };
}

void aspace_visit_maps(struct aspace *aspace,
                       void (*visit)(const zx_info_maps_t *record, void *arg), void *arg)
{
    struct region *root = &aspace->root->region;
    zx_info_maps_t record;
    size_t depth = 1;

    fill_record(&record, root, 0);
    record.type = ZX_INFO_MAPS_TYPE_ASPACE;
    memset(record.name, 0, sizeof record.name);
    memcpy(record.name, "proc", 4);
    visit(&record, arg);
    for (struct region *region = root; region; region = next_region(region, &depth)) {
        fill_record(&record, region, depth);
        visit(&record, arg);
    }
}

void aspace_visit_vmos(struct aspace *aspace, void (*visit)(const zx_info_vmo_t *record, void *arg),
                       void *arg)
{
    size_t depth = 0;

    for (struct region *region = &aspace->root->region; region;
         region = next_region(region, &depth)) {
        zx_info_vmo_t record;

        if (!region->is_mapping)
            continue;
        vmo_get_info(region_mapping(region)->vmo, &record);
        record.flags |= ZX_INFO_VMO_VIA_MAPPING;
        visit(&record, arg);
    }
}

void aspace_task_stats(struct aspace *aspace, zx_info_task_stats_t *out)
{
    size_t depth = 0;

    *out = (zx_info_task_stats_t){.mem_mapped_bytes = aspace->mapped_pages * HAL_PAGE_SIZE};
    for (struct region *region = &aspace->root->region; region;
         region = next_region(region, &depth)) {
        struct mapping *mapping;
        uint64_t bytes;
        size_t users;

        if (!region->is_mapping)
            continue;
        mapping = region_mapping(region);
        bytes = committed_pages(mapping) * HAL_PAGE_SIZE;
        users = vmo_share_count(mapping->vmo);
        if (users < 2) {
            out->mem_private_bytes += bytes;
        } else {
            out->mem_shared_bytes += bytes;
            out->mem_scaled_shared_bytes += bytes / users;
        }
    }
}
