/*
 * handle.h - handles: a process's names for objects, with rights.
 *
 * A handle value is ((generation, index) ^ salt) << 2 | 3: both low bits are always set
 * (ZX_HANDLE_FIXED_BITS_MASK), the salt is the process's own and random, and a slot's generation
 * changes each time the slot is used. The slot freed last is used first, for it is in the caches;
 * one that has had all its generations rests until the others have, so a live value is never issued
 * twice and a stale one is not met again soon.
 *
 * A handle on its way between processes is a struct handle_ref: the object's handle count includes
 * it, so on_zero_handles cannot run meanwhile.
 */
#ifndef ZVMM_OBJECT_HANDLE_H
#define ZVMM_OBJECT_HANDLE_H

#include "object.h"

struct process;
struct thread;

/* A slot of a process's table; its address is the handle's identity while it lives. */
struct handle {
    struct object *object; /* NULL: free */
    zx_rights_t rights;
    uint16_t generation;
    uint16_t observers; /* registrations made through this handle (saturating at 65535) */
    uint32_t index;     /* its place in the table, for ever */
    zx_handle_t value;  /* the one that names it, or did last */
    union {
        struct handle *next_free; /* while free */
        struct thread *waiter;    /* one that waits for the object through this handle, or NULL; see
                                     handle_get_to_wake */
    };
};

/* A handle that is in no table. Owns one handle count (and so one reference) of the object. */
struct handle_ref {
    struct object *object; /* NULL: none */
    zx_rights_t rights;
};

struct handle_table {
    struct handle **chunks; /* pointers to arrays of HANDLE_CHUNK slots; never move */
    uint32_t num_chunks, num_slots;
    struct handle *first_free, *last_free; /* through next_free; NULL: empty */
    uint32_t salt;                         /* 30 bits */
    uint32_t count;                        /* live handles */
};

void handle_table_init(struct handle_table *table);
/* Closes the handles in `count` slots from *from on, and moves that; true if it was the last. */
bool handle_table_close(struct handle_table *table, uint32_t *from, uint32_t count);
/* Closes every handle and frees the memory. */
void handle_table_destroy(struct handle_table *table);

/* ---- Look-up ------------------------------------------------------------------------------- */

/*
 * Finds `value` in the process of the calling thread's table. Order of errors (rules, section 0):
 * ZX_ERR_BAD_HANDLE, ZX_ERR_WRONG_TYPE, ZX_ERR_ACCESS_DENIED. `type` ZX_OBJ_TYPE_NONE takes any
 * object. The object is borrowed; `out` is a pointer to a pointer to the concrete struct, whose
 * first member is its struct object.
 */
zx_status_t handle_get(struct process *process, zx_handle_t value, zx_obj_type_t type,
                       zx_rights_t rights, void *out);
/* The same, and the handle's rights. */
zx_status_t handle_get_rights(struct process *process, zx_handle_t value, zx_obj_type_t type,
                              zx_rights_t rights, void *out, zx_rights_t *out_rights);
/* The same, of any type, for who is about to signal the object: a thread that waits through this
 * very handle is fetched together with the object. One after the other takes twice as long. */
zx_status_t handle_get_to_wake(struct process *process, zx_handle_t value, zx_rights_t rights,
                               struct object **out);
/* The slot itself, NULL if there is none. No policy action. */
struct handle *handle_find(struct process *process, zx_handle_t value);

/* ---- Creation and transfer ----------------------------------------------------------------- */

/*
 * Puts a new handle into the table. It takes a reference of its own; the caller keeps its own.
 * ZX_ERR_NO_MEMORY: nothing has happened.
 */
zx_status_t handle_create(struct process *process, struct object *object, zx_rights_t rights,
                          zx_handle_t *out);

/*
 * The usual end of a creating syscall: installs a handle with `rights`, writes its value to user
 * memory, and drops the caller's reference to `object` in every case. If the write fails the handle
 * is closed again and the result is ZX_ERR_INVALID_ARGS.
 */
struct user_ptr;
zx_status_t handle_return(struct process *process, struct object *object, zx_rights_t rights,
                          struct user_ptr out);
/* Two handles, for calls that make a pair: both or none. */
zx_status_t handle_return_pair(struct process *process, struct object *a, zx_rights_t rights_a,
                               struct user_ptr out_a, struct object *b, zx_rights_t rights_b,
                               struct user_ptr out_b);

/* Takes a handle out of the table (waits made through it are canceled) without closing it.
 * ZX_ERR_BAD_HANDLE. */
zx_status_t handle_remove(struct process *process, zx_handle_t value, struct handle_ref *out);
/* Puts a handle_ref into the table; on ZX_ERR_NO_MEMORY the caller still owns it. */
zx_status_t handle_install(struct process *process, struct handle_ref ref, zx_handle_t *out);
/* Makes sure that the next `count` handle_install calls cannot fail. ZX_ERR_NO_MEMORY. */
zx_status_t handle_reserve(struct process *process, uint32_t count);
/* Closes a handle_ref; object NULL is allowed. */
void handle_ref_close(struct handle_ref ref);
zx_status_t handle_close(struct process *process, zx_handle_t value);

/* Calls `visit` for every live handle, in table order, until it returns false. */
void handle_table_visit(struct handle_table *table,
                        bool (*visit)(zx_handle_t value, struct handle *handle, void *arg),
                        void *arg);

#endif
