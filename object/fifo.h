/*
 * fifo.h - FIFOs: two ends, each with a ring of elements of one size that the other end fills.
 */
#ifndef ZVMM_OBJECT_FIFO_H
#define ZVMM_OBJECT_FIFO_H

#include "object.h"
#include "usercopy.h"

struct process;

struct fifo {
    struct object object;
    struct fifo *peer; /* not referenced; NULL once it has gone */
    zx_koid_t peer_koid;
    uint32_t elem_size;  /* bytes */
    uint32_t elem_count; /* a power of two */
    uint32_t head, tail; /* elements ever put into and taken out of this end's ring; they wrap */
    uint8_t *ring;       /* elem_size * elem_count bytes */
};

extern const struct object_ops fifo_ops;

/* Two ends with one reference each. ZX_ERR_OUT_OF_RANGE (rules, 29), ZX_ERR_NO_MEMORY. */
zx_status_t fifo_create(size_t elem_count, size_t elem_size, struct fifo **out0,
                        struct fifo **out1);

/*
 * Moves as many of `count` elements as fit, at least one, straight from or to user memory; *actual
 * is how many. Errors in the order of rules 30 and 31; on a bad pointer
 * (ZX_ERR_INVALID_ARGS) nothing has moved.
 */
zx_status_t fifo_write(struct fifo *fifo, struct process *process, size_t elem_size,
                       struct user_ptr from, size_t count, size_t *actual);
zx_status_t fifo_read(struct fifo *fifo, struct process *process, size_t elem_size,
                      struct user_ptr to, size_t count, size_t *actual);

#endif
