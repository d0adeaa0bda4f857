/*
 * resource.h - resources: the authority for a range of interrupts, I/O ports or physical memory, or
 * for a privileged call.
 *
 * All resources are in the root resource's list, so that ranges can be kept apart. The list holds
 * no references; each resource refers to the root.
 */
#ifndef ZVMM_OBJECT_RESOURCE_H
#define ZVMM_OBJECT_RESOURCE_H

#include <zircon/resource.h>

#include "object.h"

struct process;

TAILQ_HEAD(resource_list, resource);

struct resource {
    struct object object;
    uint32_t kind;  /* ZX_RSRC_KIND_* */
    uint32_t flags; /* ZX_RSRC_FLAG_* */
    uint64_t base, size;
    char name[ZX_MAX_NAME_LEN];
    TAILQ_ENTRY(resource) link; /* in the root's list; the root itself is not in it */
    struct resource_list all;   /* the root's */
};

extern const struct object_ops resource_ops;

/* The resource of kind ROOT from which all others are made. One reference. ZX_ERR_NO_MEMORY. */
zx_status_t resource_create_root(struct resource **out);

/*
 * A resource with a range, or of a kind without ranges. Precondition: the kind and flags exist.
 * ZX_ERR_ACCESS_DENIED: `parent` does not cover it; ZX_ERR_INVALID_ARGS: exclusive from a parent
 * that cannot give that, or a range that cannot be; ZX_ERR_NOT_FOUND: an exclusive range would
 * overlap another resource of the kind; ZX_ERR_NO_MEMORY (rules, 103).
 */
zx_status_t resource_create(struct resource *parent, uint32_t kind, uint32_t flags, uint64_t base,
                            uint64_t size, const char name[ZX_MAX_NAME_LEN], struct resource **out);

/*
 * Whether `handle` stands for authority over [base, base+size) of `kind`; pass 0, 0 for kinds
 * without ranges. The root resource satisfies every check. ZX_ERR_BAD_HANDLE, ZX_ERR_WRONG_TYPE (no
 * resource, or of another kind), ZX_ERR_OUT_OF_RANGE (rules, section 10).
 */
zx_status_t resource_check(struct process *process, zx_handle_t handle, uint32_t kind,
                           uint64_t base, uint64_t size);

#endif
