/*
 * handle.c - the handle table of a process.
 *
 * Slots live in chunks that never move, because a slot's address is the identity under which waits
 * are registered. Index bits and generation bits share the value's 30 payload bits.
 */
#include "handle.h"

#include <hal.h>
#include <zircon/errors.h>
#include <zircon/policy.h>

#include "format.h"
#include "heap.h"
#include "job.h"
#include "process.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

/* Enumerators, so that debuggers know them. */
enum {
    INDEX_BITS = 18, /* 262,144 handles a process */
    GENERATION_BITS = 12,
    LAST_GENERATION = (1 << GENERATION_BITS) - 1,
    CHUNK_SLOTS = 32,
};
#define PAYLOAD_MASK ((1u << (INDEX_BITS + GENERATION_BITS)) - 1)

void handle_table_init(struct handle_table *table)
{
    *table = (struct handle_table){0};
    hal_entropy(&table->salt, sizeof table->salt);
    table->salt &= PAYLOAD_MASK;
}

static struct handle *slot_at(const struct handle_table *table, uint32_t index)
{
    return &table->chunks[index / CHUNK_SLOTS][index % CHUNK_SLOTS];
}

static zx_handle_t value_of(const struct handle_table *table, const struct handle *slot)
{
    uint32_t payload = ((uint32_t)slot->generation << INDEX_BITS | slot->index) ^ table->salt;

    return payload << 2 | ZX_HANDLE_FIXED_BITS_MASK;
}

/* The live slot that `value` names, or NULL. */
static inline struct handle *find_slot(const struct handle_table *table, zx_handle_t value)
{
    uint32_t index = ((value >> 2) ^ table->salt) & ((1u << INDEX_BITS) - 1);
    struct handle *slot;

    if (index >= table->num_slots)
        return NULL;
    slot = slot_at(table, index);
    return slot->value == value && slot->object ? slot : NULL;
}

static void append_free(struct handle_table *table, struct handle *slot)
{
    slot->next_free = NULL;
    if (table->last_free)
        table->last_free->next_free = slot;
    else
        table->first_free = slot;
    table->last_free = slot;
}

/*
 * The slot freed last is used first, as long as it is in the caches. Only after its last generation
 * does it rest until all others have had theirs, before its values come again.
 */
static void put_free(struct handle_table *table, struct handle *slot)
{
    if (!table->first_free || slot->generation == LAST_GENERATION) {
        append_free(table, slot);
        return;
    }
    slot->next_free = table->first_free;
    table->first_free = slot;
}

/* Doubles the array of chunk pointers when it is full; its capacity is the next power of two. */
static zx_status_t grow_chunk_array(struct handle_table *table)
{
    uint32_t n = table->num_chunks;
    struct handle **bigger;

    if (n & (n - 1))
        return ZX_OK;
    bigger = heap_alloc((n ? n * 2 : 1) * sizeof *bigger);
    if (!bigger)
        return ZX_ERR_NO_MEMORY;
    if (n)
        memcpy(bigger, table->chunks, n * sizeof *bigger);
    heap_free(table->chunks);
    table->chunks = bigger;
    return ZX_OK;
}

static zx_status_t grow(struct handle_table *table)
{
    uint32_t first = table->num_slots;
    struct handle *chunk;

    if (first >= 1u << INDEX_BITS)
        return ZX_ERR_NO_MEMORY;
    chunk = heap_zalloc(CHUNK_SLOTS * sizeof *chunk);
    if (!chunk || grow_chunk_array(table) != ZX_OK) {
        heap_free(chunk);
        return ZX_ERR_NO_MEMORY;
    }
    table->chunks[table->num_chunks++] = chunk;
    table->num_slots += CHUNK_SLOTS;
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        chunk[i].index = first + i;
        append_free(table, &chunk[i]);
    }
    return ZX_OK;
}

zx_status_t handle_reserve(struct process *process, uint32_t count)
{
    struct handle_table *table = &process->handles;

    while (table->num_slots - table->count < count) {
        zx_status_t status = grow(table);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

static struct handle *take_slot(struct handle_table *table)
{
    struct handle *slot;

    if (!table->first_free && grow(table) != ZX_OK)
        return NULL;
    slot = table->first_free;
    table->first_free = slot->next_free;
    if (!table->first_free)
        table->last_free = NULL;
    table->count++;
    return slot;
}

/* The new handle's value; ZX_HANDLE_INVALID if there is no memory. */
static inline zx_handle_t install(struct handle_table *table, struct object *object,
                                  zx_rights_t rights)
{
    struct handle *slot = take_slot(table);

    if (!slot)
        return ZX_HANDLE_INVALID;
    slot->object = object;
    slot->rights = rights;
    slot->generation = (slot->generation + 1) & LAST_GENERATION;
    slot->observers = 0;
    slot->waiter = NULL;
    slot->value = value_of(table, slot);
    return slot->value;
}

zx_status_t handle_install(struct process *process, struct handle_ref ref, zx_handle_t *out)
{
    zx_handle_t value = install(&process->handles, ref.object, ref.rights);

    if (value == ZX_HANDLE_INVALID)
        return ZX_ERR_NO_MEMORY;
    *out = value;
    return ZX_OK;
}

static void free_slot(struct handle_table *table, struct handle *slot, struct handle_ref *out)
{
    observer_cancel_handle(slot->object, slot);
    *out = (struct handle_ref){slot->object, slot->rights};
    slot->object = NULL;
    table->count--;
    put_free(table, slot);
}

/* The answer to a value that names nothing. */
static zx_status_t bad_handle(struct process *process)
{
    job_policy_check(process, ZX_POL_BAD_HANDLE);
    return ZX_ERR_BAD_HANDLE;
}

zx_status_t handle_remove(struct process *process, zx_handle_t value, struct handle_ref *out)
{
    struct handle *slot = find_slot(&process->handles, value);

    if (!slot)
        return bad_handle(process);
    free_slot(&process->handles, slot, out);
    return ZX_OK;
}

void handle_ref_close(struct handle_ref ref)
{
    if (ref.object)
        object_handle_removed(ref.object);
}

zx_status_t handle_close(struct process *process, zx_handle_t value)
{
    struct handle_ref ref;
    zx_status_t status = handle_remove(process, value, &ref);

    if (status == ZX_OK)
        handle_ref_close(ref);
    return status;
}

bool handle_table_close(struct handle_table *table, uint32_t *from, uint32_t count)
{
    for (; count && *from < table->num_slots; count--, ++*from) {
        struct handle *slot = slot_at(table, *from);
        struct handle_ref ref;

        if (!slot->object)
            continue;
        free_slot(table, slot, &ref);
        handle_ref_close(ref);
    }
    return *from >= table->num_slots;
}

void handle_table_destroy(struct handle_table *table)
{
    uint32_t from = 0;

    handle_table_close(table, &from, UINT32_MAX);
    for (uint32_t i = 0; i < table->num_chunks; i++)
        heap_free(table->chunks[i]);
    heap_free(table->chunks);
    *table = (struct handle_table){0};
}

void handle_table_visit(struct handle_table *table,
                        bool (*visit)(zx_handle_t value, struct handle *handle, void *arg),
                        void *arg)
{
    for (uint32_t i = 0; i < table->num_slots; i++) {
        struct handle *slot = slot_at(table, i);

        if (slot->object && !visit(slot->value, slot, arg))
            return;
    }
}

/* ---- Look-up ------------------------------------------------------------------------------- */

struct handle *handle_find(struct process *process, zx_handle_t value)
{
    return find_slot(&process->handles, value);
}

zx_status_t handle_get_rights(struct process *process, zx_handle_t value, zx_obj_type_t type,
                              zx_rights_t rights, void *out, zx_rights_t *out_rights)
{
    struct handle *slot = find_slot(&process->handles, value);

    if (!slot)
        return bad_handle(process);
    if (type != ZX_OBJ_TYPE_NONE && slot->object->ops->type != type)
        return ZX_ERR_WRONG_TYPE;
    if ((slot->rights & rights) != rights)
        return ZX_ERR_ACCESS_DENIED;
    *(void **)out = slot->object;
    *out_rights = slot->rights;
    return ZX_OK;
}

zx_status_t handle_get(struct process *process, zx_handle_t value, zx_obj_type_t type,
                       zx_rights_t rights, void *out)
{
    zx_rights_t have;

    return handle_get_rights(process, value, type, rights, out, &have);
}

zx_status_t handle_get_to_wake(struct process *process, zx_handle_t value, zx_rights_t rights,
                               struct object **out)
{
    const struct handle *slot = find_slot(&process->handles, value);

    if (!slot)
        return bad_handle(process);
    if ((slot->rights & rights) != rights)
        return ZX_ERR_ACCESS_DENIED;
    if (slot->waiter)
        thread_prefetch(slot->waiter);
    *out = slot->object;
    return ZX_OK;
}

/* ---- Creation ------------------------------------------------------------------------------ */

zx_status_t handle_create(struct process *process, struct object *object, zx_rights_t rights,
                          zx_handle_t *out)
{
    zx_status_t status = handle_install(process, (struct handle_ref){object, rights}, out);

    if (status == ZX_OK)
        object_handle_added(object);
    return status;
}

zx_status_t handle_return(struct process *process, struct object *object, zx_rights_t rights,
                          struct user_ptr out)
{
    zx_handle_t value = install(&process->handles, object, rights);
    zx_status_t status;

    if (value == ZX_HANDLE_INVALID) {
        /* No handle was ever made: let the object go as if its last one had been closed. */
        object_handle_added(object);
        object_handle_removed(object);
        object_release(object);
        return ZX_ERR_NO_MEMORY;
    }
    object->handles++; /* the caller's reference is the handle's now */
    status = user_write_u32(process, out, value);
    if (status != ZX_OK)
        handle_close(process, value);
    return status;
}

zx_status_t handle_return_pair(struct process *process, struct object *a, zx_rights_t rights_a,
                               struct user_ptr out_a, struct object *b, zx_rights_t rights_b,
                               struct user_ptr out_b)
{
    zx_handle_t va = ZX_HANDLE_INVALID, vb = ZX_HANDLE_INVALID;
    zx_status_t status;

    object_handle_added(a);
    object_handle_added(b);
    object_release(a);
    object_release(b);
    status = handle_reserve(process, 2);
    if (status != ZX_OK) {
        handle_ref_close((struct handle_ref){a, rights_a});
        handle_ref_close((struct handle_ref){b, rights_b});
        return status;
    }
    handle_install(process, (struct handle_ref){a, rights_a}, &va);
    handle_install(process, (struct handle_ref){b, rights_b}, &vb);
    status = user_write_u32(process, out_a, va);
    if (status == ZX_OK)
        status = user_write_u32(process, out_b, vb);
    if (status != ZX_OK) {
        handle_close(process, va);
        handle_close(process, vb);
    }
    return status;
}
