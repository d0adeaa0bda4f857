/*
 * kernel.h - the kernel's containers, and every object that can be reached.
 *
 * Memory is hostile: containers may be cyclic or point anywhere. Walks are bounded and stop at the
 * first element that does not fit, with a warning.
 */
#ifndef ZVMM_INSPECT_KERNEL_H
#define ZVMM_INSPECT_KERNEL_H

#include "inspect/value.h"

/* ---- Containers (walk.c) --------------------------------------------------------------------- */

/* The elements of a list, queue or tree, in order; walk_free() them. */
struct walk {
    Dwarf_Die type; /* of an element */
    uint64_t *address;
    size_t count, room;
};

/*
 * The list or queue of <sys/queue.h> at `path` of `from`; `link` is the member by which elements
 * hang together. Or a plain pointer to the first of a chain. False: there is no such member.
 */
bool walk_list(struct inspector *inspector, const struct value *from, const char *path,
               const char *link, struct walk *out);
/* The same for a red-black tree of <sys/tree.h>. */
bool walk_tree(struct inspector *inspector, const struct value *from, const char *path,
               const char *link, struct walk *out);
/*
 * The binary tree whose root the pointer at `path` of `from` points to and whose elements name their
 * `left`, `right` and `parent`: a heap. In no order but parents before their children.
 */
bool walk_heap(struct inspector *inspector, const struct value *from, const char *path,
               struct walk *out);
struct value walk_value(const struct walk *walk, size_t i);
void walk_free(struct walk *walk);

/* The structure of type `type` whose member at `path` is at `address`: container_of. */
bool value_container(struct inspector *inspector, const char *type, const char *path,
                     uint64_t address, struct value *out);

/* ---- Objects (census.c, census-edges.c) ------------------------------------------------------ */

enum reference_kind {
    REFERENCE_HANDLE,  /* a handle in a process's table: `value`, `rights` */
    REFERENCE_MESSAGE, /* a handle on its way, in a channel's queue: `rights` */
    REFERENCE_MAPPING, /* mapped by a VMAR at address `value` */
    REFERENCE_POINTER, /* the holder's member `label` */
};

struct object;

struct reference {
    enum reference_kind kind;
    uint32_t rights;
    uint64_t value;
    struct object *holder;   /* NULL: the kernel itself */
    struct object *object;   /* what it refers to */
    const char *label;       /* the holder's member; "handle", "message", "mapping" */
    struct reference *next;  /* of the same object */
    struct reference *other; /* of the same holder */
};

/* How objects of one type look; found through their struct object_ops. */
struct object_type {
    uint64_t ops;
    char name[32];        /* "suspend token", the kernel's own word */
    char struct_name[40]; /* "struct suspend_token" */
    uint32_t number;      /* ZX_OBJ_TYPE_* */
    bool has_struct;      /* die, size and edges are valid */
    bool has_name;        /* it has a member `name` */
    Dwarf_Die die;
    uint64_t size;
    struct edge *edges; /* pointers to objects in it */
    unsigned num_edges;
    struct object_type *next;
};

struct object {
    uint64_t address, koid;
    const struct object_type *type;
    uint32_t refs, handles, signals;
    struct reference *references; /* who refers to it, in the order found */
    struct reference *last;
    struct reference *holds, *last_held; /* what it refers to */
    struct object *next, *next_koid;     /* in its buckets */
    uint64_t stamp; /* of the last question that has met it; see holders_words */
    bool drawn;     /* shall be in the picture (draw.c) */
};

/* Every object reachable from the kernel's roots. NULL: no types or no memory; an error is set. */
struct census *census_of(struct inspector *inspector);
void census_free(struct census *census);
size_t census_count(const struct census *census);
/* In the order found: the root job first. */
struct object *census_object(const struct census *census, size_t i);
struct object *census_by_koid(const struct census *census, uint64_t koid);
struct object *census_by_address(const struct census *census, uint64_t address);
/* A number that no object's stamp has yet: to see in one pass which have been met. */
uint64_t census_stamp(struct census *census);
/* Whether it is of the type "process". */
bool object_is(const struct object *object, const char *type);
/* The object as a value of its own type, or of struct object if that is unknown. */
struct value object_value(struct inspector *inspector, const struct object *object);
/* Its name; "" if it has none. */
void object_name(struct inspector *inspector, const struct object *object, char *text, size_t room);
/* "process 1034 'sh'". */
void object_words(struct inspector *inspector, const struct object *object, char *text,
                  size_t room);
/* The object of a command's argument KOID, of `type` unless NULL; an error line and NULL. */
struct object *object_argument(struct inspector *inspector, const char *text, const char *type);

/* For census-edges.c: the object at `address`, new or known; NULL: there is none. */
struct object *census_meet(struct inspector *inspector, struct census *census, uint64_t address);
/* Notes that `holder` refers to the object at `address`; reference.object is filled in. */
void census_refer(struct inspector *inspector, struct census *census, uint64_t address,
                  struct reference reference);
/* What an object refers to. */
void census_follow(struct inspector *inspector, struct census *census, struct object *object);
/* Pointers to objects among the members of a structure. */
void edges_find(struct inspector *inspector, struct object_type *type);
/* Follows the pointers that edges_find found, of a structure at `address`. */
void edges_follow(struct inspector *inspector, struct census *census,
                  const struct object_type *type, uint64_t address, struct object *holder);
/* Whether `type` is a structure that begins with a struct object, or struct object itself. */
bool type_is_object(const Dwarf_Die *type);

/* ---- Words (words.c) ------------------------------------------------------------------------- */

void rights_words(uint32_t rights, char *text, size_t room);
void signals_words(uint32_t object_type, uint32_t signals, char *text, size_t room);
/* "1.234 s", "15 us". */
void duration_words(int64_t ns, char *text, size_t room);
/* "cpu", "read write" ... of the set bits of an enum whose enumerators begin with `prefix`. */
void flag_words(struct inspector *inspector, const char *type, const char *prefix, uint64_t value,
                char *text, size_t room);

#endif
