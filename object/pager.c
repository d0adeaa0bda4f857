/*
 * pager.c - pagers and page sources; pager.h tells the story.
 */
#include "pager.h"

#include <zircon/errors.h>
#include <zircon/exception.h>

#include "executor.h"
#include "heap.h"
#include "kcounter.h"
#include "thread.h"
#include "vmo.h"

KCOUNTER(requests_sent, "pager.requests");

/* Pages that were asked for and have not come. */
struct page_request {
    TAILQ_ENTRY(page_request) link;
    uint64_t first, count; /* pages */
    bool told;             /* the port has been told */
};

struct page_source {
    struct pager *pager;  /* NULL: detached */
    zx_koid_t pager_koid; /* whose VMO it is, also then */
    LIST_ENTRY(page_source) pager_link;
    struct vmo *vmo;   /* NULL: gone */
    struct port *port; /* referenced */
    struct port_packet packet;
    struct page_request *packet_of;      /* the request that the queued packet tells of, or NULL */
    bool complete;                       /* COMPLETE is still to be told */
    bool telling;                        /* in tell() */
    TAILQ_HEAD(, page_request) requests; /* in the order they were made, apart from one another */
    TAILQ_HEAD(, thread) waiters;
};

/* ---- Telling the port ---------------------------------------------------------------------- */

static void source_free_if_done(struct page_source *source)
{
    if (source->vmo || source->packet.port)
        return;
    object_release(OBJECT(source->port));
    heap_free(source);
}

/* The next thing that the port has not been told; it counts as told from now on. */
static bool take_news(struct page_source *source, zx_packet_page_request_t *news)
{
    struct page_request *request;

    TAILQ_FOREACH(request, &source->requests, link) {
        if (request->told)
            continue;
        request->told = true;
        source->packet_of = request;
        *news = (zx_packet_page_request_t){
            .command = ZX_PAGER_VMO_READ,
            .offset = request->first * HAL_PAGE_SIZE,
            .length = request->count * HAL_PAGE_SIZE,
        };
        return true;
    }
    if (!source->complete)
        return false;
    source->complete = false;
    source->packet_of = NULL;
    *news = (zx_packet_page_request_t){.command = ZX_PAGER_VMO_COMPLETE};
    return true;
}

/* Tells the port as much as it takes: usually one packet. If a thread waits at the port,
 * packet_read runs before port_queue returns. A closed port hears nothing. */
static void tell(struct page_source *source)
{
    if (source->telling)
        return;
    source->telling = true;
    while (!source->packet.port && take_news(source, &source->packet.data.page_request)) {
        kcounter_add(&requests_sent, 1);
        port_queue(source->port, &source->packet);
    }
    source->telling = false;
}

static void packet_read(struct port_packet *packet)
{
    struct page_source *source = container_of(packet, struct page_source, packet);

    source->packet_of = NULL;
    if (source->telling)
        return;
    tell(source);
    source_free_if_done(source);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

static struct page_request *find_request(struct page_source *source, uint64_t index)
{
    struct page_request *request;

    TAILQ_FOREACH(request, &source->requests, link) {
        if (index - request->first < request->count)
            return request;
    }
    return NULL;
}

/* Nobody needs to hear of `request` any more: it goes, and its packet if that has not been read. */
static void drop_request(struct page_source *source, struct page_request *request)
{
    if (source->packet_of == request) {
        port_unqueue(&source->packet);
        source->packet_of = NULL;
    }
    TAILQ_REMOVE(&source->requests, request, link);
    heap_free(request);
}

/* A thread does not wait for page `index` any more, though it has not come. A request that nobody
 * waits for is taken back: whoever wants the page next asks anew. */
static void forget_if_unwanted(struct page_source *source, uint64_t index)
{
    struct page_request *request = find_request(source, index);
    struct thread *thread;

    if (!request)
        return;
    TAILQ_FOREACH(thread, &source->waiters, wait.page.link) {
        if (thread->wait.page.index - request->first < request->count)
            return;
    }
    drop_request(source, request);
    tell(source);
}

static bool was_interrupted(zx_status_t status)
{
    return status == ZX_ERR_INTERNAL_INTR_RETRY || status == ZX_ERR_INTERNAL_INTR_KILLED;
}

static void page_unlink(struct thread *thread)
{
    struct page_source *source = thread->wait.page.source;

    TAILQ_REMOVE(&source->waiters, thread, wait.page.link);
    thread->wait.page.source = NULL;
    if (was_interrupted(thread->wait.result))
        forget_if_unwanted(source, thread->wait.page.index);
}

static int64_t page_finish(struct thread *thread, zx_status_t status)
{
    thread->wait.page.error = was_interrupted(status) ? ZX_OK : status;
    return status;
}

const struct wait_kind wait_kind_page = {
    .name = "page request",
    .info_state = ZX_THREAD_STATE_BLOCKED_PAGER,
    .unlink = page_unlink,
    .finish = page_finish,
    .restarts = true,
};

/* Wakes the threads that wait for pages of the range. */
static void wake(struct page_source *source, uint64_t first, uint64_t count, zx_status_t status)
{
    struct thread *thread, *next;

    TAILQ_FOREACH_SAFE(thread, &source->waiters, wait.page.link, next) {
        if (thread->wait.page.index - first < count)
            wait_end(thread, status);
    }
}

/* Asks for [first, first+count), or the part of it before what was asked for already. */
static zx_status_t ask(struct page_source *source, uint64_t first, uint64_t count)
{
    struct page_request *request, *other;

    if (find_request(source, first))
        return ZX_OK;
    request = heap_zalloc(sizeof *request);
    if (!request)
        return ZX_ERR_NO_MEMORY;
    TAILQ_FOREACH(other, &source->requests, link) {
        if (other->first > first && other->first - first < count)
            count = other->first - first;
    }
    request->first = first;
    request->count = count;
    TAILQ_INSERT_TAIL(&source->requests, request, link);
    return ZX_OK;
}

zx_status_t page_source_request(struct vmo *vmo, uint64_t index, uint64_t count)
{
    struct page_source *source = vmo->pager;
    struct thread *thread = this_cpu()->current;
    zx_status_t status;

    if (!thread || thread->wait.no_pages)
        return ZX_ERR_BAD_STATE;
    if (thread->wait.kind)
        return ZX_ERR_SHOULD_WAIT; /* parked by an earlier copy of the same call */
    status = thread->wait.page.error;
    thread->wait.page.error = ZX_OK;
    if (status != ZX_OK && thread->wait.page.vmo == vmo->object.koid &&
        thread->wait.page.index == index)
        return status;
    if (!source->pager)
        return ZX_ERR_BAD_STATE;
    status = ask(source, index, count);
    if (status != ZX_OK)
        return status;
    thread->wait.page.source = source;
    thread->wait.page.vmo = vmo->object.koid;
    thread->wait.page.index = index;
    TAILQ_INSERT_TAIL(&source->waiters, thread, wait.page.link);
    wait_begin(thread, &wait_kind_page, ZX_TIME_INFINITE);
    tell(source);
    return ZX_ERR_SHOULD_WAIT;
}

/*
 * [first, first+count) is not waited for any more. A request that lies around the range on both
 * sides is forgotten as a whole: who still wants a page of it asks again.
 */
static void drop_requests(struct page_source *source, uint64_t first, uint64_t count)
{
    uint64_t end = first + count;
    struct page_request *request, *next;

    TAILQ_FOREACH_SAFE(request, &source->requests, link, next) {
        uint64_t request_end = request->first + request->count;

        if (request_end <= first || request->first >= end)
            continue;
        if (request->first < first && request_end <= end) {
            request->count = first - request->first;
        } else if (request->first >= first && request_end > end) {
            request->count = request_end - end;
            request->first = end;
        } else {
            if (request->first < first) /* wake those outside, to ask again */
                wake(source, request->first, request->count, ZX_OK);
            drop_request(source, request);
        }
    }
    tell(source);
}

/* ---- Pagers and their VMOs ----------------------------------------------------------------- */

zx_status_t pager_create(struct pager **out)
{
    struct pager *pager = heap_zalloc(sizeof *pager);

    if (!pager)
        return ZX_ERR_NO_MEMORY;
    object_init(&pager->object, &pager_ops, 0);
    *out = pager;
    return ZX_OK;
}

zx_status_t pager_create_vmo(struct pager *pager, struct port *port, uint64_t key, uint64_t size,
                             uint32_t flags, struct vmo **out)
{
    struct page_source *source = heap_zalloc(sizeof *source);
    zx_status_t status;

    if (!source)
        return ZX_ERR_NO_MEMORY;
    status = vmo_create(size, flags | VMO_FROM_PAGER, out);
    if (status != ZX_OK) {
        heap_free(source);
        return status;
    }
    TAILQ_INIT(&source->requests);
    TAILQ_INIT(&source->waiters);
    source->pager = pager;
    source->pager_koid = pager->object.koid;
    LIST_INSERT_HEAD(&pager->sources, source, pager_link);
    source->vmo = *out;
    object_ref(OBJECT(port));
    source->port = port;
    source->packet.data.key = key;
    source->packet.data.type = ZX_PKT_TYPE_PAGE_REQUEST;
    source->packet.done = packet_read;
    (*out)->pager = source;
    return ZX_OK;
}

static void detach(struct page_source *source)
{
    if (!source->pager)
        return;
    LIST_REMOVE(source, pager_link);
    source->pager = NULL;
    wake(source, 0, UINT64_MAX, ZX_ERR_BAD_STATE);
    drop_requests(source, 0, UINT64_MAX);
    source->complete = true;
    tell(source);
}

void page_source_close(struct vmo *vmo)
{
    struct page_source *source = vmo->pager;

    vmo->pager = NULL;
    detach(source);
    source->vmo = NULL;
    source_free_if_done(source);
}

void page_source_cut(struct vmo *vmo, uint64_t first)
{
    wake(vmo->pager, first, UINT64_MAX - first, ZX_OK);
    drop_requests(vmo->pager, first, UINT64_MAX - first);
}

bool pager_owns(const struct pager *pager, const struct vmo *vmo)
{
    return vmo->pager && vmo->pager->pager_koid == pager->object.koid;
}

zx_status_t pager_detach_vmo(struct pager *pager, struct vmo *vmo)
{
    if (!pager_owns(pager, vmo))
        return ZX_ERR_INVALID_ARGS;
    detach(vmo->pager);
    return ZX_OK;
}

/* ---- Supplying ----------------------------------------------------------------------------- */

/* Whether pages may be taken out of `aux`: nobody else sees them, and all are there. */
static zx_status_t check_aux(struct vmo *aux, uint64_t offset, uint64_t length)
{
    if (offset + length < offset || offset + length > aux->size)
        return ZX_ERR_OUT_OF_RANGE;
    if (aux->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    if (aux->flags & (VMO_SLICE | VMO_CLONE | VMO_CONTIGUOUS | VMO_FROM_PAGER) || aux->family ||
        aux->num_children || aux->pinned || !LIST_EMPTY(&aux->mappings) ||
        aux->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    if (page_tree_count(&aux->pages, offset / HAL_PAGE_SIZE, length / HAL_PAGE_SIZE) !=
        length / HAL_PAGE_SIZE)
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

/* Moves one page; one that is there already stays. */
static zx_status_t move_page(struct vmo *vmo, uint64_t index, struct vmo *aux, uint64_t aux_index)
{
    struct page_spot spot;
    hal_paddr_t frame;
    zx_status_t status;

    page_tree_find(&vmo->pages, index, &spot);
    if (spot.slot && *spot.slot)
        return page_tree_remove(&aux->pages, aux_index, 1);
    page_tree_find(&aux->pages, aux_index, &spot);
    frame = slot_frame(*spot.slot);
    if (!page_ref(frame))
        return ZX_ERR_NO_MEMORY;
    status = page_tree_set(&vmo->pages, index, frame | PAGE_PRESENT);
    if (status != ZX_OK) {
        page_unref(frame);
        return status;
    }
    return page_tree_remove(&aux->pages, aux_index, 1); /* a tree of its own: cannot fail */
}

zx_status_t pager_supply_pages(struct pager *pager, struct vmo *vmo, uint64_t offset,
                               uint64_t length, struct vmo *aux, uint64_t aux_offset)
{
    uint64_t first = offset / HAL_PAGE_SIZE, count = length / HAL_PAGE_SIZE, done;
    zx_status_t status;

    if (!pager_owns(pager, vmo))
        return ZX_ERR_INVALID_ARGS;
    status = check_aux(aux, aux_offset, length);
    if (status != ZX_OK)
        return status;
    if (offset + length < offset || offset + length > vmo->size)
        return ZX_ERR_OUT_OF_RANGE;
    if (!vmo->pager->pager)
        return ZX_ERR_BAD_STATE;
    for (done = 0; done < count && status == ZX_OK; done++)
        status = move_page(vmo, first + done, aux, aux_offset / HAL_PAGE_SIZE + done);
    if (status != ZX_OK)
        done--; /* the page that failed did not come */
    wake(vmo->pager, first, done, ZX_OK);
    drop_requests(vmo->pager, first, done);
    return status;
}

zx_status_t pager_fail(struct pager *pager, struct vmo *vmo, uint64_t offset, uint64_t length,
                       zx_status_t error)
{
    uint64_t first = offset / HAL_PAGE_SIZE, count = length / HAL_PAGE_SIZE;
    struct page_request *request, *next;

    if (!pager_owns(pager, vmo))
        return ZX_ERR_INVALID_ARGS;
    if (offset + length < offset || offset + length > vmo->size)
        return ZX_ERR_OUT_OF_RANGE;
    TAILQ_FOREACH_SAFE(request, &vmo->pager->requests, link, next) {
        if (request->first >= first + count || first >= request->first + request->count)
            continue;
        wake(vmo->pager, request->first, request->count, error);
        drop_request(vmo->pager, request);
    }
    tell(vmo->pager);
    return ZX_OK;
}

/* ---- Object -------------------------------------------------------------------------------- */

/* Nobody can supply pages any more. */
static void pager_on_zero_handles(struct object *object)
{
    struct pager *pager = container_of(object, struct pager, object);
    struct page_source *source;

    while ((source = LIST_FIRST(&pager->sources)))
        detach(source);
}

static void pager_destroy(struct object *object)
{
    struct pager *pager = container_of(object, struct pager, object);

    pager_on_zero_handles(object);
    heap_free(pager);
}

const struct object_ops pager_ops = {
    .type = ZX_OBJ_TYPE_PAGER,
    .name = "pager",
    .default_rights = ZX_DEFAULT_PAGER_RIGHTS,
    .not_waitable = true,
    .on_zero_handles = pager_on_zero_handles,
    .destroy = pager_destroy,
};
