/*
 * test_vmo_model.c - random operations on VMOs, clones of every kind, slices and mappings, compared
 * step by step with a model that keeps each VMO as a plain array of counted pages.
 *
 * What must agree after each step: what every VMO shows (all of it every few steps, a part at
 * each), the frames in use, to the page, and whose page each frame counts as. Some operations run
 * with an allocation that fails; they must change nothing and then succeed without.
 *
 *     test_vmo_model [seed] [steps]
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zircon/errors.h>

#include "aspace.h"
#include "heap.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE         4096u
#define MAX_PAGES    48u
#define MAX_VMOS     16
#define MAX_MAPPINGS 12

static unsigned long seed = 1, steps = 20000, step;
static const char *doing = "";

/* ---- Model --------------------------------------------------------------------------------- */

struct page {
    unsigned refs;
    uint8_t bytes[PAGE];
};

static struct page through; /* a clone shows what its source shows; not a page */

struct model {
    struct vmo *vmo; /* NULL: free slot */
    bool open;       /* the test holds its reference */
    bool resizable, slice, contiguous;
    struct model *base;   /* slice: never a slice itself; look-through clone: its source */
    struct model *parent; /* whom a slice or look-through clone keeps alive */
    unsigned offset;      /* pages, into base */
    unsigned pages;
    unsigned long age;
    struct page *page[MAX_PAGES]; /* NULL: zero */
};

struct mapped {
    struct model *of; /* NULL: free */
    unsigned offset, pages;
    zx_vaddr_t va;
    enum { HOLE, READABLE, WRITABLE } state[MAX_PAGES + 4]; /* of each page */
};

static struct model models[MAX_VMOS];
static struct mapped maps[MAX_MAPPINGS];
static unsigned long ages, live_pages;
static size_t base_frames;

static unsigned rnd(unsigned below)
{
    static uint64_t x;

    if (x == 0)
        x = seed * 0x9e3779b97f4a7c15ull + 1;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return below ? (unsigned)((x >> 16) % below) : 0;
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %lu step %lu, %s: %s (line %d)", seed, step, doing, #condition,         \
                     __LINE__);                                                                    \
    } while (0)

static bool is_page(const struct page *page)
{
    return page && page != &through;
}

static void drop(struct page *page)
{
    if (is_page(page) && --page->refs == 0) {
        free(page);
        live_pages--;
    }
}

static struct page *new_page(const struct page *like)
{
    struct page *page = calloc(1, sizeof *page);

    if (is_page(like))
        memcpy(page->bytes, like->bytes, PAGE);
    page->refs = 1;
    live_pages++;
    return page;
}

static const struct page *shown(const struct model *m, unsigned i)
{
    if (m->slice)
        return shown(m->base, i + m->offset);
    if (m->page[i] == &through)
        return i + m->offset < m->base->pages ? shown(m->base, i + m->offset) : NULL;
    return m->page[i];
}

/* Page `i` of `m`, which is no slice, for changing. */
static struct page *own(struct model *m, unsigned i)
{
    struct page *old = m->page[i];

    if (m->contiguous) {
        for (int c = 0; c < MAX_VMOS; c++) {
            struct model *clone = &models[c];

            if (clone->vmo && !clone->slice && clone->base == m && i >= clone->offset &&
                i - clone->offset < clone->pages && clone->page[i - clone->offset] == &through)
                clone->page[i - clone->offset] = new_page(old);
        }
        return old;
    }
    if (is_page(old) && old->refs == 1)
        return old;
    m->page[i] = new_page(shown(m, i));
    drop(old);
    return m->page[i];
}

static void set_zero(struct model *m, unsigned i)
{
    if (m->contiguous) {
        /* Zeroing a frame that is there counts as writing it. */
        memset(own(m, i)->bytes, 0, PAGE);
        return;
    }
    drop(m->page[i]);
    m->page[i] = NULL;
}

static bool held(const struct model *m)
{
    if (m->open)
        return true;
    for (int i = 0; i < MAX_MAPPINGS; i++)
        if (maps[i].of == m)
            return true;
    for (int i = 0; i < MAX_VMOS; i++)
        if (models[i].vmo && models[i].parent == m)
            return true;
    return false;
}

/* Frees what nothing holds any more. */
static void collect(void)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < MAX_VMOS; i++) {
            struct model *m = &models[i];

            if (!m->vmo || held(m))
                continue;
            for (unsigned p = 0; !m->slice && p < m->pages; p++)
                drop(m->page[p]);
            memset(m, 0, sizeof *m);
            again = true;
        }
    }
}

static struct model *free_slot(void)
{
    for (int i = 0; i < MAX_VMOS; i++)
        if (!models[i].vmo)
            return &models[i];
    return NULL;
}

static struct model *pick(void)
{
    for (int tries = 0; tries < 100; tries++) {
        struct model *m = &models[rnd(MAX_VMOS)];

        if (m->vmo && m->open)
            return m;
    }
    return NULL;
}

/* ---- Failing allocations ------------------------------------------------------------------- */

static bool failing;

/* Some operations get an allocation that fails. */
static void maybe_fail(void)
{
    failing = rnd(4) == 0;
    if (!failing)
        return;
    switch (rnd(3)) {
    case 0:
        heap_fail_nth(1 + rnd(4));
        break;
    case 1:
        fake_fail_frame(1 + rnd(2));
        break;
    default:
        fake_fail_map(1 + rnd(3));
        break;
    }
}

static void no_failures(void)
{
    heap_fail_nth(0);
    fake_fail_frame(0);
    fake_fail_map(0);
}

static void check_all(void);
static void check_contents(void);

/* Runs `call`, perhaps with a failure first. After the failure everything must be as it was. */
#define TRY(status, call) TRY_THEN(check_all, status, call)
/* The same for what may commit pages that show what was there before, and fail then. */
#define TRY_LOOSELY(status, call) TRY_THEN(check_contents, status, call)
#define TRY_THEN(check, status, call)                                                              \
    do {                                                                                           \
        maybe_fail();                                                                              \
        doing = #call;                                                                             \
        (status) = (call);                                                                         \
        no_failures();                                                                             \
        if (failing && ((status) == ZX_ERR_NO_MEMORY || (status) == ZX_ERR_INVALID_ARGS)) {        \
            check();                                                                               \
            (status) = (call);                                                                     \
        }                                                                                          \
    } while (0)

/* ---- Comparing ----------------------------------------------------------------------------- */

static void check_page(const struct model *m, unsigned i)
{
    static uint8_t bytes[PAGE];
    static const uint8_t zeros[PAGE];
    const struct page *page = shown(m, i);

    CHECK(vmo_read(m->vmo, bytes, (uint64_t)i * PAGE, PAGE) == ZX_OK);
    CHECK(memcmp(bytes, page ? page->bytes : zeros, PAGE) == 0);
}

static void check_attribution(void)
{
    unsigned long total = 0;

    for (int i = 0; i < MAX_VMOS; i++) {
        struct model *m = &models[i];
        unsigned long mine = 0;

        if (!m->vmo)
            continue;
        for (unsigned p = 0; !m->slice && p < m->pages; p++) {
            bool oldest = is_page(m->page[p]);

            for (int j = 0; oldest && m->page[p]->refs > 1 && j < MAX_VMOS; j++) {
                struct model *other = &models[j];

                if (!other->vmo || other->slice || other->age >= m->age)
                    continue;
                for (unsigned q = 0; q < other->pages; q++)
                    if (other->page[q] == m->page[p])
                        oldest = false;
            }
            mine += oldest;
        }
        CHECK(vmo_attributed_pages(m->vmo, 0, m->vmo->size) == mine);
        total += mine;
    }
    CHECK(total == live_pages);
}

static void check_contents(void)
{
    for (int i = 0; i < MAX_VMOS; i++) {
        if (!models[i].vmo)
            continue;
        CHECK(models[i].vmo->size == (uint64_t)models[i].pages * PAGE);
        for (unsigned p = 0; p < models[i].pages; p++)
            check_page(&models[i], p);
    }
}

static void check_all(void)
{
    CHECK(fake_frames_in_use() - base_frames == live_pages);
    check_contents();
}

/* ---- Operations ---------------------------------------------------------------------------- */

static struct model *add(struct vmo *vmo, unsigned pages)
{
    struct model *m = free_slot();

    memset(m, 0, sizeof *m);
    m->vmo = vmo;
    m->open = true;
    m->pages = pages;
    m->age = ++ages;
    return m;
}

static void op_create(void)
{
    unsigned pages = rnd(rnd(2) ? 4 : MAX_PAGES);
    bool resizable = rnd(2);
    struct vmo *vmo;
    zx_status_t status;

    if (!free_slot())
        return;
    if (pages && rnd(4) == 0) {
        struct model *m;

        TRY(status, vmo_create_contiguous(pages * PAGE, 12, &vmo));
        CHECK(status == ZX_OK);
        m = add(vmo, pages);
        m->contiguous = true;
        for (unsigned i = 0; i < pages; i++)
            m->page[i] = new_page(NULL);
        return;
    }
    TRY(status,
        vmo_create(pages * PAGE - (pages ? rnd(PAGE) : 0), resizable ? VMO_RESIZABLE : 0, &vmo));
    CHECK(status == ZX_OK);
    add(vmo, pages)->resizable = resizable;
}

/* A contiguous VMO's clone is to be cloned: it takes all it sees first. */
static void stand_alone(struct model *m)
{
    for (unsigned i = 0; i < m->pages; i++)
        if (m->page[i] == &through)
            m->page[i] = shown(m, i) ? new_page(shown(m, i)) : NULL;
    m->parent = m->base = NULL;
    collect();
}

static void op_clone(void)
{
    struct model *m = pick(), *c;
    unsigned offset, pages;
    bool resizable = rnd(2);
    struct vmo *vmo;
    zx_status_t status;

    if (!m || !free_slot())
        return;
    offset = rnd(3) ? 0 : rnd(m->pages + 2);
    pages = rnd(2) ? m->pages : rnd(MAX_PAGES);
    if (m->base && !m->slice) {
        /* What the parent takes is there whether or not the rest works out. */
        CHECK(vmo_create_child(m->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 0, &vmo) == ZX_OK);
        object_release(OBJECT(vmo));
        stand_alone(m);
    }
    TRY(status, vmo_create_child(
                    m->vmo,
                    (rnd(2) ? ZX_VMO_CHILD_SNAPSHOT : ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE) |
                        (resizable ? ZX_VMO_CHILD_RESIZABLE : 0),
                    (uint64_t)offset * PAGE, (uint64_t)pages * PAGE, &vmo));
    if (m->slice) {
        CHECK(status == ZX_ERR_NOT_SUPPORTED);
        return;
    }
    CHECK(status == ZX_OK);
    c = add(vmo, pages);
    c->resizable = resizable;
    if (m->contiguous) {
        c->base = c->parent = m;
        c->offset = offset;
    }
    for (unsigned i = 0; i < pages && offset + i < m->pages; i++) {
        c->page[i] = m->contiguous ? &through : m->page[offset + i];
        if (is_page(c->page[i]))
            c->page[i]->refs++;
    }
}

static void op_slice(void)
{
    struct model *m = pick(), *s;
    unsigned offset, pages;
    struct vmo *vmo;
    zx_status_t status;

    if (!m || !free_slot())
        return;
    offset = rnd(m->pages + 1);
    pages = rnd(m->pages - offset + 1);
    TRY(status, vmo_create_child(m->vmo, ZX_VMO_CHILD_SLICE, (uint64_t)offset * PAGE,
                                 (uint64_t)pages * PAGE, &vmo));
    if (m->resizable) {
        CHECK(status == ZX_ERR_NOT_SUPPORTED);
        return;
    }
    CHECK(status == ZX_OK);
    s = add(vmo, pages);
    s->slice = true;
    s->parent = m;
    s->base = m->slice ? m->base : m;
    s->offset = offset + (m->slice ? m->offset : 0);
}

static struct model *resolve(struct model *m, unsigned *page)
{
    if (!m->slice)
        return m;
    *page += m->offset;
    return m->base;
}

/* Writes through `write` into the model what went into the VMO. */
static void model_write(struct model *m, unsigned at, const uint8_t *from, unsigned length)
{
    while (length) {
        unsigned page = at / PAGE, in = at % PAGE, part = PAGE - in;
        struct model *base = resolve(m, &page);

        if (part > length)
            part = length;
        memcpy(own(base, page)->bytes + in, from, part);
        at += part;
        from += part;
        length -= part;
    }
}

static uint8_t junk[MAX_PAGES * PAGE];

static void op_write(void)
{
    struct model *m = pick();
    unsigned at, length;
    zx_status_t status;

    if (!m || m->pages == 0)
        return;
    at = rnd(m->pages * PAGE);
    if (rnd(3) == 0) { /* long */
        length = rnd(m->pages * PAGE - at);
        memset(junk, (int)rnd(256), length);
        CHECK(vmo_write(m->vmo, junk, at, length) == ZX_OK);
    } else { /* inside one page; may fail without a trace */
        length = 1 + rnd(PAGE - at % PAGE);
        memset(junk, (int)rnd(256), length);
        TRY_LOOSELY(status, vmo_write(m->vmo, junk, at, length));
        CHECK(status == ZX_OK);
    }
    model_write(m, at, junk, length);
}

static void op_zero(void)
{
    struct model *m = pick();
    unsigned at, length;
    zx_status_t status;

    if (!m)
        return;
    at = rnd(m->pages * PAGE + 1);
    length = rnd(m->pages * PAGE - at + 1);
    if (rnd(2)) {
        at &= ~(PAGE - 1);
        length &= ~(PAGE - 1);
        if (m->contiguous || (m->slice && m->base->contiguous) || m->base)
            status = vmo_zero(m->vmo, at, length); /* page by page: may stop half way */
        else
            TRY(status, vmo_zero(m->vmo, at, length));
    } else {
        status = vmo_zero(m->vmo, at, length);
    }
    CHECK(status == ZX_OK);
    while (length) {
        unsigned page = at / PAGE, in = at % PAGE, part = PAGE - in;
        struct model *base = resolve(m, &page);

        if (part > length)
            part = length;
        if (part == PAGE)
            set_zero(base, page);
        else if (shown(base, page))
            memset(own(base, page)->bytes + in, 0, part);
        at += part;
        length -= part;
    }
}

static void op_resize(void)
{
    struct model *m = pick();
    unsigned pages = rnd(MAX_PAGES);
    zx_status_t status;

    if (!m)
        return;
    TRY(status, vmo_set_size(m->vmo, (uint64_t)pages * PAGE));
    if (!m->resizable) {
        CHECK(status == ZX_ERR_UNAVAILABLE);
        return;
    }
    CHECK(status == ZX_OK);
    for (unsigned i = pages; i < m->pages; i++) {
        drop(m->page[i]);
        m->page[i] = NULL;
    }
    m->pages = pages;
}

static bool shares(const struct model *m)
{
    return m->vmo->family || m->base || m->contiguous;
}

static void op_commit(bool commit)
{
    struct model *m = pick(), *base;
    unsigned at, count, page = 0;
    zx_status_t status;

    if (!m)
        return;
    at = rnd(m->pages + 1);
    count = rnd(m->pages - at + 1);
    base = resolve(m, &page);
    if (commit) {
        CHECK(vmo_commit(m->vmo, (uint64_t)at * PAGE, (uint64_t)count * PAGE) == ZX_OK);
    } else {
        status = vmo_decommit(m->vmo, (uint64_t)at * PAGE, (uint64_t)count * PAGE);
        CHECK(status == (shares(base) ? ZX_ERR_NOT_SUPPORTED : ZX_OK));
        if (status != ZX_OK)
            return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (commit)
            own(base, page + at + i);
        else
            set_zero(base, page + at + i);
    }
}

static void op_close(void)
{
    struct model *m = pick();

    if (!m)
        return;
    m->open = false;
    object_release(OBJECT(m->vmo));
    collect();
}

/* ---- Mappings ------------------------------------------------------------------------------ */

static void op_map(void)
{
    struct mapped *map = &maps[rnd(MAX_MAPPINGS)];
    struct model *m = pick();
    uint32_t options = ZX_VM_PERM_READ | ZX_VM_CAN_MAP_WRITE;
    bool writable = rnd(4);
    unsigned offset, pages;
    zx_vaddr_t va;
    zx_status_t status;

    if (map->of || !m)
        return;
    offset = rnd(m->pages + 1);
    pages = 1 + rnd(m->pages + 3);
    options |= (writable ? ZX_VM_PERM_WRITE : 0) | (rnd(2) ? ZX_VM_MAP_RANGE : 0);
    TRY(status, vmar_map(fix.process->aspace->root, options, 0, m->vmo, (uint64_t)offset * PAGE,
                         (uint64_t)pages * PAGE, &va));
    CHECK(status == ZX_OK);
    *map = (struct mapped){.of = m, .offset = offset, .pages = pages, .va = va};
    for (unsigned i = 0; i < pages; i++)
        map->state[i] = writable ? WRITABLE : READABLE;
}

static struct mapped *pick_map(void)
{
    for (int tries = 0; tries < 2 * MAX_MAPPINGS; tries++) {
        struct mapped *map = &maps[rnd(MAX_MAPPINGS)];

        if (map->of)
            return map;
    }
    return NULL;
}

/* A part of the mapping without holes (somebody else may be mapped there), all of it now and then.
 * *count 0: none was found. */
static void pick_part(const struct mapped *map, unsigned *first, unsigned *count)
{
    unsigned most;

    *first = rnd(2) ? 0 : rnd(map->pages);
    most = rnd(2) ? map->pages - *first : 1 + rnd(map->pages - *first);
    for (*count = 0; *count < most && map->state[*first + *count] != HOLE;)
        ++*count;
}

static bool all_holes(const struct mapped *map)
{
    for (unsigned i = 0; i < map->pages; i++)
        if (map->state[i] != HOLE)
            return false;
    return true;
}

static void op_unmap(void)
{
    struct mapped *map = pick_map();
    unsigned first, count;
    zx_status_t status;

    if (!map)
        return;
    pick_part(map, &first, &count);
    if (count == 0)
        return;
    TRY(status, vmar_unmap(fix.process->aspace->root, map->va + (uint64_t)first * PAGE,
                           (uint64_t)count * PAGE));
    CHECK(status == ZX_OK);
    for (unsigned i = first; i < first + count; i++)
        map->state[i] = HOLE;
    if (all_holes(map))
        map->of = NULL;
    collect();
}

static void op_protect(void)
{
    struct mapped *map = pick_map();
    bool writable = rnd(2);
    unsigned first, count;
    zx_status_t status;

    if (!map)
        return;
    pick_part(map, &first, &count);
    if (count == 0)
        return;
    TRY(status,
        vmar_protect(fix.process->aspace->root, ZX_VM_PERM_READ | (writable ? ZX_VM_PERM_WRITE : 0),
                     map->va + (uint64_t)first * PAGE, (uint64_t)count * PAGE));
    CHECK(status == ZX_OK);
    for (unsigned i = first; i < first + count; i++)
        map->state[i] = writable ? WRITABLE : READABLE;
}

/* User memory: reads or writes part of a page through a mapping. */
static void op_touch(void)
{
    struct mapped *map = pick_map();
    uint8_t bytes[64];
    unsigned page, in, length, vmo_page;
    bool write = rnd(2), inside;
    zx_status_t status;
    struct user_ptr at;

    if (!map)
        return;
    page = rnd(map->pages);
    if (map->state[page] == HOLE)
        return;
    in = rnd(PAGE - 64);
    length = 1 + rnd(64);
    vmo_page = map->offset + page;
    inside = vmo_page < map->of->pages; /* a slice ends where it ends, not where its base does */
    at = (struct user_ptr){map->va + (uint64_t)page * PAGE + in};
    if (write) {
        memset(bytes, (int)rnd(256), sizeof bytes);
        TRY_LOOSELY(status, user_write(fix.process, at, bytes, length));
        CHECK(status == (inside && map->state[page] == WRITABLE ? ZX_OK : ZX_ERR_INVALID_ARGS));
        if (status == ZX_OK && map->of->slice)
            model_write(map->of->base, (vmo_page + map->of->offset) * PAGE + in, bytes, length);
        else if (status == ZX_OK)
            model_write(map->of, vmo_page * PAGE + in, bytes, length);
        return;
    }
    TRY(status, user_read(fix.process, bytes, at, length));
    CHECK(status == (inside ? ZX_OK : ZX_ERR_INVALID_ARGS));
    if (status == ZX_OK) {
        const struct page *p = map->of->slice ? shown(map->of->base, vmo_page + map->of->offset)
                                              : shown(map->of, vmo_page);

        for (unsigned i = 0; i < length; i++)
            CHECK(bytes[i] == (p ? p->bytes[in + i] : 0));
    }
}

/* Through every mapping, every page shows what the VMO shows. */
static void check_mappings(void)
{
    for (int i = 0; i < MAX_MAPPINGS; i++) {
        struct mapped *map = &maps[i];

        for (unsigned p = 0; map->of && p < map->pages; p++) {
            const struct model *m = map->of->slice ? map->of->base : map->of;
            unsigned page = map->offset + p + (map->of->slice ? map->of->offset : 0);
            struct user_ptr at = {map->va + (uint64_t)p * PAGE + 8 * rnd(512)};
            uint64_t got, want = 0;

            if (map->state[p] == HOLE)
                continue; /* somebody else may be there by now */
            if (map->offset + p >= map->of->pages) {
                CHECK(user_read(fix.process, &got, at, 8) == ZX_ERR_INVALID_ARGS);
                continue;
            }
            if (shown(m, page))
                memcpy(&want, shown(m, page)->bytes + at.va % PAGE, 8);
            CHECK(user_read(fix.process, &got, at, 8) == ZX_OK);
            CHECK(got == want);
        }
    }
}

/* ---- Run ----------------------------------------------------------------------------------- */

static void one_step(void)
{
    switch (rnd(32)) {
    case 0:
    case 1:
        op_create();
        break;
    case 2:
    case 3:
    case 4:
        op_clone();
        break;
    case 5:
        op_slice();
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        op_write();
        break;
    case 10:
        op_zero();
        break;
    case 11:
        op_resize();
        break;
    case 12:
        op_commit(rnd(4) != 0);
        break;
    case 13:
        op_commit(false);
        break;
    case 14:
    case 15:
        op_close();
        break;
    case 16:
    case 20:
        op_map();
        break;
    case 17:
        op_unmap();
        break;
    case 18:
        op_protect();
        break;
    default:
        op_touch();
        break;
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    base_frames = fake_frames_in_use();
    for (step = 0; step < steps; step++) {
        struct model *m;

        one_step();
        CHECK(fake_frames_in_use() - base_frames == live_pages);
        m = pick();
        if (m && m->pages)
            check_page(m, rnd(m->pages));
        if (step % 16 == 0)
            check_attribution();
        if (step % 32 == 0) {
            check_all();
            check_mappings();
        }
    }
    for (int i = 0; i < MAX_MAPPINGS; i++) {
        for (unsigned p = 0; maps[i].of && p < maps[i].pages; p++)
            if (maps[i].state[p] != HOLE)
                CHECK(vmar_unmap(fix.process->aspace->root, maps[i].va + (uint64_t)p * PAGE,
                                 PAGE) == ZX_OK);
        maps[i].of = NULL;
    }
    for (int i = 0; i < MAX_VMOS; i++) {
        if (models[i].vmo && models[i].open) {
            models[i].open = false;
            object_release(OBJECT(models[i].vmo));
        }
    }
    collect();
    CHECK(fake_frames_in_use() == base_frames && live_pages == 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_operations, fixture_setup, fixture_teardown),
    };

    if (argc > 1)
        seed = strtoul(argv[1], NULL, 0);
    if (argc > 2)
        steps = strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests_name("vmo_model", tests, NULL, NULL);
}
