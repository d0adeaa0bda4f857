/*
 * usercopy.h - the one door between the kernel and the memory of user programs.
 *
 * A user address is a struct user_ptr, so it cannot be dereferenced or mixed up with a kernel
 * pointer. Each value is copied once, then checked. Pages that are missing (not committed yet,
 * copy-on-write) are resolved on the way. Every failure is ZX_ERR_INVALID_ARGS; part of the range
 * may have been copied then. A length of 0 always succeeds.
 */
#ifndef ZVMM_OBJECT_USERCOPY_H
#define ZVMM_OBJECT_USERCOPY_H

#include <stddef.h>

#include <zircon/errors.h>
#include <zircon/limits.h>
#include <zircon/types.h>

struct aspace;
struct process;

struct user_ptr {
    zx_vaddr_t va;
};

static inline bool user_null(struct user_ptr p)
{
    return p.va == 0;
}

/* The address `offset` bytes further; wrapping leads to an address that is refused later. */
static inline struct user_ptr user_at(struct user_ptr p, uint64_t offset)
{
    return (struct user_ptr){p.va + offset};
}

zx_status_t user_read(struct process *process, void *to, struct user_ptr from, size_t length);
zx_status_t user_write(struct process *process, struct user_ptr to, const void *from,
                       size_t length);
/* The same for a handle, a count, signals: what calls return most. */
zx_status_t user_write_u32(struct process *process, struct user_ptr to, uint32_t value);
static inline zx_status_t user_write_opt_u32(struct process *process, struct user_ptr to,
                                             uint32_t value)
{
    return user_null(to) ? ZX_OK : user_write_u32(process, to, value);
}
/* As user_write, but NULL is allowed and then nothing is written. */
zx_status_t user_write_opt(struct process *process, struct user_ptr to, const void *from,
                           size_t length);

/*
 * Brings in those pages of a range that a pager supplies, so that a copy which follows at once need
 * not wait for them: for calls that cannot be made again once they have begun. ZX_ERR_SHOULD_WAIT:
 * the thread is parked and its call is executed again later. ZX_ERR_INVALID_ARGS: a page will not
 * come. A range that is not accessible is no error here; the copy will say so.
 */
zx_status_t user_fault_in(struct process *process, struct user_ptr at, uint64_t length, bool write);

/*
 * After a copy of the HAL's that stopped at `address`: makes the page accessible. As aspace_fault;
 * ZX_ERR_NOT_SUPPORTED: it is, but it is a device's memory, which is not copied from or to.
 */
zx_status_t user_bring_in(struct aspace *aspace, zx_vaddr_t address, bool write);

/* Reads an aligned 32-bit word in one piece. */
zx_status_t user_read_u32(struct process *process, struct user_ptr from, uint32_t *value);

/* Reads a name argument: at most length bytes, cut to 31 characters. */
zx_status_t user_read_name(struct process *process, char name[ZX_MAX_NAME_LEN],
                           struct user_ptr from, size_t length);

#define user_write_value(process, to, value) user_write((process), (to), &(value), sizeof(value))

#endif
