/*
 * mirror-test.c - a kernel_main that tests what only hal-libos has, in TAP: the host's address
 * space as a cache of many page tables (hal-libos/mirror.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hal.h>
#include <zircon/errors.h>

#include "machine.h"
#include "park.h"

static unsigned done, failed;

static void ok(bool good, const char *name)
{
    char line[160];

    done++;
    failed += !good;
    snprintf(line, sizeof line, "%s %u - %s\n", good ? "ok" : "not ok", done, name);
    hal_console_write(line, strlen(line));
}

/* mov (%rdi),%rax; ud2 */
static const uint8_t program[] = {0x48, 0x8b, 0x07, 0x0f, 0x0b};

struct space {
    struct hal_page_table *table;
    struct hal_context context;
    zx_vaddr_t base;
    hal_paddr_t data;
};

#define CODE_AT(space) ((space)->base + 0x10000)
#define DATA_AT(space) ((space)->base + 0x4000000)

static hal_paddr_t code;

static bool make(struct space *space, uint64_t value)
{
    zx_vaddr_t top;

    if (hal_page_table_create(&space->table) != ZX_OK ||
        hal_context_init(&space->context) != ZX_OK ||
        hal_frame_alloc(HAL_FRAME_ZEROED, &space->data) != ZX_OK)
        return false;
    hal_page_table_range(space->table, &space->base, &top);
    hal_pmem_write(space->data, &value, sizeof value);
    return hal_page_table_map(space->table, CODE_AT(space), code, 1, HAL_MAP_EXECUTE) == ZX_OK &&
           hal_page_table_map(space->table, DATA_AT(space), space->data, 1, HAL_MAP_READ) == ZX_OK;
}

static void unmake(struct space *space)
{
    hal_page_table_activate(NULL);
    hal_page_table_destroy(space->table);
    hal_context_destroy(&space->context);
    hal_frame_free(space->data);
}

/* What user code finds at `address`; UINT64_MAX if it faults. */
static uint64_t load(struct space *space, zx_vaddr_t address)
{
    struct hal_trap trap;

    hal_page_table_activate(space->table);
    space->context.regs.rip = CODE_AT(space);
    space->context.regs.rdi = address;
    do
        hal_context_run(&space->context, &trap);
    while (trap.kind == HAL_TRAP_INTERRUPT);
    return trap.kind == HAL_TRAP_EXCEPTION && trap.vector == 6 ? space->context.regs.rax
                                                               : UINT64_MAX;
}

static uint64_t free_frames(void)
{
    struct hal_memory_stats stats;

    hal_memory_stats(&stats);
    return stats.free_frames;
}

/* More address spaces than slices: those that share one must not see each other's pages. */
static void test_many_spaces(void)
{
    enum { COUNT = 300 };
    static struct space spaces[COUNT];
    uint64_t before = free_frames();
    bool good = true;

    for (unsigned i = 0; i < COUNT; i++)
        good = good && make(&spaces[i], 1000 + i);
    ok(good, "300 address spaces");
    ok(spaces[0].base != spaces[1].base, "the first ones have different slices");
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < COUNT; i++)
            good = good && load(&spaces[i], DATA_AT(&spaces[i])) == 1000 + i;
    ok(good, "each sees its own page");
    for (unsigned i = 0; i < COUNT; i++)
        unmake(&spaces[i * 7 % COUNT]);
    ok(free_frames() == before, "nothing is left of them");
}

/* More of the host's mappings than it allows: pages that cannot share one. */
static void test_many_mappings(struct space *space)
{
    enum { COUNT = 70000, STEP = 2 };
    zx_vaddr_t at = space->base + 0x40000000;
    hal_paddr_t frames[STEP];
    uint64_t value;
    bool good = true;

    for (unsigned i = 0; i < STEP; i++) {
        hal_frame_alloc(HAL_FRAME_ZEROED, &frames[STEP - 1 - i]);
        value = 500 + STEP - 1 - i;
        hal_pmem_write(frames[STEP - 1 - i], &value, sizeof value);
    }
    for (unsigned i = 0; i < COUNT && good; i++)
        good = hal_page_table_map(space->table, at + i * HAL_PAGE_SIZE, frames[i % STEP], 1,
                                  i / STEP % 2 ? HAL_MAP_READ : HAL_MAP_WRITE) == ZX_OK;
    ok(good, "70000 pages that do not follow each other");
    for (unsigned i = 0; i < COUNT && good; i++)
        good = load(space, at + i * HAL_PAGE_SIZE) == 500 + i % STEP;
    ok(good, "all can be read");
    for (unsigned i = 0; i < COUNT && good; i += 777)
        good = load(space, at + i * HAL_PAGE_SIZE) == 500 + i % STEP;
    ok(good, "also those that were shown first");
    hal_page_table_unmap(space->table, at + 1000 * HAL_PAGE_SIZE, COUNT - 2000);
    ok(load(space, at + 999 * HAL_PAGE_SIZE) == 501 &&
           load(space, at + 1000 * HAL_PAGE_SIZE) == UINT64_MAX &&
           load(space, at + (COUNT - 1001) * HAL_PAGE_SIZE) == UINT64_MAX &&
           load(space, at + (COUNT - 1000) * HAL_PAGE_SIZE) == 500,
       "the middle is unmapped, the ends are not");
    hal_page_table_unmap(space->table, at, COUNT);
    for (unsigned i = 0; i < STEP; i++)
        hal_frame_free(frames[i]);
}

/* A random walk of map, protect, unmap and access over a few pages against a plain model. */
static void test_random(struct space *space)
{
    enum { PAGES = 96, FRAMES = 24, ROUNDS = 60000 };
    zx_vaddr_t at = space->base + (2ull << 20) * 40 - PAGES / 2 * HAL_PAGE_SIZE;
    static int model[PAGES]; /* 0: not mapped, else 1 + frame */
    hal_paddr_t frames[FRAMES];
    unsigned wrong = 0;

    for (unsigned i = 0; i < FRAMES; i++) {
        uint64_t value = 9000 + i;

        hal_frame_alloc(HAL_FRAME_ZEROED, &frames[i]);
        hal_pmem_write(frames[i], &value, sizeof value);
    }
    srandom(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned page = (unsigned)random() % PAGES, frame = (unsigned)random() % FRAMES;
        unsigned most = PAGES - page < FRAMES - frame ? PAGES - page : FRAMES - frame;
        unsigned count = 1 + (unsigned)random() % (most < 12 ? most : 12);
        zx_vaddr_t address = at + page * HAL_PAGE_SIZE;
        uint64_t got;

        switch (random() % 8) {
        case 0:
            hal_page_table_map(space->table, address, frames[frame], 1, HAL_MAP_WRITE);
            model[page] = 1 + (int)frame;
            break;
        case 1:
            hal_page_table_map_many(space->table, address, frames + frame, count, HAL_MAP_READ);
            for (unsigned i = 0; i < count; i++)
                model[page + i] = 1 + (int)(frame + i);
            break;
        case 2:
            hal_page_table_unmap(space->table, address, count);
            for (unsigned i = 0; i < count; i++)
                model[page + i] = 0;
            break;
        case 3:
            hal_page_table_protect(space->table, address, count,
                                   random() % 2 ? HAL_MAP_READ : HAL_MAP_WRITE);
            break;
        default:
            got = load(space, address);
            wrong += got != (model[page] ? 9000 + (uint64_t)model[page] - 1 : UINT64_MAX);
        }
    }
    ok(wrong == 0, "60000 random changes and accesses agree with a model");
    hal_page_table_unmap(space->table, at, PAGES);
    for (unsigned i = 0; i < FRAMES; i++)
        hal_frame_free(frames[i]);
}

enum { RUN = 100 };

/* Maps `count` pages of the run, whose first frame holds `value`, the next value + 1 and so on;
 * whether all of them can be read, first page first. */
static bool show_run(struct space *space, zx_vaddr_t at, hal_paddr_t paddr, size_t count,
                     uint32_t rights, uint64_t value)
{
    bool good = hal_page_table_map(space->table, at, paddr, count, rights) == ZX_OK;

    for (size_t i = 0; i < count; i++)
        good = good && load(space, at + i * HAL_PAGE_SIZE) == value + i;
    return good;
}

static bool drop_run(struct space *space, zx_vaddr_t at, size_t count)
{
    hal_page_table_unmap(space->table, at, count);
    return load(space, at) == UINT64_MAX &&
           load(space, at + (count - 1) * HAL_PAGE_SIZE) == UINT64_MAX;
}

static void fill(hal_paddr_t paddr, uint64_t value)
{
    for (uint64_t i = 0; i < RUN; i++, value++)
        hal_pmem_write(paddr + i * HAL_PAGE_SIZE, &value, sizeof value);
}

/* A run that comes again and again is moved aside and back (hal-libos/park.h). */
static void test_parking(struct space *space)
{
    enum { FIRST = 60, SHORT = RUN - FIRST };
    const uint32_t rights = HAL_MAP_READ | HAL_MAP_WRITE;
    zx_vaddr_t at = space->base + (2ull << 20) * 50, other = at + (8ull << 20);
    hal_paddr_t paddr, rest;
    bool good = true;

    hal_frame_alloc_contiguous(RUN, 12, &paddr);
    rest = paddr + FIRST * HAL_PAGE_SIZE;
    fill(paddr, 100);
    for (uint64_t i = 0; i < 2; i++)
        good = good && show_run(space, at + (i << 22), paddr, RUN, rights, 100) &&
               drop_run(space, at + (i << 22), RUN);
    ok(good && park_find(paddr, rights, RUN) == RUN, "a run that is dropped twice is parked");
    ok(park_find(paddr, HAL_MAP_READ, RUN) == 0, "with its rights");
    fill(paddr, 700);
    ok(show_run(space, other, paddr, RUN, rights, 700), "it shows what its frames hold by now");
    ok(park_find(paddr, rights, RUN) == 0 && park_find(rest, rights, RUN) == 0,
       "and is not parked any more");
    ok(drop_run(space, other, RUN) && park_find(paddr, rights, RUN) == RUN, "until it is dropped");
    ok(show_run(space, at, rest, SHORT, rights, 700 + FIRST) &&
           park_find(paddr, rights, RUN) == 0 && drop_run(space, at, SHORT),
       "what stands before the part that is taken first is passed over");
    for (unsigned i = 0; i < 2; i++)
        good = good && show_run(space, at, paddr, RUN, rights, 700) && drop_run(space, at, RUN);
    ok(good && show_run(space, at, paddr, FIRST, rights, 700) &&
           park_find(rest, rights, RUN) == SHORT,
       "a part of it can be taken");
    ok(show_run(space, other, rest, SHORT, HAL_MAP_READ, 700 + FIRST) &&
           drop_run(space, other, SHORT) && drop_run(space, at, FIRST),
       "while the rest is shown otherwise");
    for (unsigned i = 0; i < 2; i++) /* the second half first */
        good = good && show_run(space, at, rest, SHORT, rights, 700 + FIRST) &&
               show_run(space, at + SHORT * HAL_PAGE_SIZE, paddr, FIRST, rights, 700) &&
               drop_run(space, at, RUN);
    ok(good && park_find(rest, rights, RUN) == SHORT && park_find(paddr, rights, RUN) == FIRST,
       "two runs that are dropped together are parked each");
    for (unsigned i = 0; i < 20; i++) /* more runs than are kept, on each other's places */
        for (unsigned twice = 0; twice < 2; twice++)
            good = good &&
                   show_run(space, at, paddr + i * HAL_PAGE_SIZE, RUN - i, rights, 700 + i) &&
                   drop_run(space, at, RUN - i);
    ok(good, "runs that overlap");
    for (size_t i = 0; i < RUN; i++)
        hal_frame_free(paddr + i * HAL_PAGE_SIZE);
}

_Noreturn void kernel_main(const struct hal_boot *boot)
{
    static struct space space;
    uint64_t before;

    (void)boot;
    hal_frame_alloc(HAL_FRAME_ZEROED, &code);
    hal_pmem_write(code, program, sizeof program);
    test_many_spaces();
    before = free_frames();
    ok(make(&space, 1), "one address space");
    test_many_mappings(&space);
    test_random(&space);
    test_parking(&space);
    unmake(&space);
    ok(free_frames() == before, "nothing is left of it");
    printf("1..%u\n", done);
    hal_console_flush();
    fflush(stdout);
    hal_exit(failed ? 1 : 0);
}
