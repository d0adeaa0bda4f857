/*
 * vmo_copy.c - copying to and from VMOs: as long runs of consecutive frames as there are, straight
 * between them and where the data goes.
 */
#include "vmo.h"

#include <zircon/errors.h>

#include "aspace.h"
#include "process.h"
#include "string.h"
#include "usercopy.h"

/* A piece of the VMO that is consecutive in physical memory. */
struct run {
    hal_paddr_t at;
    uint64_t length; /* bytes */
};

/* How many pages of a node, from *slot on, are consecutive frames; with `write` also unshared. */
static uint64_t consecutive(const uint64_t *slot, uint64_t most, bool write)
{
    uint64_t count = 1;

    while (count < most && slot[count] == slot[count - 1] + HAL_PAGE_SIZE &&
           !(write && page_shared(slot_frame(slot[count]))))
        count++;
    return count;
}

/* The run at `offset`, of `length` bytes at most (not 0). The range lies inside the VMO. */
static zx_status_t find_run(struct vmo *vmo, uint64_t offset, uint64_t length, bool write,
                            struct run *run)
{
    uint64_t index = offset / HAL_PAGE_SIZE, in_page = offset & HAL_PAGE_MASK, pages = 1;
    struct page_spot spot;
    hal_paddr_t frame;

    page_tree_find(&vmo->pages, index, &spot);
    if (spot.slot && slot_present(*spot.slot) &&
        (!write ||
         (spot.exclusive && !page_shared(slot_frame(*spot.slot)) && !vmo_pushes_on_write(vmo)))) {
        frame = slot_frame(*spot.slot);
        pages = (in_page + length + HAL_PAGE_MASK) / HAL_PAGE_SIZE;
        pages = consecutive(spot.slot, pages < spot.run ? pages : spot.run, write);
    } else {
        zx_status_t status = vmo_get_page(vmo, index, write, &frame, NULL);

        if (status != ZX_OK)
            return status;
    }
    run->at = frame + in_page;
    run->length = pages * HAL_PAGE_SIZE - in_page;
    if (run->length > length)
        run->length = length;
    return ZX_OK;
}

/* What must hold for any copy; goes from a slice to the VMO it shows. */
static zx_status_t check_copy(struct vmo **vmo, uint64_t *offset, uint64_t length)
{
    if (*offset + length < *offset)
        return ZX_ERR_OUT_OF_RANGE;
    if ((*vmo)->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    if ((*vmo)->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    if (*offset + length > (*vmo)->size)
        return ZX_ERR_OUT_OF_RANGE;
    *vmo = vmo_resolve(*vmo, offset);
    return ZX_OK;
}

zx_status_t vmo_read(struct vmo *vmo, void *to, uint64_t offset, size_t length)
{
    zx_status_t status = check_copy(&vmo, &offset, length);
    char *at = to;

    while (status == ZX_OK && length) {
        struct run run;

        status = find_run(vmo, offset, length, false, &run);
        if (status != ZX_OK)
            break;
        hal_pmem_read(run.at, at, run.length);
        at += run.length;
        offset += run.length;
        length -= run.length;
    }
    return status;
}

zx_status_t vmo_write(struct vmo *vmo, const void *from, uint64_t offset, size_t length)
{
    zx_status_t status = check_copy(&vmo, &offset, length);
    const char *at = from;

    while (status == ZX_OK && length) {
        struct run run;

        status = find_run(vmo, offset, length, true, &run);
        if (status != ZX_OK)
            break;
        hal_pmem_write(run.at, at, run.length);
        at += run.length;
        offset += run.length;
        length -= run.length;
    }
    return status;
}

/*
 * Writes a whole page straight into a new frame, if it were to get one anyway: that saves copying
 * or clearing what is overwritten. False: nothing has happened, as when the user's page is missing.
 */
static bool overwrite_page(struct vmo *vmo, struct aspace *aspace, zx_vaddr_t user, uint64_t offset)
{
    uint64_t index = offset / HAL_PAGE_SIZE;
    hal_paddr_t frame;
    size_t done;

    if (!vmo_wants_frame(vmo, index) || hal_frame_alloc(HAL_FRAME_ANY, &frame) != ZX_OK)
        return false;
    if (hal_user_to_pmem(aspace->table, user, frame, HAL_PAGE_SIZE, &done) == ZX_OK)
        return vmo_replace_page(vmo, index, frame) == ZX_OK;
    hal_frame_free(frame);
    return false;
}

/*
 * A fault on the user's side may take pages from the VMO or give it new ones (it may be the very
 * VMO that is mapped there), so after each the run is looked for again.
 */
static zx_status_t copy_user(struct vmo *vmo, struct aspace *aspace, zx_vaddr_t user,
                             uint64_t offset, size_t length, bool write)
{
    zx_status_t status = check_copy(&vmo, &offset, length);

    while (status == ZX_OK && length) {
        struct run run;
        size_t done = HAL_PAGE_SIZE;

        if (write && !(offset & HAL_PAGE_MASK) && length >= HAL_PAGE_SIZE &&
            overwrite_page(vmo, aspace, user, offset)) {
            user += done;
            offset += done;
            length -= done;
            continue;
        }
        status = find_run(vmo, offset, length, write, &run);
        if (status != ZX_OK)
            break;
        if (write)
            status = hal_user_to_pmem(aspace->table, user, run.at, run.length, &done);
        else
            status = hal_pmem_to_user(aspace->table, user, run.at, run.length, &done);
        if (status == ZX_OK)
            done = run.length;
        user += done;
        offset += done;
        length -= done;
        if (status != ZX_OK) {
            status = user_bring_in(aspace, user, !write);
            if (status != ZX_OK && status != ZX_ERR_SHOULD_WAIT)
                status = ZX_ERR_INVALID_ARGS;
        }
    }
    return status;
}

zx_status_t vmo_read_user(struct vmo *vmo, struct process *process, struct user_ptr to,
                          uint64_t offset, size_t length)
{
    return copy_user(vmo, process->aspace, to.va, offset, length, false);
}

zx_status_t vmo_write_user(struct vmo *vmo, struct process *process, struct user_ptr from,
                           uint64_t offset, size_t length)
{
    return copy_user(vmo, process->aspace, from.va, offset, length, true);
}
