/*
 * pager.h - VMOs whose pages a user program supplies (rules, section 9).
 *
 * A pager-backed VMO has a page source: what it has been asked for, and the threads that wait. A
 * page is asked for once, however many threads want it. One request is told to the port at a time;
 * the next follows when that packet has been read. A thread that needs a page parks (wait kind
 * wait_kind_page) and executes its instruction or system call again when the page has come. If it
 * will not come, the second execution finds why (wait.page.error) and ends with that. A request
 * that nobody waits for any more, because threads were suspended or killed, is taken back.
 *
 * Lifetime. Pager and sources know each other without references: a source leaves its pager's list
 * when its VMO is detached or destroyed, and the pager detaches all when its last handle goes. A
 * source is freed once its VMO is gone and its packet is not in the port's queue.
 */
#ifndef ZVMM_OBJECT_PAGER_H
#define ZVMM_OBJECT_PAGER_H

#include "object.h"
#include "port.h"

struct page_source;
struct thread;
struct vmo;

LIST_HEAD(page_source_list, page_source);

struct pager {
    struct object object;
    struct page_source_list sources;
};

extern const struct object_ops pager_ops;

/* How a thread waits for a page: the result is always to be executed again. */
struct wait_kind;
extern const struct wait_kind wait_kind_page;

/* One reference. ZX_ERR_NO_MEMORY. */
zx_status_t pager_create(struct pager **out);

/* A VMO of `pager`; flags: VMO_RESIZABLE. Requests go to `port` with `key`. One reference.
 * ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY. */
zx_status_t pager_create_vmo(struct pager *pager, struct port *port, uint64_t key, uint64_t size,
                             uint32_t flags, struct vmo **out);

/* Whether `vmo` is one that `pager` made; it may have been detached. */
bool pager_owns(const struct pager *pager, const struct vmo *vmo);

/* Rules 77, 78, 166. Offsets and lengths are page aligned. ZX_ERR_INVALID_ARGS: not this pager's.
 */
zx_status_t pager_detach_vmo(struct pager *pager, struct vmo *vmo);
zx_status_t pager_supply_pages(struct pager *pager, struct vmo *vmo, uint64_t offset,
                               uint64_t length, struct vmo *aux, uint64_t aux_offset);
/* Requests that touch the range fail as a whole: the threads that wait for them get `error`. */
zx_status_t pager_fail(struct pager *pager, struct vmo *vmo, uint64_t offset, uint64_t length,
                       zx_status_t error);

/*
 * `vmo`, which is pager-backed, has no page `index`; the calling thread needs it. `count` pages
 * from there on are asked for if nobody has yet. ZX_ERR_SHOULD_WAIT: the thread is parked.
 * Otherwise why the page will not come.
 */
zx_status_t page_source_request(struct vmo *vmo, uint64_t index, uint64_t count);

/* `vmo`, which is pager-backed, has no pages from `first` on any more: who waits for one looks
 * again. */
void page_source_cut(struct vmo *vmo, uint64_t first);

/* The VMO goes away. */
void page_source_close(struct vmo *vmo);

#endif
