/*
 * fake-hal.c - the unit tests' machine; see fake-hal.h.
 */
#define _GNU_SOURCE
#include "fake-hal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <zircon/errors.h>

#include "list.h"

#define FRAME_BASE 0x200000ull /* physical address of the first frame */
#define MAX_FRAMES 262144u
#define JUNK       0xa5

struct frame {
    uint64_t owner;
    uint32_t next_free;
    uint32_t mapped; /* page-table entries that point here */
    bool allocated;
};

struct pte {
    RB_ENTRY(pte) link;
    uint64_t page;
    hal_paddr_t frame; /* may be a device's address, outside RAM */
    uint32_t flags;
};

static int pte_compare(struct pte *a, struct pte *b)
{
    return a->page < b->page ? -1 : a->page > b->page;
}
RB_HEAD(pte_tree, pte);
RB_GENERATE_STATIC(pte_tree, pte, link, pte_compare)

struct hal_page_table {
    struct pte_tree ptes;
    size_t pages;
};

static struct {
    uint8_t *memory;
    struct frame *frames;
    size_t num_frames;
    uint32_t first_free;
    size_t in_use, kernel_pages, tables, free_frames;
    uint64_t fail_frame, fail_map;
    uint64_t entropy;
    zx_time_t now, deadline;
    uint32_t events;
    void *cpu_data;
    char console[65536];
    size_t console_length;
    char input[4096];
    size_t input_length;
    bool input_ended;
} fake;

void (*fake_run)(struct hal_context *context, struct hal_trap *trap);
struct hal_page_table *fake_active_table;
jmp_buf *fake_catch;
char fake_panic_message[256];
int64_t fake_exit_code;
struct hal_boot fake_boot;

static _Noreturn void broken(const char *what, uint64_t value)
{
    fprintf(stderr, "fake HAL: contract broken: %s (0x%llx)\n", what, (unsigned long long)value);
    abort();
}

/* ---- Frames -------------------------------------------------------------------------------- */

static struct frame *frame_of(hal_paddr_t paddr)
{
    uint64_t n = (paddr - FRAME_BASE) / HAL_PAGE_SIZE;

    if (paddr < FRAME_BASE || n >= fake.num_frames)
        return NULL;
    return &fake.frames[n];
}

static uint8_t *bytes_at(hal_paddr_t paddr, size_t length)
{
    if (length == 0)
        return fake.memory;
    for (hal_paddr_t at = paddr & ~HAL_PAGE_MASK; at < paddr + length; at += HAL_PAGE_SIZE) {
        if (!frame_of(at) || !frame_of(at)->allocated)
            broken("access to a frame that is not allocated", at);
    }
    return fake.memory + (paddr - FRAME_BASE);
}

static uint32_t frame_number(hal_paddr_t paddr)
{
    return (uint32_t)((paddr - FRAME_BASE) / HAL_PAGE_SIZE);
}

void fake_reset(size_t frames, uint64_t seed)
{
    if (!fake.memory) {
        fake.memory = mmap(NULL, MAX_FRAMES * HAL_PAGE_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        fake.frames = calloc(MAX_FRAMES, sizeof *fake.frames);
        if (fake.memory == MAP_FAILED || !fake.frames)
            broken("no memory for the fake machine", 0);
    }
    fake.num_frames = frames ? frames : 16384;
    if (fake.num_frames > MAX_FRAMES)
        broken("too many frames", frames);
    memset(fake.frames, 0, fake.num_frames * sizeof *fake.frames);
    for (uint32_t i = 1; i < fake.num_frames; i++)
        fake.frames[i].next_free = i + 1 < fake.num_frames ? i + 1 : 0;
    fake.first_free = 1;
    fake.free_frames = fake.num_frames - 1;
    fake.frames[0].allocated = true; /* the zero frame */
    memset(fake.memory, 0, HAL_PAGE_SIZE);
    fake.in_use = fake.tables = 0;
    fake.fail_frame = fake.fail_map = 0;
    fake.entropy = seed * 2 + 1;
    fake.now = 1000000000;
    fake.deadline = ZX_TIME_INFINITE;
    fake.events = 0;
    fake.console_length = fake.input_length = 0;
    fake.console[0] = 0;
    fake.input_ended = false;
    fake_active_table = NULL;
    fake_run = NULL;
    fake_catch = NULL;
    fake_boot = (struct hal_boot){
        .cmdline = "",
        .memory_bytes = fake.num_frames * HAL_PAGE_SIZE,
        .num_cpus = 1,
        .tick_numerator = 1,
        .tick_denominator = 1,
        .ticks_per_second = 1000000000,
        .dcache_line_size = 64,
        .icache_line_size = 64,
        .vdso_ticks_in_user = true,
        .fault_around = 16,
    };
}

size_t fake_frames_in_use(void)
{
    return fake.in_use;
}

size_t fake_kernel_pages_in_use(void)
{
    return fake.kernel_pages;
}

size_t fake_page_tables(void)
{
    return fake.tables;
}

size_t fake_mapped_pages(struct hal_page_table *table)
{
    return table->pages;
}

void fake_fail_frame(uint64_t n)
{
    fake.fail_frame = n;
}

void fake_fail_map(uint64_t n)
{
    fake.fail_map = n;
}

static void take(struct frame *frame)
{
    frame->allocated = true;
    frame->owner = 0;
    fake.in_use++;
    fake.free_frames--;
}

zx_status_t hal_frame_alloc(enum hal_frame_flags flags, hal_paddr_t *out)
{
    uint32_t n = fake.first_free;

    if (fake.fail_frame && --fake.fail_frame == 0)
        return ZX_ERR_NO_MEMORY;
    if (n == 0)
        return ZX_ERR_NO_MEMORY;
    fake.first_free = fake.frames[n].next_free;
    take(&fake.frames[n]);
    *out = FRAME_BASE + n * HAL_PAGE_SIZE;
    memset(fake.memory + n * HAL_PAGE_SIZE, flags & HAL_FRAME_ZEROED ? 0 : JUNK, HAL_PAGE_SIZE);
    return ZX_OK;
}

static void unlink_free(uint32_t n)
{
    uint32_t *link = &fake.first_free;

    while (*link != n)
        link = &fake.frames[*link].next_free;
    *link = fake.frames[n].next_free;
}

zx_status_t hal_frame_alloc_contiguous(size_t count, unsigned align_log2, hal_paddr_t *out)
{
    size_t run = 0;

    if (fake.fail_frame && --fake.fail_frame == 0)
        return ZX_ERR_NO_MEMORY;
    for (uint32_t n = 1; n < fake.num_frames; n++) {
        hal_paddr_t first = FRAME_BASE + (n - run) * HAL_PAGE_SIZE;

        if (run == 0 && (first & ((1ull << align_log2) - 1)))
            continue;
        run = fake.frames[n].allocated ? 0 : run + 1;
        if (run < count || run == 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            unlink_free((uint32_t)(n - i));
            take(&fake.frames[n - i]);
        }
        *out = FRAME_BASE + (n + 1 - count) * HAL_PAGE_SIZE;
        memset(bytes_at(*out, count * HAL_PAGE_SIZE), JUNK, count * HAL_PAGE_SIZE);
        return ZX_OK;
    }
    return ZX_ERR_NO_MEMORY;
}

void hal_frame_free(hal_paddr_t paddr)
{
    struct frame *frame = frame_of(paddr);

    if (!frame || paddr & HAL_PAGE_MASK || paddr == hal_frame_zero() || !frame->allocated)
        broken("freeing a frame that is not allocated", paddr);
    if (frame->mapped)
        broken("freeing a frame that is mapped", paddr);
    frame->allocated = false;
    frame->next_free = fake.first_free;
    fake.first_free = frame_number(paddr);
    fake.in_use--;
    fake.free_frames++;
    memset(fake.memory + (paddr - FRAME_BASE), JUNK, HAL_PAGE_SIZE);
}

/* A copy: what the image does later is not seen. */
zx_status_t hal_image_frames(const void *start, size_t length, hal_paddr_t *out)
{
    zx_status_t status = hal_frame_alloc_contiguous(length / HAL_PAGE_SIZE, 12, out);

    if (status == ZX_OK)
        hal_pmem_write(*out, start, length);
    return status;
}

hal_paddr_t hal_frame_zero(void)
{
    return FRAME_BASE;
}

uint64_t *hal_frame_owner(hal_paddr_t paddr)
{
    struct frame *frame = frame_of(paddr);

    if (!frame || !frame->allocated)
        broken("owner of a frame that is not allocated", paddr);
    return &frame->owner;
}

void hal_memory_stats(struct hal_memory_stats *out)
{
    *out = (struct hal_memory_stats){
        .total_frames = fake.num_frames,
        .free_frames = fake.free_frames,
        .page_table_frames = fake.tables,
        .kernel_heap_frames = fake.kernel_pages,
    };
}

void *hal_kernel_alloc(size_t pages)
{
    void *block;

    if (pages > fake.num_frames)
        return NULL;
    block = aligned_alloc(HAL_PAGE_SIZE, pages * HAL_PAGE_SIZE);
    if (block) {
        memset(block, JUNK, pages * HAL_PAGE_SIZE);
        fake.kernel_pages += pages;
    }
    return block;
}

void hal_kernel_free(void *address, size_t pages)
{
    fake.kernel_pages -= pages;
    free(address);
}

struct hal_module fake_module(const void *bytes, size_t length)
{
    struct hal_module module = {.length = length};
    size_t pages = (length + HAL_PAGE_MASK) / HAL_PAGE_SIZE;

    if (hal_frame_alloc_contiguous(pages, 12, &module.paddr) != ZX_OK)
        broken("no frames for a module", length);
    memset(bytes_at(module.paddr, pages * HAL_PAGE_SIZE), 0, pages * HAL_PAGE_SIZE);
    memcpy(bytes_at(module.paddr, length), bytes, length);
    return module;
}

/* ---- Physical memory ----------------------------------------------------------------------- */

void hal_pmem_read(hal_paddr_t from, void *to, size_t length)
{
    memcpy(to, bytes_at(from, length), length);
}

static uint8_t *writable_at(hal_paddr_t at, size_t length)
{
    if (length && (at & ~HAL_PAGE_MASK) == hal_frame_zero())
        broken("writing the zero frame", at);
    return bytes_at(at, length);
}

void hal_pmem_write(hal_paddr_t to, const void *from, size_t length)
{
    memcpy(writable_at(to, length), from, length);
}

void hal_pmem_zero(hal_paddr_t at, size_t length)
{
    memset(writable_at(at, length), 0, length);
}

void hal_pmem_copy(hal_paddr_t to, hal_paddr_t from, size_t length)
{
    memcpy(writable_at(to, length), bytes_at(from, length), length);
}

/* ---- Page tables --------------------------------------------------------------------------- */

zx_status_t hal_page_table_create(struct hal_page_table **out)
{
    if (fake.fail_map && --fake.fail_map == 0)
        return ZX_ERR_NO_MEMORY;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ZX_ERR_NO_MEMORY;
    RB_INIT(&(*out)->ptes);
    fake.tables++;
    return ZX_OK;
}

static void remove_pte(struct hal_page_table *table, struct pte *pte)
{
    struct frame *frame = frame_of(pte->frame);

    if (frame)
        frame->mapped--;
    RB_REMOVE(pte_tree, &table->ptes, pte);
    table->pages--;
    free(pte);
}

void hal_page_table_range(const struct hal_page_table *table, zx_vaddr_t *base, zx_vaddr_t *top)
{
    (void)table;
    *base = HAL_USER_BASE;
    *top = HAL_USER_TOP;
}

void hal_page_table_destroy(struct hal_page_table *table)
{
    if (table == fake_active_table)
        fake_active_table = NULL;
    while (!RB_EMPTY(&table->ptes))
        remove_pte(table, RB_MIN(pte_tree, &table->ptes));
    free(table);
    fake.tables--;
}

static struct pte *find_pte(struct hal_page_table *table, zx_vaddr_t address)
{
    struct pte key = {.page = address / HAL_PAGE_SIZE};

    return RB_FIND(pte_tree, &table->ptes, &key);
}

static struct pte *next_pte(struct hal_page_table *table, zx_vaddr_t address)
{
    struct pte key = {.page = address / HAL_PAGE_SIZE};

    return RB_NFIND(pte_tree, &table->ptes, &key);
}

static void check_range(zx_vaddr_t address, size_t count)
{
    if (address & HAL_PAGE_MASK || address < HAL_USER_BASE || address > HAL_USER_TOP ||
        count > (HAL_USER_TOP - address) / HAL_PAGE_SIZE)
        broken("page table operation outside user space", address);
}

static zx_status_t map_one(struct hal_page_table *table, zx_vaddr_t address, hal_paddr_t paddr,
                           uint32_t flags)
{
    struct frame *frame = frame_of(paddr);
    struct pte *pte = find_pte(table, address);

    if (paddr & HAL_PAGE_MASK)
        broken("mapping an unaligned frame", paddr);
    if (frame && !frame->allocated)
        broken("mapping a free frame", paddr);
    if (paddr == hal_frame_zero() && flags & HAL_MAP_WRITE)
        broken("mapping the zero frame writable", address);
    if (fake.fail_map && --fake.fail_map == 0)
        return ZX_ERR_NO_MEMORY;
    if (pte)
        remove_pte(table, pte);
    pte = calloc(1, sizeof *pte);
    if (!pte)
        return ZX_ERR_NO_MEMORY;
    *pte = (struct pte){.page = address / HAL_PAGE_SIZE, .frame = paddr, .flags = flags};
    RB_INSERT(pte_tree, &table->ptes, pte);
    table->pages++;
    if (frame)
        frame->mapped++;
    return ZX_OK;
}

zx_status_t hal_page_table_map(struct hal_page_table *table, zx_vaddr_t address, hal_paddr_t paddr,
                               size_t count, uint32_t flags)
{
    zx_status_t status = ZX_OK;

    check_range(address, count);
    for (size_t i = 0; i < count && status == ZX_OK; i++)
        status = map_one(table, address + i * HAL_PAGE_SIZE, paddr + i * HAL_PAGE_SIZE, flags);
    return status;
}

zx_status_t hal_page_table_map_many(struct hal_page_table *table, zx_vaddr_t address,
                                    const hal_paddr_t *frames, size_t count, uint32_t flags)
{
    zx_status_t status = ZX_OK;

    check_range(address, count);
    for (size_t i = 0; i < count && status == ZX_OK; i++)
        status = map_one(table, address + i * HAL_PAGE_SIZE, frames[i], flags);
    return status;
}

void hal_page_table_unmap(struct hal_page_table *table, zx_vaddr_t address, size_t count)
{
    struct pte *pte, *next;
    uint64_t end = address / HAL_PAGE_SIZE + count;

    check_range(address, count);
    for (pte = next_pte(table, address); pte && pte->page < end; pte = next) {
        next = RB_NEXT(pte_tree, &table->ptes, pte);
        remove_pte(table, pte);
    }
}

zx_status_t hal_page_table_protect(struct hal_page_table *table, zx_vaddr_t address, size_t count,
                                   uint32_t flags)
{
    uint64_t end = address / HAL_PAGE_SIZE + count;

    check_range(address, count);
    if (fake.fail_map && --fake.fail_map == 0)
        return ZX_ERR_NO_MEMORY;
    for (struct pte *pte = next_pte(table, address); pte && pte->page < end;
         pte = RB_NEXT(pte_tree, &table->ptes, pte)) {
        if (pte->frame == hal_frame_zero() && flags & HAL_MAP_WRITE)
            broken("making the zero frame writable", address);
        pte->flags = flags;
    }
    return ZX_OK;
}

zx_status_t hal_page_table_query(struct hal_page_table *table, zx_vaddr_t address,
                                 hal_paddr_t *paddr, uint32_t *flags)
{
    struct pte *pte = find_pte(table, address);

    if (!pte)
        return ZX_ERR_NOT_FOUND;
    if (paddr)
        *paddr = pte->frame + (address & HAL_PAGE_MASK);
    if (flags)
        *flags = pte->flags;
    return ZX_OK;
}

void hal_page_table_activate(struct hal_page_table *table)
{
    fake_active_table = table;
}

/* ---- User copies --------------------------------------------------------------------------- */

/* The bytes of the user page at `address`, NULL if missing or not permitted. */
static uint8_t *user_page(struct hal_page_table *table, zx_vaddr_t address, bool write,
                          hal_paddr_t *paddr)
{
    struct pte *pte;

    if (address < HAL_USER_BASE || address >= HAL_USER_TOP)
        return NULL;
    pte = find_pte(table, address);
    if (!pte || !frame_of(pte->frame) || (write && !(pte->flags & HAL_MAP_WRITE)))
        return NULL;
    *paddr = pte->frame + (address & HAL_PAGE_MASK);
    return bytes_at(*paddr, 1);
}

enum direction { USER_TO_KERNEL, KERNEL_TO_USER };

static zx_status_t copy(struct hal_page_table *table, zx_vaddr_t user, uint8_t *kernel,
                        size_t length, size_t *done, enum direction direction)
{
    *done = 0;
    while (*done < length) {
        zx_vaddr_t at = user + *done;
        size_t part = HAL_PAGE_SIZE - (at & HAL_PAGE_MASK);
        hal_paddr_t paddr;
        uint8_t *page = user_page(table, at, direction == KERNEL_TO_USER, &paddr);

        if (!page)
            return ZX_ERR_NOT_FOUND;
        if (part > length - *done)
            part = length - *done;
        if (direction == USER_TO_KERNEL)
            memmove(kernel + *done, page, part);
        else
            memmove(page, kernel + *done, part);
        *done += part;
    }
    return ZX_OK;
}

zx_status_t hal_user_read(struct hal_page_table *table, zx_vaddr_t from, void *to, size_t length,
                          size_t *done)
{
    return copy(table, from, to, length, done, USER_TO_KERNEL);
}

zx_status_t hal_user_write(struct hal_page_table *table, zx_vaddr_t to, const void *from,
                           size_t length, size_t *done)
{
    return copy(table, to, (uint8_t *)(uintptr_t)from, length, done, KERNEL_TO_USER);
}

zx_status_t hal_user_to_pmem(struct hal_page_table *table, zx_vaddr_t from, hal_paddr_t to,
                             size_t length, size_t *done)
{
    return copy(table, from, writable_at(to, length), length, done, USER_TO_KERNEL);
}

zx_status_t hal_pmem_to_user(struct hal_page_table *table, zx_vaddr_t to, hal_paddr_t from,
                             size_t length, size_t *done)
{
    return copy(table, to, bytes_at(from, length), length, done, KERNEL_TO_USER);
}

zx_status_t hal_user_write_u32(struct hal_page_table *table, zx_vaddr_t to, uint32_t value)
{
    size_t done;

    if ((to & HAL_PAGE_MASK) > HAL_PAGE_SIZE - sizeof value)
        return ZX_ERR_NOT_FOUND;
    return hal_user_write(table, to, &value, sizeof value, &done);
}

zx_status_t hal_user_read_u32(struct hal_page_table *table, zx_vaddr_t from, uint32_t *value)
{
    size_t done;

    if (from & 3)
        broken("unaligned futex word", from);
    return hal_user_read(table, from, value, sizeof *value, &done);
}

/* ---- Contexts, CPU, end -------------------------------------------------------------------- */

/* No user code runs here. */
void hal_context_stop(void)
{
}

void *hal_cpu_data(void)
{
    return fake.cpu_data;
}

void hal_set_cpu_data(void *data)
{
    fake.cpu_data = data;
}

zx_status_t hal_context_init(struct hal_context *context)
{
    memset(context, 0, sizeof *context);
    context->regs.rflags = 0x202;
    context->debug.dr6 = 0xffff0ff0;
    context->debug.dr7 = 0x400;
    context->fpu = calloc(1, sizeof(struct hal_fpu_view));
    return context->fpu ? ZX_OK : ZX_ERR_NO_MEMORY;
}

void hal_context_destroy(struct hal_context *context)
{
    free(context->fpu);
    context->fpu = NULL;
}

void hal_context_run(struct hal_context *context, struct hal_trap *trap)
{
    memset(trap, 0, sizeof *trap);
    trap->kind = HAL_TRAP_INTERRUPT;
    if (fake_run)
        fake_run(context, trap);
}

void hal_context_get_fpu(struct hal_context *context, struct hal_fpu_view *out)
{
    memcpy(out, context->fpu, sizeof *out);
}

void hal_context_set_fpu(struct hal_context *context, const struct hal_fpu_view *in)
{
    memcpy(context->fpu, in, sizeof *in);
}

zx_status_t hal_context_get_debug(struct hal_context *context, struct hal_debug_regs *out)
{
    *out = context->debug;
    return ZX_OK;
}

zx_status_t hal_context_set_debug(struct hal_context *context, const struct hal_debug_regs *in)
{
    context->debug = *in;
    return ZX_OK;
}

static _Noreturn void stop(int how)
{
    if (fake_catch)
        longjmp(*fake_catch, how);
    abort();
}

_Noreturn void hal_panic(const char *message)
{
    snprintf(fake_panic_message, sizeof fake_panic_message, "%s", message);
    if (!fake_catch)
        fprintf(stderr, "kernel panic: %s\n", message);
    stop(1);
}

_Noreturn void hal_exit(int64_t code)
{
    fake_exit_code = code;
    stop(2);
}

void hal_marker(uint32_t id, uint64_t value, const char *name)
{
    (void)id;
    (void)value;
    (void)name;
}

/* ---- Time, events, console, entropy -------------------------------------------------------- */

void fake_set_now(zx_time_t now)
{
    fake.now = now;
}

void fake_advance(zx_duration_t by)
{
    fake.now += by;
}

zx_time_t fake_armed_deadline(void)
{
    return fake.deadline;
}

zx_ticks_t hal_ticks(void)
{
    return fake.now;
}

zx_time_t hal_now(void)
{
    return fake.now;
}

zx_time_t hal_wall_clock_offset(void)
{
    return 1600000000000000000;
}

void hal_set_ticks_offset(hal_paddr_t word)
{
    (void)word;
}

void hal_timer_arm(zx_time_t deadline)
{
    fake.deadline = deadline;
}

void fake_raise(uint32_t events)
{
    fake.events |= events;
}

uint32_t hal_events(void)
{
    uint32_t events = fake.events;

    fake.events = 0;
    return events;
}

void hal_idle(void)
{
    if (!fake.events && fake.deadline != ZX_TIME_INFINITE && fake.now < fake.deadline)
        fake.now = fake.deadline;
}

void hal_console_write(const char *text, size_t length)
{
    if (length > sizeof fake.console - 1 - fake.console_length)
        length = sizeof fake.console - 1 - fake.console_length;
    memcpy(fake.console + fake.console_length, text, length);
    fake.console_length += length;
    fake.console[fake.console_length] = 0;
}

void hal_console_flush(void)
{
}

const char *fake_console(void)
{
    return fake.console;
}

void fake_console_clear(void)
{
    fake.console_length = 0;
    fake.console[0] = 0;
}

void fake_console_input(const char *text, bool end)
{
    size_t length = strlen(text);

    if (length > sizeof fake.input - fake.input_length)
        broken("too much console input", length);
    memcpy(fake.input + fake.input_length, text, length);
    fake.input_length += length;
    fake.input_ended = end;
    fake.events |= HAL_EVENT_CONSOLE;
}

zx_status_t hal_console_read(char *buffer, size_t length, size_t *actual)
{
    if (fake.input_length == 0 && fake.input_ended)
        return ZX_ERR_PEER_CLOSED;
    *actual = length < fake.input_length ? length : fake.input_length;
    memcpy(buffer, fake.input, *actual);
    memmove(fake.input, fake.input + *actual, fake.input_length - *actual);
    fake.input_length -= *actual;
    return ZX_OK;
}

void hal_entropy(void *buffer, size_t length)
{
    uint8_t *to = buffer;

    while (length--) {
        fake.entropy ^= fake.entropy << 13;
        fake.entropy ^= fake.entropy >> 7;
        fake.entropy ^= fake.entropy << 17;
        *to++ = (uint8_t)(fake.entropy >> 24);
    }
}

/* No user code runs here, so nobody calls it. */
void hal_set_syscall_handler(hal_syscall_handler *handler)
{
    (void)handler;
}
