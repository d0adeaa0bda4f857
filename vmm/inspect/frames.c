/* frames.c - what each frame of RAM is for, from what the kernel's structures say. */
#include <stdlib.h>
#include <string.h>

#include "hypercall.h"
#include "inspect/pages.h"

enum class { NEVER_USED, FREE, IMAGE, BOOT, MODULE, RECORDS, TABLE, VMO, HEAP, CLASSES };

static const char *const class_names[CLASSES] = {
    [NEVER_USED] = "never used", [FREE] = "free",
    [IMAGE] = "kernel image",    [BOOT] = "boot data",
    [MODULE] = "boot module",    [RECORDS] = "frame records",
    [TABLE] = "page table",      [VMO] = "vmo",
    [HEAP] = "kernel heap",
};

struct frame {
    uint8_t class;
    const struct object *object;
    uint64_t index;
};

struct frames {
    struct inspector *inspector;
    const struct object *owner; /* while its frames are being claimed */
    uint64_t count;
    struct frame frame[];
};

static void claim(struct frames *frames, uint64_t first, uint64_t count, enum class class)
{
    for (uint64_t i = first; i < frames->count && i - first < count; i++)
        frames->frame[i] = (struct frame){.class = (uint8_t) class};
}

/* ---- By address: the memory map and the allocator ------------------------------------------- */

static void claim_ranges(struct frames *frames)
{
    struct inspector *inspector = frames->inspector;
    struct value machine, ranges, range;
    static const enum class classes[] = {[ZV_MEM_FREE] = HEAP,
                                         [ZV_MEM_KERNEL] = IMAGE,
                                         [ZV_MEM_BOOT] = BOOT,
                                         [ZV_MEM_MODULE] = MODULE};
    if (!value_variable(inspector, "machine", &machine) ||
        !value_path(inspector, &machine, "info->ranges", &ranges))
        return;
    uint64_t count = value_number(inspector, &machine, "info->num_ranges");
    for (uint64_t i = 0; i < count && i < ZV_BOOT_RANGES; i++) {
        if (!value_index(inspector, &ranges, i, &range))
            break;
        uint64_t type = value_number(inspector, &range, "type");
        if (type >= ZV_MEM_FREE && type <= ZV_MEM_MODULE)
            claim(frames, value_number(inspector, &range, "base") / PAGE_BYTES,
                  value_number(inspector, &range, "length") / PAGE_BYTES, classes[type]);
    }
}

static void claim_pools(struct frames *frames)
{
    struct inspector *inspector = frames->inspector;
    struct value allocator, pools, pool;
    if (!value_variable(inspector, "frames", &allocator) ||
        !value_path(inspector, &allocator, "pools", &pools))
        return;
    for (uint64_t i = 0; i < type_count(&pools.type); i++) {
        if (!value_index(inspector, &pools, i, &pool))
            break;
        uint64_t next = value_number(inspector, &pool, "next");
        claim(frames, next, value_number(inspector, &pool, "end") - next, NEVER_USED);
    }
}

/* The records lie at the start of a free range; each says whether its frame is free. */
static void claim_free(struct frames *frames)
{
    struct inspector *inspector = frames->inspector;
    struct value array, record;
    int64_t free_state, mask;
    if (!value_variable(inspector, "frame_records", &array) ||
        !symbols_constant(inspector->symbols, "LINK_FREE", &free_state) ||
        !symbols_constant(inspector->symbols, "LINK_STATE", &mask) ||
        !value_index(inspector, &array, 0, &record))
        return;
    uint64_t bytes = frames->count * type_size(&record.type);
    if (record.address >= ZV_DIRECT_MAP_BASE)
        claim(frames, (record.address - ZV_DIRECT_MAP_BASE) / PAGE_BYTES,
              (bytes + PAGE_BYTES - 1) / PAGE_BYTES, RECORDS);
    for (uint64_t i = 0; i < frames->count; i++) {
        if (frames->frame[i].class == HEAP && value_index(inspector, &array, i, &record) &&
            ((int64_t)value_number(inspector, &record, "link") & mask) == free_state)
            frames->frame[i].class = FREE;
    }
}

/* ---- By object: page tables and memory objects ---------------------------------------------- */

static void claim_table(struct frames *frames, uint64_t paddr, unsigned level)
{
    const uint8_t *table = target_physical(frames->inspector->target, gpa(paddr), PAGE_BYTES);
    uint64_t frame = paddr / PAGE_BYTES;
    if (table == NULL || frame >= frames->count || frames->frame[frame].class == TABLE)
        return;
    frames->frame[frame] = (struct frame){.class = TABLE, .object = frames->owner, .index = level};
    /* The upper half of the top level is the kernel's; large pages end the descent. */
    for (unsigned i = 0; level > 1 && i < (level == 4 ? 256u : 512u); i++) {
        uint64_t entry;
        memcpy(&entry, table + i * sizeof(entry), sizeof(entry));
        if ((entry & 0x81) == 1)
            claim_table(frames, entry & 0x000ffffffffff000ull, level - 1);
    }
}

static bool claim_page(void *arg, uint64_t index, gpa_t frame)
{
    struct frames *frames = arg;
    struct frame *at = &frames->frame[frame.value / PAGE_BYTES];
    if (frame.value / PAGE_BYTES < frames->count && at->class != VMO && at->class != IMAGE)
        *at = (struct frame){.class = VMO, .object = frames->owner, .index = index};
    return true;
}

static void claim_objects(struct frames *frames)
{
    struct inspector *inspector = frames->inspector;
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        const struct object *object = census_object(inspector->census, i);
        struct value value = object_value(inspector, object);
        frames->owner = object;
        if (object_is(object, "vmo"))
            vmo_visit(inspector, &value, claim_page, frames);
        uint64_t cr3 = object_is(object, "process") ? process_cr3(inspector, object) : 0;
        if (cr3 != 0)
            claim_table(frames, cr3, 4);
    }
}

struct frames *frames_map(struct inspector *inspector)
{
    uint64_t count = inspector->target->memory_bytes / PAGE_BYTES;
    struct frames *frames = calloc(1, sizeof(*frames) + count * sizeof(frames->frame[0]));
    if (frames == NULL)
        return NULL;
    frames->inspector = inspector;
    frames->count = count;
    claim_ranges(frames);
    claim_pools(frames);
    claim_free(frames);
    claim_objects(frames);
    return frames;
}

void frames_free(struct frames *frames)
{
    free(frames);
}

const char *frames_owner(const struct frames *frames, uint64_t frame, const struct object **object,
                         uint64_t *index)
{
    const struct frame *at = &frames->frame[frame < frames->count ? frame : 0];
    *object = at->object;
    *index = at->index;
    return class_names[at->class];
}
