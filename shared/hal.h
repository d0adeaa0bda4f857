/*
 * hal.h - the contract between the kernel and the machine it runs on.
 *
 * hal-paravirt implements it on the virtual machine that zvmm makes, hal-libos on a Linux
 * process, tests/unit on a fake machine with a clock that the test moves. Everything above it
 * (runtime, object, syscall, guest) is the same code on all of them: no assembly, no #ifdef of a
 * platform, no pointer to physical memory. Grown from the thesis' table 3.1.
 *
 * Rules that hold for every function unless it says otherwise:
 *   - it runs on the CPU's kernel stack with interrupts off, holding the kernel lock;
 *   - sizes are bytes, times are nanoseconds of the monotonic clock (zx_time_t), user and
 *     physical addresses are plain integers that are never dereferenced above the HAL;
 *   - it does not block; ZX_ERR_NO_MEMORY leaves no trace.
 */
#ifndef ZVMM_SHARED_HAL_H
#define ZVMM_SHARED_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define HAL_PAGE_SIZE 4096ull
#define HAL_PAGE_MASK (HAL_PAGE_SIZE - 1)

typedef uint64_t hal_paddr_t; /* physical address of guest RAM or a device */

/* ---- Boot ---------------------------------------------------------------------------------- */

struct hal_module {
    hal_paddr_t paddr; /* page aligned; length 0: the module is absent */
    uint64_t length;   /* bytes; the rest of the last page reads as zero or belongs to the module */
};

/* What the machine was started with. Valid for ever; strings belong to the HAL. */
struct hal_boot {
    const char *cmdline; /* NUL-terminated, at most 4095 bytes */
    struct hal_module vdso, userboot, zbi;
    uint64_t memory_bytes;   /* RAM */
    uint32_t num_cpus;
    uint32_t tick_numerator; /* ns = ticks * numerator / denominator */
    uint32_t tick_denominator;
    uint64_t ticks_per_second;
    uint32_t dcache_line_size;
    uint32_t icache_line_size;
    bool vdso_ticks_in_user; /* user code may read the tick counter itself */
    uint32_t fault_around;   /* how many present pages a fault should enter, from 16 on */
};

/*
 * The kernel's entry, defined by guest/. The HAL calls it once on the boot CPU when memory,
 * traps, console and clock work. It never returns.
 */
_Noreturn void kernel_main(const struct hal_boot *boot);

#define HAL_FAULT_AROUND_MAX 128u /* of hal_boot.fault_around */

/* Ends the machine; the console is flushed first. `code` is a program's return code. */
_Noreturn void hal_exit(int64_t code);

/* Ends the machine as a kernel failure, with a report that shows `message` and a backtrace. */
_Noreturn void hal_panic(const char *message);

/* Names a point of the run for the VMM (snapshots, benchmarks). May do nothing. `name` is NULL or
 * text, of which at most 64 bytes are taken. */
void hal_marker(uint32_t id, uint64_t value, const char *name);

/* ---- Per-CPU data -------------------------------------------------------------------------- */

/*
 * One opaque pointer per CPU, kept for the kernel. NULL until set. There is one CPU today;
 * nothing above the HAL may assume it.
 */
void *hal_cpu_data(void);
void hal_set_cpu_data(void *data);

/* ---- Frames: physical memory in pages ------------------------------------------------------ */

/*
 * Every frame has a word-sized owner field that the kernel may use (`hal_frame_owner`); it is
 * zero when the frame is allocated.
 */

enum hal_frame_flags {
    HAL_FRAME_ANY = 0,      /* content undefined */
    HAL_FRAME_ZEROED = 1,   /* content zero; comes from the known-zero pool when it can */
};

/* O(1). ZX_ERR_NO_MEMORY when none is left. */
zx_status_t hal_frame_alloc(enum hal_frame_flags flags, hal_paddr_t *out);

/* `count` consecutive frames, the first aligned to 2^align_log2 (>= 12). Content undefined. */
zx_status_t hal_frame_alloc_contiguous(size_t count, unsigned align_log2, hal_paddr_t *out);

/* Gives one frame back. Precondition: allocated, mapped nowhere. O(1). */
void hal_frame_free(hal_paddr_t frame);

/* A frame that holds zeros for ever: map it read-only, never write or free it. */
hal_paddr_t hal_frame_zero(void);

/* Frames that boot modules occupy can be handed to VMOs; afterwards hal_frame_free takes them. */
uint64_t *hal_frame_owner(hal_paddr_t frame);

/*
 * Consecutive frames that are the same memory as a part of the kernel's image, whole pages, so that
 * VMOs can show it. They must never be given back. ZX_ERR_NO_MEMORY.
 */
zx_status_t hal_image_frames(const void *start, size_t length, hal_paddr_t *out);

struct hal_memory_stats {
    uint64_t total_frames;
    uint64_t free_frames;
    uint64_t page_table_frames;
    uint64_t kernel_heap_frames; /* handed out by hal_kernel_alloc */
    uint64_t wired_frames;       /* the kernel's image, its frame table and boot data */
};
void hal_memory_stats(struct hal_memory_stats *out);

/*
 * Kernel memory for runtime/heap.c: `pages` consecutive kernel-addressable pages, content
 * undefined, page aligned. NULL when there is none.
 */
void *hal_kernel_alloc(size_t pages);
void hal_kernel_free(void *address, size_t pages);

/* ---- Access to physical memory ------------------------------------------------------------- */

/* A range may cross frames if they are consecutive. Kernel pointers only; see hal_user_* below. */
void hal_pmem_read(hal_paddr_t from, void *to, size_t length);
void hal_pmem_write(hal_paddr_t to, const void *from, size_t length);
void hal_pmem_zero(hal_paddr_t at, size_t length);
void hal_pmem_copy(hal_paddr_t to, hal_paddr_t from, size_t length); /* no overlap */

/* ---- Page tables --------------------------------------------------------------------------- */

/* Mapping flags. A mapping is always for user mode; HAL_MAP_READ is implied by the others. */
#define HAL_MAP_READ     (1u << 0)
#define HAL_MAP_WRITE    (1u << 1)
#define HAL_MAP_EXECUTE  (1u << 2)
#define HAL_MAP_UNCACHED (1u << 3) /* device memory */

struct hal_page_table; /* one address space's translation; owned by its creator */

/* User addresses that any page table can map lie in [HAL_USER_BASE, HAL_USER_TOP). */
#define HAL_USER_BASE 0x1000000ull
#define HAL_USER_TOP  0x7ffffffff000ull

zx_status_t hal_page_table_create(struct hal_page_table **out);
/*
 * The addresses that this table can map: [*base, *top), page aligned, the same for its whole life.
 * On a machine that is all of user space; in the LibOS each process has a slice of its own.
 */
void hal_page_table_range(const struct hal_page_table *table, zx_vaddr_t *base, zx_vaddr_t *top);
/* Frees the tables, not the frames mapped. If it is active, the CPU has none active afterwards. */
void hal_page_table_destroy(struct hal_page_table *table);

/*
 * Maps `count` pages from `address`; `frames` are consecutive from `paddr` (map) or listed
 * (map_many). Pages that are mapped already are replaced. On ZX_ERR_NO_MEMORY the pages before
 * the failing one stay mapped; the caller may unmap them. hal_page_table_map uses large pages
 * where address, paddr and count allow.
 */
zx_status_t hal_page_table_map(struct hal_page_table *table, zx_vaddr_t address, hal_paddr_t paddr,
                               size_t count, uint32_t flags);
zx_status_t hal_page_table_map_many(struct hal_page_table *table, zx_vaddr_t address,
                                    const hal_paddr_t *frames, size_t count, uint32_t flags);

/* Holes are skipped. Cost is proportional to the tables present, not to `count`. Cannot fail. */
void hal_page_table_unmap(struct hal_page_table *table, zx_vaddr_t address, size_t count);

/* Changes flags of the pages that are mapped; holes are skipped. May fail only by splitting a
 * large page: ZX_ERR_NO_MEMORY. */
zx_status_t hal_page_table_protect(struct hal_page_table *table, zx_vaddr_t address, size_t count,
                                   uint32_t flags);

/* ZX_ERR_NOT_FOUND if no page is mapped at `address`. Either out pointer may be NULL. */
zx_status_t hal_page_table_query(struct hal_page_table *table, zx_vaddr_t address,
                                 hal_paddr_t *paddr, uint32_t *flags);

/* Makes `table` (NULL: none, kernel only) the one that user code on this CPU runs in. Cheap when
 * it is active already. */
void hal_page_table_activate(struct hal_page_table *table);

/* ---- Copies between user memory and the kernel --------------------------------------------- */

/*
 * `table` need not be active. The copy goes page by page through the page table with the
 * permissions it states; it never faults. Result ZX_OK, or ZX_ERR_NOT_FOUND with *done = bytes
 * copied before the first page that is missing or not permitted: the caller resolves the fault
 * (vmar_fault) and goes on from there. Addresses outside the table's range are never
 * permitted. `length` 0 is ZX_OK.
 */
zx_status_t hal_user_read(struct hal_page_table *table, zx_vaddr_t from, void *to, size_t length,
                          size_t *done);
zx_status_t hal_user_write(struct hal_page_table *table, zx_vaddr_t to, const void *from,
                           size_t length, size_t *done);
/* The same, straight between user memory and frames (no bounce buffer). */
zx_status_t hal_user_to_pmem(struct hal_page_table *table, zx_vaddr_t from, hal_paddr_t to,
                             size_t length, size_t *done);
zx_status_t hal_pmem_to_user(struct hal_page_table *table, zx_vaddr_t to, hal_paddr_t from,
                             size_t length, size_t *done);

/* Writes 4 bytes, in less time than hal_user_write. ZX_ERR_NOT_FOUND: nothing is written; try that,
 * it may be able to. */
zx_status_t hal_user_write_u32(struct hal_page_table *table, zx_vaddr_t to, uint32_t value);

/* Reads an aligned 32-bit word in one piece (futexes). ZX_ERR_NOT_FOUND as above. */
zx_status_t hal_user_read_u32(struct hal_page_table *table, zx_vaddr_t from, uint32_t *value);

/* ---- User contexts ------------------------------------------------------------------------- */

/* General registers; the order is zx_thread_state_general_regs_t's, which the ABI fixes. */
struct hal_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, fs_base, gs_base;
};
_Static_assert(sizeof(struct hal_regs) == 160, "hal_regs");

/* Debug registers; the order is zx_thread_state_debug_regs_t's. */
struct hal_debug_regs {
    uint64_t dr[4], dr6, dr7;
};

/*
 * The state of one user thread while it is not running: registers here, FPU state in `fpu`
 * (owned by the context, layout known to the HAL). `regs` may be changed whenever the thread
 * does not run. Embedded in struct thread.
 */
struct hal_context {
    struct hal_regs regs;
    void *fpu;
    uint64_t hal_private[3];
    uint64_t id; /* names the context in the machine's log of events; the kernel's to set */
    struct hal_debug_regs debug; /* see hal_context_set_debug */
};

/* All registers zero, IF set, FPU in its initial state. ZX_ERR_NO_MEMORY. */
zx_status_t hal_context_init(struct hal_context *context);
void hal_context_destroy(struct hal_context *context);

enum hal_trap_kind {
    HAL_TRAP_SYSCALL,    /* number in regs.rax, arguments per abi/vdso.md; regs.rip is the return
                            address */
    HAL_TRAP_PAGE_FAULT, /* address, access */
    HAL_TRAP_EXCEPTION,  /* vector, error_code: every other processor exception from user mode */
    HAL_TRAP_INTERRUPT,  /* timer or device; the HAL has acknowledged it: see hal_events */
};

#define HAL_FAULT_WRITE   (1u << 0)
#define HAL_FAULT_EXECUTE (1u << 1)
#define HAL_FAULT_PRESENT (1u << 2) /* the page was mapped: a permission is missing */

struct hal_trap {
    enum hal_trap_kind kind;
    uint32_t access;     /* page fault: HAL_FAULT_* */
    uint32_t vector;     /* x86 vector of a page fault or exception */
    uint64_t error_code; /* as the processor gives it */
    uint64_t address;    /* page fault: cr2 */
    int64_t result;      /* system call: what the handler returned, if there is one */
};

/*
 * Runs user code from `context` in the active page table until something happens, stores the
 * registers back and says what it was. Interrupts are on meanwhile. Invalid register values
 * (non-canonical rip, rsp or bases; flags user code may not set) become a HAL_TRAP_EXCEPTION of
 * that thread or are masked, never a fault of the kernel.
 */
void hal_context_run(struct hal_context *context, struct hal_trap *trap);

/*
 * Optional shortcut for system calls that need nothing of the thread loop. Once set, `handler` is
 * called inside hal_context_run for each system call, with the registers in *context as for
 * HAL_TRAP_SYSCALL. User code goes on at once with the result in rax; nothing else of the context
 * may have changed. But if hal_context_stop has been called meanwhile, hal_context_run returns
 * instead, with HAL_TRAP_SYSCALL and the result in the trap; regs.rax is the number still. NULL:
 * none.
 */
typedef int64_t hal_syscall_handler(struct hal_context *context);
void hal_set_syscall_handler(hal_syscall_handler *handler);

/* For what the handler calls: user code shall not go on before hal_context_run has returned and
 * been called again. No effect at other times. */
void hal_context_stop(void);

/* FPU and vector state in ABI form (zx_thread_state_fp_regs_t, ..._vector_regs_t). */
struct hal_fpu_view {
    uint8_t fxsave[512];   /* legacy region, always valid */
    uint8_t ymm_high[256]; /* upper halves of ymm0..15, zero without AVX */
};
void hal_context_get_fpu(struct hal_context *context, struct hal_fpu_view *out);
void hal_context_set_fpu(struct hal_context *context, const struct hal_fpu_view *in);

/*
 * Debug registers: 0, 0xffff0ff0 and 0x400 in a new context. They are in force while the context
 * runs; a trap with vector 1 stores what it was for in dr6, as the processor does. Single steps are
 * the TF flag in regs.rflags. The caller sees to it that addresses are user's, that reserved bits
 * have their values, that GD is clear and that no I/O breakpoint is asked for.
 * ZX_ERR_NOT_SUPPORTED: the machine has none for user code.
 */
zx_status_t hal_context_get_debug(struct hal_context *context, struct hal_debug_regs *out);
zx_status_t hal_context_set_debug(struct hal_context *context, const struct hal_debug_regs *in);

/* ---- Time and events ----------------------------------------------------------------------- */

zx_ticks_t hal_ticks(void); /* the counter user code reads: rdtsc plus the word named below */
zx_time_t hal_now(void);    /* monotonic: hal_ticks() * numerator / denominator */
zx_time_t hal_wall_clock_offset(void); /* UTC - monotonic at boot */
/* Where in memory user code finds a uint64_t that it adds to the time stamp counter: the machine may
 * change it when it goes on from a snapshot. Without the call the word is taken to be always 0. */
void hal_set_ticks_offset(hal_paddr_t word);

/* Asks for an interrupt (or the end of hal_idle) at or soon after `deadline`; a new call replaces
 * the old one; ZX_TIME_INFINITE disarms. Cheap: usually no exit. */
void hal_timer_arm(zx_time_t deadline);

#define HAL_EVENT_CONSOLE (1u << 0) /* console input (or its end) can be read               */
#define HAL_EVENT_STOP    (1u << 1) /* the user asks the machine to end                     */
/* Returns and clears what has happened. Deadlines are not reported: compare with hal_now(). */
uint32_t hal_events(void);

/* Waits, using no CPU time, until the armed deadline has passed or an event may have happened.
 * Console output is flushed first. May return early. */
void hal_idle(void);

/* ---- Console and entropy ------------------------------------------------------------------- */

/* Output in order; buffered so that few exits are needed, flushed within about 10 ms. */
void hal_console_write(const char *text, size_t length);
void hal_console_flush(void);

/* Takes what is there. *actual 0 with ZX_OK: nothing yet, and HAL_EVENT_CONSOLE will be raised
 * when there is. ZX_ERR_PEER_CLOSED: input has ended. */
zx_status_t hal_console_read(char *buffer, size_t length, size_t *actual);

/* Fills `buffer` from the boot seed's generator (deterministic for a fixed seed). */
void hal_entropy(void *buffer, size_t length);

#endif
