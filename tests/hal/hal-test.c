/*
 * hal-test.c - a kernel_main that is nothing but tests of the HAL, in TAP on the console. The
 * kernel command line chooses: test=NAME, default all that end by themselves. hal.t runs it.
 */
#include <hal.h>
#include <zircon/errors.h>

#include "format.h"
#include "string.h"

/* ---- TAP ----------------------------------------------------------------------------------- */

static unsigned done, failed;
static const struct hal_boot *boot;

/* Told by the command line: some exceptions differ where a processor is not a real one. */
static bool software_kvm, tcg;

static void say(const char *pattern, ...)
{
    char line[256];
    va_list args;
    size_t length;

    va_start(args, pattern);
    length = vformat(line, sizeof line, pattern, args);
    va_end(args);
    hal_console_write(line, length);
}

#define ok(condition, ...) ok_at(condition, __LINE__, __VA_ARGS__)
static bool ok_at(bool good, int line, const char *pattern, ...)
{
    char name[160];
    va_list args;

    va_start(args, pattern);
    vformat(name, sizeof name, pattern, args);
    va_end(args);
    done++;
    if (!good)
        failed++;
    say("%s %u - %s\n", good ? "ok" : "not ok", done, name);
    if (!good)
        say("# at line %d\n", line);
    return good;
}

static bool is_at(uint64_t got, uint64_t want, int line, const char *name)
{
    if (!ok_at(got == want, line, "%s", name)) {
        say("# got 0x%llx, want 0x%llx\n", (unsigned long long)got, (unsigned long long)want);
        return false;
    }
    return true;
}
#define is(got, want, name) is_at(got, want, __LINE__, name)

_Noreturn void panic(const char *pattern, ...)
{
    char text[200];
    va_list args;

    va_start(args, pattern);
    vformat(text, sizeof text, pattern, args);
    va_end(args);
    hal_panic(text);
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* ---- Frames -------------------------------------------------------------------------------- */

static bool is_zero(hal_paddr_t frame)
{
    static uint64_t words[HAL_PAGE_SIZE / 8];

    hal_pmem_read(frame, words, sizeof words);
    for (unsigned i = 0; i < HAL_PAGE_SIZE / 8; i += 31)
        if (words[i])
            return false;
    return true;
}

static void dirty(hal_paddr_t frame)
{
    static uint64_t words[HAL_PAGE_SIZE / 8];

    for (unsigned i = 0; i < HAL_PAGE_SIZE / 8; i += 31)
        words[i] = ~0ull;
    hal_pmem_write(frame, words, sizeof words);
}

static uint64_t free_frames(void)
{
    struct hal_memory_stats stats;

    hal_memory_stats(&stats);
    return stats.free_frames;
}

static void test_frames(void)
{
    hal_paddr_t a, b, c;
    uint64_t before = free_frames();
    void *heap;

    ok(hal_frame_alloc(HAL_FRAME_ZEROED, &a) == ZX_OK && is_zero(a), "a fresh zeroed frame");
    ok(hal_frame_alloc(HAL_FRAME_ANY, &b) == ZX_OK && b != a, "another frame");
    is(*hal_frame_owner(b), 0, "no owner at first");
    *hal_frame_owner(b) = 77;
    dirty(a);
    dirty(b);
    hal_frame_free(a);
    hal_frame_free(b);
    is(free_frames(), before, "freeing gives them back");
    ok(hal_frame_alloc(HAL_FRAME_ANY, &c) == ZX_OK && c == b, "the frame freed last comes first");
    is(*hal_frame_owner(c), 0, "a recycled frame has no owner");
    hal_frame_free(c);
    ok(hal_frame_alloc(HAL_FRAME_ZEROED, &c) == ZX_OK && is_zero(c), "a recycled frame is zeroed");
    hal_frame_free(c);
    ok(is_zero(hal_frame_zero()), "the zero frame is zero");

    ok(hal_frame_alloc_contiguous(16, 16, &a) == ZX_OK && !(a & 0xffff),
       "16 frames aligned to 64 KiB");
    dirty(a + 15 * HAL_PAGE_SIZE);
    for (unsigned i = 0; i < 16; i++)
        hal_frame_free(a + i * HAL_PAGE_SIZE);
    is(free_frames(), before, "freed one by one");
    ok(hal_frame_alloc_contiguous(1ull << 40, 12, &a) == ZX_ERR_NO_MEMORY, "too many frames");
    ok(hal_frame_alloc_contiguous(1, 60, &a) == ZX_ERR_NO_MEMORY, "a silly alignment");
    heap = hal_kernel_alloc(3);
    ok(heap && !((uint64_t)heap & HAL_PAGE_MASK), "kernel memory");
    memset(heap, 0xaa, 3 * HAL_PAGE_SIZE);
    hal_kernel_free(heap, 3);
    is(free_frames(), before, "kernel memory freed");
}

/* Takes all memory, then gives it back in an order that leaves runs for the slow search. */
static void test_exhaustion(void)
{
    uint64_t before = free_frames(), count = 0, chain = 0, last = 0;
    hal_paddr_t frame, run;
    zx_status_t status;

    while ((status = hal_frame_alloc(HAL_FRAME_ANY, &frame)) == ZX_OK) {
        hal_pmem_write(frame, &chain, sizeof chain);
        chain = frame;
        last = frame > last ? frame : last;
        count++;
    }
    is((uint64_t)-status, (uint64_t)-ZX_ERR_NO_MEMORY, "out of frames is ZX_ERR_NO_MEMORY");
    is(count, before, "every free frame could be had");
    is(free_frames(), 0, "none is left");
    ok(hal_kernel_alloc(1) == NULL, "no kernel memory either");
    ok(hal_frame_alloc_contiguous(2, 12, &run) == ZX_ERR_NO_MEMORY, "no run of frames");
    while (chain) {
        frame = chain;
        hal_pmem_read(frame, &chain, sizeof chain);
        hal_frame_free(frame);
    }
    is(free_frames(), before, "all came back");
    ok(hal_frame_alloc_contiguous(256, 20, &run) == ZX_OK && !(run & 0xfffff),
       "a run of recycled frames is found");
    ok(hal_frame_alloc(HAL_FRAME_ZEROED, &frame) == ZX_OK && is_zero(frame),
       "a zeroed frame when none is fresh");
    hal_frame_free(frame);
    for (unsigned i = 0; i < 256; i++)
        hal_frame_free(run + i * HAL_PAGE_SIZE);
    is(free_frames(), before, "the run came back");
}

static void test_pmem(void)
{
    static uint8_t pattern[3000], back[3000];
    static const size_t lengths[] = {0,  1,  2,  3,   5,   7,   8,    9,   15,
                                     16, 17, 31, 191, 192, 193, 1000, 2999};
    hal_paddr_t a, b;
    bool good = true;

    hal_frame_alloc(HAL_FRAME_ZEROED, &a);
    hal_frame_alloc(HAL_FRAME_ZEROED, &b);
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 7 + i / 256 + 1);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t n = lengths[i];

        hal_pmem_zero(a, 3100);
        memset(back, 0xee, sizeof back);
        hal_pmem_write(a + 3, pattern, n);
        hal_pmem_copy(b + 5, a + 3, n);
        hal_pmem_read(b + 5, back, n);
        good = good && memcmp(back, pattern, n) == 0;
        good = good && (n == sizeof back || back[n] == 0xee);
        hal_pmem_read(a + 3 + n, back, 1);
        good = good && back[0] == 0;
    }
    ok(good, "write, copy and read of many lengths");
    dirty(a);
    hal_pmem_zero(a + 1, 4000);
    hal_pmem_read(a, back, 2);
    ok(back[0] == 0xff && back[1] == 0, "zeroing starts where it says");
    hal_pmem_read(a + 4000, back, 2);
    ok(back[0] == 0, "and ends there");
    hal_frame_free(a);
    hal_frame_free(b);
}

/* ---- Page tables --------------------------------------------------------------------------- */

#define CODE  HAL_USER_BASE
#define DATA  0x40000000ull
#define FAR   0x7f0000000000ull
#define LARGE (2ull << 20)

static bool maps_to(struct hal_page_table *table, zx_vaddr_t at, hal_paddr_t want,
                    uint32_t want_flags)
{
    hal_paddr_t paddr = 0;
    uint32_t flags = 0;

    if (hal_page_table_query(table, at, &paddr, &flags) != ZX_OK)
        return false;
    if (paddr != want || flags != want_flags)
        say("# 0x%llx flags %u\n", (unsigned long long)paddr, flags);
    return paddr == want && flags == want_flags;
}

static bool unmapped(struct hal_page_table *table, zx_vaddr_t at)
{
    return hal_page_table_query(table, at, NULL, NULL) == ZX_ERR_NOT_FOUND;
}

static void test_page_tables(void)
{
    const uint32_t rw = HAL_MAP_READ | HAL_MAP_WRITE;
    uint64_t before = free_frames();
    struct hal_page_table *table;
    hal_paddr_t list[3], large;
    struct hal_memory_stats stats;

    ok(hal_page_table_create(&table) == ZX_OK, "create");
    ok(unmapped(table, DATA) && unmapped(table, FAR), "empty at first");
    ok(unmapped(table, 0xffffffff80100000) && unmapped(table, 0xffff800000000000),
       "kernel addresses are not mapped for users");
    ok(hal_page_table_map(table, DATA, 0x5000, 3, rw) == ZX_OK, "map 3");
    ok(maps_to(table, DATA, 0x5000, rw) && maps_to(table, DATA + 0x2000, 0x7000, rw),
       "two of them");
    ok(unmapped(table, DATA + 0x3000) && unmapped(table, DATA - 0x1000), "no neighbours");
    list[0] = 0x9000, list[1] = 0x3000, list[2] = 0x6000;
    ok(hal_page_table_map_many(table, FAR + LARGE - 0x1000, list, 3, HAL_MAP_EXECUTE) == ZX_OK,
       "map_many over a table's end");
    ok(maps_to(table, FAR + LARGE - 0x1000, 0x9000, HAL_MAP_READ | HAL_MAP_EXECUTE) &&
           maps_to(table, FAR + LARGE + 0x1000, 0x6000, HAL_MAP_READ | HAL_MAP_EXECUTE),
       "in order, readable by implication");
    ok(hal_page_table_map(table, DATA + 0x1000, 0xa000, 1, HAL_MAP_READ) == ZX_OK &&
           maps_to(table, DATA + 0x1000, 0xa000, HAL_MAP_READ),
       "replaced");
    ok(hal_page_table_protect(table, DATA, 100000, HAL_MAP_READ) == ZX_OK &&
           maps_to(table, DATA, 0x5000, HAL_MAP_READ),
       "protect over holes");
    ok(hal_page_table_protect(table, DATA, 1, 0) == ZX_OK && unmapped(table, DATA),
       "protection without access unmaps");
    ok(hal_page_table_map(table, DATA + 0x5000, 0xb000, 1, rw | HAL_MAP_UNCACHED) == ZX_OK &&
           maps_to(table, DATA + 0x5000, 0xb000, rw | HAL_MAP_UNCACHED),
       "uncached");
    hal_page_table_unmap(table, HAL_USER_BASE, (HAL_USER_TOP - HAL_USER_BASE) / HAL_PAGE_SIZE);
    ok(unmapped(table, DATA + 0x1000) && unmapped(table, FAR + LARGE), "unmap everything");
    hal_memory_stats(&stats);
    is(stats.page_table_frames, 1, "empty tables were freed");

    ok(hal_frame_alloc_contiguous(512, 21, &large) == ZX_OK, "2 MiB of memory");
    ok(hal_page_table_map(table, DATA + 0x1000, 0xc000, 1, rw) == ZX_OK, "a small page first");
    ok(hal_page_table_map(table, DATA, large, 512 + 2, rw) == ZX_OK, "a large page over it");
    hal_memory_stats(&stats);
    is(stats.page_table_frames, 4, "needs no table of its own"); /* one for the 2 behind */
    ok(maps_to(table, DATA + 0x1ff000, large + 0x1ff000, rw), "its last page");
    ok(hal_page_table_protect(table, DATA + 0x3000, 1, HAL_MAP_READ) == ZX_OK &&
           maps_to(table, DATA + 0x3000, large + 0x3000, HAL_MAP_READ) &&
           maps_to(table, DATA + 0x4000, large + 0x4000, rw),
       "protection splits it");
    ok(hal_page_table_map(table, DATA, large, 512, rw) == ZX_OK &&
           maps_to(table, DATA + 0x3000, large + 0x3000, rw),
       "made large again");
    hal_page_table_unmap(table, DATA + 0x10000, 1);
    ok(unmapped(table, DATA + 0x10000) && maps_to(table, DATA + 0x11000, large + 0x11000, rw) &&
           maps_to(table, DATA + 0xf000, large + 0xf000, rw),
       "unmapping one page splits it");
    hal_page_table_destroy(table);
    for (unsigned i = 0; i < 512; i++)
        hal_frame_free(large + i * HAL_PAGE_SIZE);
    is(free_frames(), before, "destroy frees all tables");
}

/* ---- A user address space for the rest ------------------------------------------------------ */

extern const uint8_t user_page[], user_end[];

static struct {
    struct hal_page_table *table;
    struct hal_context context, other;
    struct hal_trap trap;
    hal_paddr_t code, data;
} user;

static void user_setup(void)
{
    hal_paddr_t frame;

    hal_page_table_create(&user.table);
    hal_frame_alloc(HAL_FRAME_ZEROED, &user.code);
    hal_frame_alloc(HAL_FRAME_ZEROED, &user.data);
    frame = user.data;
    hal_pmem_write(user.code, user_page, HAL_PAGE_SIZE);
    hal_page_table_map(user.table, CODE, user.code, 1, HAL_MAP_READ | HAL_MAP_EXECUTE);
    hal_page_table_map_many(user.table, DATA, &frame, 1, HAL_MAP_READ | HAL_MAP_WRITE);
    hal_page_table_activate(user.table);
    hal_context_init(&user.context);
    hal_context_init(&user.other);
}

/* Where a program of user.S is in user memory. */
#define ADDRESS(program) (CODE + (uint64_t)((program)-user_page))

static struct hal_regs *start(struct hal_context *context, const uint8_t *program)
{
    memset(&context->regs, 0, sizeof context->regs);
    context->regs.rip = ADDRESS(program);
    context->regs.rsp = DATA + 0x1000;
    return &context->regs;
}

/* Runs until something else than an interrupt happens. */
static struct hal_trap *run(struct hal_context *context)
{
    do
        hal_context_run(context, &user.trap);
    while (user.trap.kind == HAL_TRAP_INTERRUPT);
    return &user.trap;
}

static bool is_exception(const struct hal_trap *trap, uint32_t vector, uint64_t error)
{
    bool good =
        trap->kind == HAL_TRAP_EXCEPTION && trap->vector == vector && trap->error_code == error;

    if (!good)
        say("# kind %u vector %u error 0x%llx address 0x%llx rip 0x%llx\n", trap->kind,
            trap->vector, (unsigned long long)trap->error_code, (unsigned long long)trap->address,
            (unsigned long long)user.context.regs.rip);
    return good;
}

static void test_user_copies(void)
{
    static uint8_t pattern[0x1800], back[0x1800];
    struct hal_page_table *table = user.table;
    hal_paddr_t frame;
    uint32_t word = 0;
    size_t n = 99;

    hal_frame_alloc(HAL_FRAME_ZEROED, &frame);
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 3 + i / 256);
    ok(hal_user_write(table, DATA + 0x10, pattern, 1000, &n) == ZX_OK && n == 1000, "write");
    ok(hal_user_read(table, DATA + 0x10, back, 1000, &n) == ZX_OK && n == 1000 &&
           memcmp(pattern, back, 1000) == 0,
       "read");
    ok(hal_user_write(table, DATA + 0xff0, pattern, 100, &n) == ZX_ERR_NOT_FOUND && n == 16,
       "write up to a missing page");
    hal_page_table_map(table, DATA + 0x1000, frame, 1, HAL_MAP_READ | HAL_MAP_WRITE);
    ok(hal_user_write(table, DATA + 0x800, pattern, sizeof pattern, &n) == ZX_OK &&
           n == sizeof pattern &&
           hal_user_read(table, DATA + 0x800, back, sizeof back, &n) == ZX_OK &&
           memcmp(pattern, back, sizeof back) == 0,
       "over two frames that are not neighbours");
    hal_page_table_protect(table, DATA + 0x1000, 1, HAL_MAP_READ);
    ok(hal_user_write(table, DATA + 0x1000, pattern, 1, &n) == ZX_ERR_NOT_FOUND && n == 0,
       "no write without permission");
    ok(hal_user_read(table, DATA + 0x1000, back, 1, &n) == ZX_OK, "but read");
    ok(hal_user_read(table, 0, back, 1, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, HAL_USER_BASE - 1, back, 1, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, HAL_USER_TOP, back, 1, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, 0xffff800000000000, back, 1, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, 0xffffffff80100000, back, 1, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, UINT64_MAX - 3, back, 8, &n) == ZX_ERR_NOT_FOUND &&
           hal_user_read(table, 0xffffffffffe00000, back, 1, &n) == ZX_ERR_NOT_FOUND,
       "nothing outside the user range");
    ok(hal_user_read(table, 0, back, 0, &n) == ZX_OK && n == 0, "length 0");
    ok(hal_user_to_pmem(table, DATA + 0x800, frame, 64, &n) == ZX_OK &&
           hal_pmem_to_user(table, DATA, frame, 64, &n) == ZX_OK &&
           hal_user_read(table, DATA, back, 64, &n) == ZX_OK && memcmp(back, pattern, 64) == 0,
       "user to frame to user");
    ok(hal_user_read_u32(table, DATA + 4, &word) == ZX_OK && memcmp(&word, pattern + 4, 4) == 0,
       "a word");
    ok(hal_user_read_u32(table, DATA + 0x2000, &word) == ZX_ERR_NOT_FOUND, "a missing word");
    hal_page_table_unmap(table, DATA + 0x1000, 1);
    hal_frame_free(frame);
}

/* ---- System calls and registers ------------------------------------------------------------- */

static bool same_registers(const struct hal_regs *a, const struct hal_regs *b)
{
    const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;
    bool same = true;

    for (unsigned i = 0; i < 16; i++)
        if (x[i] != y[i]) {
            say("# register %u is 0x%llx, want 0x%llx\n", i, (unsigned long long)x[i],
                (unsigned long long)y[i]);
            same = false;
        }
    return same;
}

extern const uint8_t user_bases[], user_selectors[], user_read_selectors[];
extern const uint8_t user_syscall[], user_syscall_return[], user_syscall_loop[], user_syscall_std[];

static void test_syscalls(void)
{
    struct hal_regs *regs = start(&user.context, user_syscall), want;
    uint64_t *words = (uint64_t *)regs;
    struct hal_trap *trap;

    for (unsigned i = 0; i < 16; i++)
        if (i != 7)
            words[i] = 0x1111111100000000ull * (i + 1) + i;
    regs->rflags = 0x202 | 0x8d5; /* all arithmetic flags */
    want = *regs;
    trap = run(&user.context);
    is(trap->kind, HAL_TRAP_SYSCALL, "syscall");
    is(regs->rip, ADDRESS(user_syscall_return), "rip is the return address");
    is(regs->rflags & 0xad7, 0x202 | 0x8d5, "flags");
    want.rcx = regs->rcx;
    want.r11 = regs->r11;
    ok(same_registers(regs, &want), "all registers arrive");

    want.rax = regs->rax = (uint64_t)-25;
    trap = run(&user.context); /* leaves by sysretq where there is one */
    ok(is_exception(trap, 6, 0), "ud2 behind it");
    ok(same_registers(regs, &want), "only rax has changed");
    is(regs->rflags & 0xad7, 0x202 | 0x8d5, "flags are back");

    for (unsigned i = 0; i < 16; i++)
        words[i] = 0x0123456789abcdefull * (i + 3);
    regs->rip = ADDRESS(user_syscall_return);
    regs->rflags = 0x202;
    want = *regs;
    trap = run(&user.context);
    ok(is_exception(trap, 6, 0) && same_registers(regs, &want),
       "every register can be set, rcx, r11 and rsp too");

    start(&user.context, user_syscall_std);
    is(run(&user.context)->kind, HAL_TRAP_SYSCALL, "syscall with the direction flag set");
    ok(user.context.regs.rflags & 0x400, "which the program keeps");
    ok(is_exception(run(&user.context), 6, 0), "and goes on");
}

static unsigned handled;
static uint64_t new_fs;

static int64_t handle(struct hal_context *context)
{
    handled++;
    if (new_fs)
        context->regs.fs_base = new_fs;
    if (new_fs || handled % 4 == 0)
        hal_context_stop();
    return handled * 100;
}

/* Four system calls, three of which the handler answers at once. */
static void test_handler(void)
{
    static const uint64_t value = 0x77;
    struct hal_regs *regs = start(&user.context, user_syscall), want;
    uint64_t *words = (uint64_t *)regs;
    size_t n;

    hal_set_syscall_handler(handle);
    for (unsigned i = 0; i < 16; i++)
        if (i != 7)
            words[i] = 0x0f0f0f0f00000000ull * (i + 1) + i;
    want = *regs;
    handled = 0;
    ok(is_exception(run(&user.context), 6, 0) && handled == 1, "a call answered by the handler");
    want.rax = 100;
    want.rcx = regs->rcx;
    want.r11 = regs->r11;
    ok(same_registers(regs, &want), "only rax has changed");
    is(regs->rcx, ADDRESS(user_syscall_return), "rcx is the return address");
    start(&user.context, user_syscall_loop);
    is(run(&user.context)->kind, HAL_TRAP_SYSCALL, "until it stops the context");
    ok(handled == 4 && user.trap.result == 400, "having been called each time");
    hal_user_write(user.table, DATA, &value, sizeof value, &n);
    start(&user.context, user_bases);
    regs->fs_base = regs->gs_base = DATA + 8;
    new_fs = DATA;
    run(&user.context);
    new_fs = 0;
    ok(handled == 5 && user.trap.result == 500, "a call that changes a base stops");
    run(&user.context);
    ok(handled == 8 && regs->rax == value, "the changed base is in force");
    hal_timer_arm(hal_now() - 1);
    regs->rip = ADDRESS(user_syscall_loop);
    hal_context_run(&user.context, &user.trap);
    hal_set_syscall_handler(NULL);
    ok(user.trap.kind == HAL_TRAP_INTERRUPT || user.trap.kind == HAL_TRAP_SYSCALL,
       "interrupts, too");
    hal_timer_arm(ZX_TIME_INFINITE);
}

/* What write_state may put into a context; none of it may hurt the kernel. */
static void test_hostile_registers(void)
{
    static const uint64_t holes[] = {0x0000800000000000, 0x8000000000000000, 0xfffe000000000000,
                                     0xffff7fffffffffff};
    struct hal_regs *regs;
    struct hal_trap *trap;
    bool good = true;

    for (unsigned i = 0; i < 4; i++) {
        for (unsigned syscall = 0; syscall < 2; syscall++) {
            regs = start(&user.context, user_syscall);
            regs->rip = holes[i];
            regs->rcx = syscall ? holes[i] : 0;
            regs->r11 = regs->rflags;
            good = good && is_exception(run(&user.context), 13, 0) && regs->rip == holes[i];
        }
    }
    ok(good, "rip between the halves is #GP");
    regs = start(&user.context, user_syscall);
    regs->rip = regs->rcx = 0xffffffff80100000;
    trap = run(&user.context);
    ok(trap->kind == HAL_TRAP_PAGE_FAULT && trap->address == 0xffffffff80100000 &&
           regs->rip == 0xffffffff80100000,
       "rip in the kernel is a page fault");
    regs = start(&user.context, user_syscall);
    regs->rflags = regs->r11 = ~0ull & ~0x100ull & ~0x40000ull;
    regs->rcx = regs->rip;
    trap = run(&user.context);
    is(trap->kind, HAL_TRAP_SYSCALL, "all flags set");
    is(regs->rflags & 0x1b7000 & ~0x4000ull, 0, "IOPL, VM, RF, VIF and VIP are not");
    regs = start(&user.context, user_syscall);
    regs->rflags = 0;
    trap = run(&user.context);
    ok(trap->kind == HAL_TRAP_SYSCALL && regs->rflags & 0x200, "interrupts cannot be switched off");
    for (unsigned i = 0; i < 4; i++) {
        regs = start(&user.context, user_syscall);
        regs->fs_base = holes[i];
        good = good && is_exception(run(&user.context), 13, 0);
        regs->fs_base = 0;
        regs->gs_base = holes[i];
        good = good && is_exception(run(&user.context), 13, 0);
    }
    ok(good, "a base between the halves is #GP");
    regs = start(&user.context, user_syscall);
    regs->rsp = holes[1];
    trap = run(&user.context);
    ok(trap->kind == HAL_TRAP_SYSCALL && regs->rsp == holes[1], "any rsp comes back");
}

static void test_bases(void)
{
    static const uint64_t values[2] = {0x1234, 0x5678};
    struct hal_regs *regs, *other;
    size_t n;

    hal_user_write(user.table, DATA, values, sizeof values, &n);
    regs = start(&user.context, user_bases);
    regs->fs_base = DATA;
    regs->gs_base = DATA + 8;
    run(&user.context);
    ok(regs->rax == 0x1234 && regs->rbx == 0x5678, "FS and GS bases");
    regs->fs_base = DATA + 8;
    run(&user.context);
    ok(regs->rax == 0x5678 && regs->rbx == 0x5678, "changed between two runs");
    other = start(&user.other, user_bases);
    other->fs_base = other->gs_base = DATA;
    run(&user.other);
    ok(other->rax == 0x1234 && other->rbx == 0x1234, "another context has its own");
    run(&user.context);
    ok(regs->rax == 0x5678 && regs->rbx == 0x5678, "and the first still its");
    other = start(&user.other, user_selectors);
    other->fs_base = other->gs_base = DATA + 8;
    is(run(&user.other)->kind, HAL_TRAP_SYSCALL, "a program that loads selectors");
    regs->fs_base = DATA + 8;
    run(&user.context);
    ok(regs->rax == 0x5678 && regs->rbx == 0x5678, "does not change another's bases");
    run(&user.other);
    regs = start(&user.context, user_read_selectors);
    run(&user.context);
    if (software_kvm)
        ok(true, "nor its selectors # SKIP an emulated ring 0 does not see them");
    else
        ok((regs->rax | regs->rbx | regs->rcx | regs->rdx) == 0, "nor its selectors");
}

/* ---- Faults and exceptions ------------------------------------------------------------------ */

extern const uint8_t user_load[], user_store[], user_jump[];

static bool is_fault(uint64_t address, uint32_t access)
{
    struct hal_trap *trap = run(&user.context);
    bool good =
        trap->kind == HAL_TRAP_PAGE_FAULT && trap->address == address && trap->access == access;

    if (!good)
        say("# kind %u address 0x%llx access %u\n", trap->kind, (unsigned long long)trap->address,
            trap->access);
    return good;
}

static void test_page_faults(void)
{
    struct hal_regs *regs = start(&user.context, user_load);
    hal_paddr_t frame;
    uint64_t value = 0xabcdef;
    size_t n;

    regs->rdi = DATA + 0x3008;
    ok(is_fault(DATA + 0x3008, 0), "read of a missing page");
    hal_frame_alloc(HAL_FRAME_ZEROED, &frame);
    hal_page_table_map(user.table, DATA + 0x3000, frame, 1, HAL_MAP_READ);
    hal_pmem_write(frame + 8, &value, sizeof value);
    ok(is_exception(run(&user.context), 6, 0) && regs->rax == value,
       "mapped, the load is done again");
    regs = start(&user.context, user_store);
    regs->rdi = DATA + 0x3000;
    ok(is_fault(DATA + 0x3000, HAL_FAULT_WRITE | HAL_FAULT_PRESENT), "write to a read-only page");
    hal_page_table_protect(user.table, DATA + 0x3000, 1, HAL_MAP_WRITE);
    ok(is_exception(run(&user.context), 6, 0), "permitted, the store is done again");
    regs = start(&user.context, user_jump);
    regs->rdi = DATA + 0x3000;
    ok(is_fault(DATA + 0x3000, HAL_FAULT_EXECUTE | HAL_FAULT_PRESENT), "execution of data");
    regs = start(&user.context, user_store);
    regs->rdi = CODE;
    ok(is_fault(CODE, HAL_FAULT_WRITE | HAL_FAULT_PRESENT), "write to code");
    regs = start(&user.context, user_load);
    regs->rdi = 0xffff800000000000;
    ok(run(&user.context)->kind == HAL_TRAP_PAGE_FAULT && user.trap.address == 0xffff800000000000,
       "the direct map is not for users");
    regs = start(&user.context, user_load);
    regs->rdi = 0xffffffff80100000;
    ok(run(&user.context)->kind == HAL_TRAP_PAGE_FAULT, "nor is the kernel");
    hal_page_table_unmap(user.table, DATA + 0x3000, 1);
    regs = start(&user.context, user_load);
    regs->rdi = DATA + 0x3000;
    ok(is_fault(DATA + 0x3000, 0), "an unmapped page is gone at once");
    hal_page_table_map(user.table, DATA + 0x3000, frame, 1, HAL_MAP_READ);
    hal_user_write(user.table, DATA + 0x3000, &value, 8, &n);
    hal_page_table_map(user.table, DATA + 0x3000, hal_frame_zero(), 1, HAL_MAP_READ);
    run(&user.context);
    is(regs->rax, 0, "a replaced page is, too");
    hal_page_table_unmap(user.table, DATA + 0x3000, 1);
    hal_frame_free(frame);
}

extern const uint8_t user_divide[], user_icebp[], user_single_step[], user_int3[], user_ud2[],
    user_int80[], user_int14[], user_int32[], user_hlt[], user_cli[], user_in[], user_out_call[],
    user_read_cr0[], user_rdmsr[], user_wrfsbase[], user_bad_selector[], user_noncanonical[],
    user_stack[], user_alignment[], user_x87[], user_simd[];

static void test_exceptions(void)
{
    static const struct {
        const char *name;
        const uint8_t *program;
        uint32_t vector, error;
        char not_on; /* S: the software KVM makes a #UD of it; T: TCG makes something else of it; B:
                        both */
    } cases[] = {
        {"divide error", user_divide, 0, 0, 0},
        {"icebp", user_icebp, 1, 0, 'T'},
        {"single step", user_single_step, 1, 0, 0},
        {"breakpoint", user_int3, 3, 0, 0},
        {"invalid opcode", user_ud2, 6, 0, 0},
        {"int 0x80", user_int80, 13, 0x80 * 8 + 2, 'B'},
        {"int 14", user_int14, 13, 14 * 8 + 2, 'B'},
        {"int 32", user_int32, 13, 32 * 8 + 2, 'B'},
        {"hlt", user_hlt, 13, 0, 0},
        {"cli", user_cli, 13, 0, 0},
        {"in", user_in, 13, 0, 0},
        {"out to the hypercall port", user_out_call, 13, 0, 0},
        {"mov from cr0", user_read_cr0, 13, 0, 0},
        {"rdmsr", user_rdmsr, 13, 0, 0},
        {"wrfsbase", user_wrfsbase, 6, 0, 'S'},
        {"a system selector", user_bad_selector, 13, 0x40, 0},
        {"a non-canonical address", user_noncanonical, 13, 0, 0},
        {"a non-canonical stack", user_stack, 12, 0, 'T'},
        {"alignment check", user_alignment, 17, 0, 'T'},
        {"x87 error", user_x87, 16, 0, 0},
        {"SIMD error", user_simd, 19, 0, 'T'},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(&user.context, cases[i].program);
        run(&user.context);
        if ((software_kvm && (cases[i].not_on == 'S' || cases[i].not_on == 'B')) ||
            (tcg && (cases[i].not_on == 'T' || cases[i].not_on == 'B')))
            ok(user.trap.kind != HAL_TRAP_INTERRUPT, "%s # SKIP differs on this machine",
               cases[i].name);
        else
            ok(is_exception(&user.trap, cases[i].vector, cases[i].error), "%s", cases[i].name);
    }
}

/* ---- FPU ------------------------------------------------------------------------------------ */

extern const uint8_t user_fpu[], user_fpu_store[], user_avx[];

struct fpu_image {
    uint64_t xmm[32];
    uint32_t mxcsr;
    uint16_t fcw, fsw;
};

static void fill(struct fpu_image *image, uint64_t seed)
{
    for (unsigned i = 0; i < 32; i++)
        image->xmm[i] = seed * (i + 1);
    image->mxcsr = 0x1f80 | (seed & 1 ? 0x6000 : 0x2000); /* a rounding mode each */
    image->fcw = image->fsw = 0;
}

static void test_fpu(void)
{
    static struct fpu_image a, b, back;
    static struct hal_fpu_view view;
    struct hal_regs *regs = start(&user.context, user_fpu), *other = start(&user.other, user_fpu);
    struct hal_context third;
    size_t n;

    fill(&a, 0x0101010101010101);
    fill(&b, 0x2020202020202020);
    hal_user_write(user.table, DATA, &a, sizeof a, &n);
    hal_user_write(user.table, DATA + 0x200, &b, sizeof b, &n);
    regs->rdi = DATA, regs->rsi = DATA + 0x400;
    other->rdi = DATA + 0x200, other->rsi = DATA + 0x600;
    run(&user.context);
    run(&user.other);
    run(&user.context);
    hal_user_read(user.table, DATA + 0x400, &back, sizeof back, &n);
    ok(memcmp(back.xmm, a.xmm, sizeof a.xmm) == 0 && back.mxcsr == a.mxcsr,
       "first context's registers");
    is(back.fsw >> 11 & 7, 7, "its x87 stack has one value");
    run(&user.other);
    hal_user_read(user.table, DATA + 0x600, &back, sizeof back, &n);
    ok(memcmp(back.xmm, b.xmm, sizeof b.xmm) == 0 && back.mxcsr == b.mxcsr, "second context's");

    ok(hal_context_init(&third) == ZX_OK, "a third context");
    regs = start(&third, user_fpu_store);
    regs->rsi = DATA + 0x400;
    run(&third);
    run(&third);
    hal_user_read(user.table, DATA + 0x400, &back, sizeof back, &n);
    memset(&a.xmm, 0, sizeof a.xmm);
    ok(memcmp(back.xmm, a.xmm, sizeof a.xmm) == 0 && back.mxcsr == 0x1f80 && back.fcw == 0x37f &&
           back.fsw == 0,
       "starts from the initial state");

    hal_context_get_fpu(&user.other, &view);
    ok(memcmp(view.fxsave + 160, b.xmm, sizeof b.xmm) == 0 &&
           memcmp(view.fxsave + 24, &b.mxcsr, 4) == 0,
       "seen from the kernel");
    for (unsigned i = 0; i < 16; i++)
        view.fxsave[160 + i] = 0xab;
    memset(view.fxsave + 24, 0xff, 4);
    hal_context_set_fpu(&third, &view); /* it is the one in the processor */
    run(&third);
    hal_user_read(user.table, DATA + 0x400, &back, sizeof back, &n);
    ok(back.xmm[0] == 0xabababababababab && back.xmm[2] == b.xmm[2], "set from the kernel");
    ok(back.mxcsr != 0xffffffff && back.mxcsr & 0x1f80, "without MXCSR bits that would fault");
    hal_context_destroy(&third);
    ok(hal_context_init(&third) == ZX_OK, "a context in the same place");
    hal_context_get_fpu(&third, &view);
    ok(view.fxsave[0] == 0x7f && view.fxsave[1] == 3 && view.fxsave[160] == 0,
       "is in its initial state");
    view.fxsave[176] = 0x5a;
    hal_context_set_fpu(&third, &view); /* never ran */
    regs = start(&third, user_fpu_store);
    regs->rsi = DATA + 0x400;
    run(&third);
    run(&third);
    hal_user_read(user.table, DATA + 0x400, &back, sizeof back, &n);
    is(back.xmm[2], 0x5a, "and can be set before it runs");
    hal_context_destroy(&third);
}

/* Upper halves of ymm registers, where the machine has them. */
static void test_avx(void)
{
    static struct hal_fpu_view view;
    struct hal_regs *regs = start(&user.context, user_avx);
    struct hal_trap *trap;
    uint64_t values[4] = {1, 2, 3, 4}, back[4];
    size_t n;

    hal_user_write(user.table, DATA, values, sizeof values, &n);
    regs->rdi = DATA, regs->rsi = DATA + 0x100;
    trap = run(&user.context);
    if (software_kvm || (trap->kind == HAL_TRAP_EXCEPTION && trap->vector == 6)) {
        ok(true, "AVX # SKIP the kernel cannot save it here");
        return;
    }
    start(&user.other, user_syscall);
    run(&user.other);
    hal_context_get_fpu(&user.context, &view);
    ok(view.ymm_high[3 * 16] == 3 && view.ymm_high[3 * 16 + 8] == 4, "the upper half of ymm3");
    view.ymm_high[3 * 16] = 9;
    hal_context_set_fpu(&user.context, &view);
    run(&user.context);
    hal_user_read(user.table, DATA + 0x100, back, sizeof back, &n);
    ok(back[0] == 1 && back[1] == 2 && back[2] == 9 && back[3] == 4, "set from the kernel");
}

static void test_many_contexts(void)
{
    enum { COUNT = 40 };
    static struct hal_context contexts[COUNT];
    uint64_t before = free_frames();
    bool good = true;

    for (unsigned i = 0; i < COUNT; i++)
        good = good && hal_context_init(&contexts[i]) == ZX_OK;
    for (unsigned i = 0; i < COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            good = good && contexts[i].fpu != contexts[j].fpu;
    for (unsigned i = 0; i < COUNT; i++)
        hal_context_destroy(&contexts[(i * 7) % COUNT]);
    ok(good, "40 contexts");
    is(free_frames(), before, "leave nothing behind");
}

/* ---- Time ----------------------------------------------------------------------------------- */

extern const uint8_t user_spin[];

static void test_timer(void)
{
    struct hal_regs *regs = start(&user.context, user_spin);
    zx_time_t start_time = hal_now(), deadline, now;
    unsigned interrupts = 0;
    bool ordered = true;

    ok(start_time > 0 && hal_now() >= start_time, "the clock runs");
    for (unsigned i = 0; i < 5; i++) {
        deadline = hal_now() + 3000000;
        hal_timer_arm(deadline);
        do {
            hal_context_run(&user.context, &user.trap);
            interrupts++;
        } while (hal_now() < deadline && interrupts < 1000);
        ordered = ordered && user.trap.kind == HAL_TRAP_INTERRUPT;
    }
    now = hal_now();
    ok(ordered, "a loop in user mode is interrupted");
    ok(regs->rbx > 0, "having run");
    ok(interrupts < 20, "not too often");
    ok(now - start_time < 20000000000, "and soon");
    hal_timer_arm(hal_now() - 1000);
    hal_context_run(&user.context, &user.trap);
    is(user.trap.kind, HAL_TRAP_INTERRUPT, "a deadline in the past interrupts at once");
    hal_timer_arm(ZX_TIME_INFINITE);
}

/* Where hal-paravirt halts; there is none in a process. */
extern const uint8_t halt_instruction[] __attribute__((weak));

/*
 * An interrupt that comes before HLT, although STI should have held it back, ends it all the same.
 * IRETQ does not hold anything back, so it gets us there: with a return address for what follows
 * HLT, and the local APIC's deadline long past.
 */
static void test_interrupt_before_halt(void)
{
    if (software_kvm || !halt_instruction) {
        ok(true, "an interrupt before HLT ends idle # SKIP no local APIC here");
        return;
    }
    __asm__ volatile("wrmsr" : : "c"(0x6e0), "a"(1), "d"(0));
    __asm__ volatile("lea 1f(%%rip), %%rax; push %%rax; mov %%rsp, %%rdx\n\t"
                     "push $0x18; push %%rdx; push $0x202; push $0x10; push %0; iretq\n"
                     "1:"
                     :
                     : "r"(halt_instruction)
                     : "rax", "rdx", "memory", "cc");
    ok(true, "an interrupt before HLT ends idle");
}

/* lapic.c, where there is one. */
__attribute__((weak)) bool raise_timer_interrupt(void);
__attribute__((weak)) void stop_timer(void);

/* KVM may interrupt a little before the deadline; the timer has run out all the same. */
static void test_early_interrupt(void)
{
    zx_time_t deadline = hal_now() + 50000000;

    hal_timer_arm(deadline);
    if (software_kvm || !raise_timer_interrupt || !raise_timer_interrupt()) {
        ok(true, "an early interrupt ends idle # SKIP no local APIC here");
        return;
    }
    hal_idle();
    stop_timer();
    ok(hal_now() < deadline, "an early interrupt ends idle");
    while (hal_now() < deadline)
        hal_idle();
    ok(true, "and the deadline comes after it");
}

static void test_idle(void)
{
    zx_time_t start_time = hal_now(), deadline = start_time + 20000000;
    unsigned wakes = 0;

    hal_timer_arm(deadline);
    while (hal_now() < deadline && wakes < 1000) {
        hal_idle();
        wakes++;
    }
    ok(hal_now() >= deadline, "idle until a deadline");
    ok(wakes < 5, "without waking often");
    ok(hal_now() - deadline < 20000000000, "and not long after");
    hal_timer_arm(hal_now());
    hal_idle();
    ok(true, "a deadline that has passed ends idle");
    test_early_interrupt();
    hal_timer_arm(ZX_TIME_INFINITE);
    test_interrupt_before_halt();
    ok(hal_wall_clock_offset() > 1000000000ll * 1000000, "the wall clock is set");
}

/* ---- Console and entropy -------------------------------------------------------------------- */

static void test_console(void)
{
    static char line[30000];

    for (unsigned i = 0; i < sizeof line; i++)
        line[i] = i % 100 == 0 ? '#' : i % 100 == 99 ? '\n' : (char)('a' + i / 100 % 26);
    hal_console_write(line, sizeof line); /* longer than the ring */
    for (unsigned i = 0; i < sizeof line; i += 50)
        hal_console_write(line + i, 50); /* shorter, but many */
    ok(true, "60000 bytes of output");
}

static void test_entropy(void)
{
    uint8_t bytes[80] = {0}, more[8];

    hal_entropy(bytes, 5);
    hal_entropy(bytes + 5, 75);
    hal_entropy(more, 8);
    for (unsigned i = 0; i < 80; i += 16)
        say("# entropy %02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x\n",
            bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3], bytes[i + 4], bytes[i + 5],
            bytes[i + 6], bytes[i + 7], bytes[i + 8], bytes[i + 9], bytes[i + 10], bytes[i + 11],
            bytes[i + 12], bytes[i + 13], bytes[i + 14], bytes[i + 15]);
    ok(memcmp(more, bytes, 8) != 0, "entropy goes on");
}

/* Copies console input to the output until it ends. */
static void test_input(void)
{
    char buffer[64];
    size_t actual;
    unsigned waits = 0;
    zx_status_t status;

    while ((status = hal_console_read(buffer, sizeof buffer, &actual)) == ZX_OK) {
        hal_console_write(buffer, actual);
        if (actual == 0) {
            while (!(hal_events() & HAL_EVENT_CONSOLE))
                hal_idle();
            waits++;
        }
    }
    is((uint64_t)-status, (uint64_t)-ZX_ERR_PEER_CLOSED, "input ends with ZX_ERR_PEER_CLOSED");
    ok(hal_console_read(buffer, sizeof buffer, &actual) == ZX_ERR_PEER_CLOSED, "and stays so");
    ok(waits < 100, "without polling");
}

/* A line, then a long loop in user mode: the line must not wait for the loop's end. */
static void test_flush(void)
{
    zx_time_t end = hal_now() + 300000000;

    start(&user.context, user_spin);
    say("# this line is here while the loop runs\n");
    hal_timer_arm(end);
    while (hal_now() < end)
        hal_context_run(&user.context, &user.trap);
    ok(true, "the loop has ended");
}

/* ---- Figures -------------------------------------------------------------------------------- */

/* Prints what one round of `statement` costs; the first, which warms things up, does not count. */
#define MEASURE(name, rounds, statement)                                                           \
    do {                                                                                           \
        uint64_t before = 0;                                                                       \
        for (unsigned i = 0; i <= (rounds); i++) {                                                 \
            if (i == 1)                                                                            \
                before = rdtsc();                                                                  \
            statement;                                                                             \
        }                                                                                          \
        figure(name, rdtsc() - before, rounds);                                                    \
    } while (0)

static void figure(const char *name, uint64_t ticks, unsigned rounds)
{
    say("# %s: %llu ticks, %llu ns\n", name, (unsigned long long)(ticks / rounds),
        (unsigned long long)(ticks * boot->tick_numerator / boot->tick_denominator / rounds));
}

static unsigned calls;

static int64_t count_to_1000(struct hal_context *context)
{
    (void)context;
    if (++calls >= 1000)
        hal_context_stop();
    return 0;
}

static void measure_handler(void)
{
    uint64_t before;

    start(&user.context, user_syscall_loop);
    run(&user.context);
    hal_set_syscall_handler(count_to_1000);
    before = rdtsc();
    run(&user.context);
    figure("null system call answered by the handler", rdtsc() - before, 1000);
    hal_set_syscall_handler(NULL);
}

static void measure_traps(void)
{
    struct hal_context *const two[2] = {&user.context, &user.other};

    start(&user.context, user_syscall_loop);
    start(&user.other, user_syscall_loop);
    MEASURE("null system call and back", 2000, hal_context_run(&user.context, &user.trap));
    run(&user.other);
    MEASURE("null system call, another context each time", 2000,
            hal_context_run(two[i & 1], &user.trap));
    start(&user.context, user_load);
    MEASURE("page fault and back", 2000, hal_context_run(&user.context, &user.trap));
    MEASURE("arm a timer and a null system call", 100, {
        hal_timer_arm(hal_now() + 1000000);
        hal_context_run(&user.other, &user.trap);
        hal_timer_arm(ZX_TIME_INFINITE);
    });
    MEASURE("hal_now", 1000, hal_now());
    MEASURE("a marker (one exit)", 100, hal_marker(0x1000, i, NULL));
    MEASURE("64 bytes of entropy", 100, {
        uint8_t bytes[64];
        hal_entropy(bytes, sizeof bytes);
    });
}

static void measure_memory(void)
{
    static const size_t lengths[] = {8, 32, 64, 128, 192, 256, 1024, 4096};
    static uint8_t buffer[4096];
    hal_paddr_t frame;
    size_t n;

    for (unsigned l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        char name[40];

        format(name, sizeof name, "hal_user_read of %zu", lengths[l]);
        MEASURE(name, 200, hal_user_read(user.table, DATA, buffer, lengths[l], &n));
    }
    MEASURE("two address-space switches", 500, {
        hal_page_table_activate(NULL);
        hal_page_table_activate(user.table);
    });
    MEASURE("map and unmap a page beside others", 200, {
        hal_page_table_map(user.table, DATA + 0x10000, user.data, 1, HAL_MAP_READ);
        hal_page_table_unmap(user.table, DATA + 0x10000, 1);
    });
    MEASURE("map and unmap a page that needs 3 tables", 200, {
        hal_page_table_map(user.table, FAR, user.data, 1, HAL_MAP_READ);
        hal_page_table_unmap(user.table, FAR, 1);
    });
    MEASURE("allocate and free a frame", 200, {
        hal_frame_alloc(HAL_FRAME_ANY, &frame);
        hal_frame_free(frame);
    });
    MEASURE("the same zeroed", 200, {
        hal_frame_alloc(HAL_FRAME_ZEROED, &frame);
        hal_frame_free(frame);
    });
    MEASURE("make and destroy a page table", 100, {
        struct hal_page_table *table;
        hal_page_table_create(&table);
        hal_page_table_destroy(table);
    });
}

static void measure(void)
{
    measure_traps();
    measure_handler();
    measure_memory();
}

/* ---- Ends ----------------------------------------------------------------------------------- */

/* A frame larger than the stack, used from its far end. */
static __attribute__((noinline)) uint64_t overflow(uint64_t depth)
{
    volatile uint64_t filler[64];

    filler[0] = depth;
    return depth == 0 ? 0 : overflow(depth - 1) + filler[0];
}

static bool chosen(const char *name)
{
    const char *at = boot->cmdline;
    size_t length = strlen(name);

    for (; (at = strchr(at, 't')); at++)
        if (strncmp(at, "test=", 5) == 0)
            return strncmp(at + 5, name, length) == 0 && (at[5 + length] == ' ' || !at[5 + length]);
    return strcmp(name, "all") == 0;
}

static bool has_word(const char *word)
{
    for (const char *at = boot->cmdline; (at = strchr(at, word[0])); at++)
        if (strncmp(at, word, strlen(word)) == 0)
            return true;
    return false;
}

static void run_all(void)
{
    test_frames();
    test_pmem();
    test_page_tables();
    user_setup();
    test_user_copies();
    test_syscalls();
    test_handler();
    test_hostile_registers();
    test_bases();
    test_page_faults();
    test_exceptions();
    test_fpu();
    test_avx();
    test_many_contexts();
    test_timer();
    test_idle();
    test_console();
    test_entropy();
}

static void run_end(void)
{
    hal_paddr_t frame;

    if (chosen("panic"))
        hal_panic("this panic is a test");
    if (chosen("fault"))
        *(volatile uint32_t *)0x123456 = 1;
    if (chosen("overflow"))
        overflow(1 << 20);
    if (chosen("gp"))
        __asm__ volatile("movl $0, (%0)" : : "r"(0x8000000000000000));
    if (chosen("doublefree") && hal_frame_alloc(HAL_FRAME_ANY, &frame) == ZX_OK) {
        hal_frame_free(frame);
        hal_frame_free(frame);
    }
    if (chosen("exit"))
        hal_exit(42);
    if (chosen("nothing"))
        hal_exit(0);
}

void kernel_main(const struct hal_boot *given)
{
    boot = given;
    software_kvm = has_word("software");
    tcg = has_word("tcg");
    run_end();
    if (chosen("input")) {
        test_input();
    } else if (chosen("exhaustion")) {
        test_exhaustion();
    } else if (chosen("flush")) {
        user_setup();
        test_flush();
    } else if (chosen("measure")) {
        user_setup();
        measure();
    } else if (chosen("entropy")) {
        test_entropy();
    } else if (chosen("stack")) {
        say("# stack at %u of its page\n",
            (unsigned)((uintptr_t)__builtin_frame_address(0) % HAL_PAGE_SIZE));
    } else {
        run_all();
    }
    say("1..%u\n", done);
    hal_exit(failed ? 1 : 0);
}
