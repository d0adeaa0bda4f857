/*
 * hypercall.h - the contract between zvmm (host) and guest.elf (guest).
 *
 * One header, read by both sides: the state in which zvmm enters the guest, the boot
 * information block, the shared page, and the hypercalls. All fields have fixed width and are
 * little-endian; every structure's size is asserted. The version number ZV_ABI_VERSION changes
 * whenever a layout or a meaning does; guest.elf carries the version it was built for in an ELF
 * note (struct zv_note) and zvmm refuses another one before anything runs.
 *
 * Entry state (x86-64). zvmm starts the one vCPU at e_entry with:
 *   - long mode on, CPL 0, interrupts off, CR0 = PE|MP|ET|NE|WP|AM|PG, CR4 = PAE|OSFXSR|OSXMMEXCPT
 *     (|OSXSAVE|FSGSBASE as ZV_FEATURE_* say), EFER = SCE|LME|LMA|NXE;
 *   - a GDT in guest memory with the selectors ZV_SEL_*; no IDT, no TSS;
 *   - page tables that map all guest RAM at ZV_DIRECT_MAP_BASE (writable, no-execute) and the
 *     PT_LOAD segments of guest.elf at their virtual addresses with the segment's permissions;
 *     nothing in the lower half;
 *   - rdi = virtual address (in the direct map) of struct zv_boot_info, rsp = top of a 16 KiB
 *     boot stack, 16-byte aligned; all other general registers zero.
 *
 * Guest memory that zvmm has filled is described by the boot information's memory map; frames
 * of type ZV_MEM_FREE read as zero until the guest writes them.
 */
#ifndef ZVMM_SHARED_HYPERCALL_H
#define ZVMM_SHARED_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

#define ZV_ABI_VERSION 4u

/* ---- Address-space layout that zvmm sets up ------------------------------------------------ */

#define ZV_DIRECT_MAP_BASE 0xffff800000000000ull /* + physical address; covers all RAM        */
#define ZV_KERNEL_BASE     0xffffffff80000000ull /* guest.elf is linked at this + p_paddr     */
#define ZV_MEMORY_MIN      (16ull << 20)         /* bytes; --memory's limits                  */
#define ZV_MEMORY_MAX      (256ull << 30)

/* Segment selectors of the initial GDT, in the order syscall/sysret need. */
#define ZV_SEL_KERNEL_CODE 0x10u
#define ZV_SEL_KERNEL_DATA 0x18u
#define ZV_SEL_USER_CODE32 0x23u /* sysret's base; never used                                   */
#define ZV_SEL_USER_DATA   0x2bu
#define ZV_SEL_USER_CODE   0x33u
#define ZV_SEL_TSS         0x40u /* two empty slots for the guest's TSS descriptor              */
#define ZV_GDT_ENTRIES     10u

/* ---- ELF note in guest.elf ----------------------------------------------------------------- */

#define ZV_NOTE_NAME "zvmm"
#define ZV_NOTE_TYPE 1u

/*
 * Description of the note (section .note.zvmm, inside a PT_NOTE). The module ranges are the
 * built-in defaults, linked into guest.elf as page-aligned ranges of its segments; length 0 means
 * that there is none. `reserved` ranges are physical addresses, which are p_paddr.
 */
struct zv_note {
    uint32_t abi_version; /* ZV_ABI_VERSION the guest was built for */
    uint32_t reserved;    /* 0 */
    struct {
        uint64_t paddr;  /* physical address of the first byte, multiple of 4096 */
        uint64_t length; /* bytes */
    } module[4];         /* indexed by enum zv_module_kind - 1 */
};
_Static_assert(sizeof(struct zv_note) == 72, "zv_note");

/* ---- Boot information ---------------------------------------------------------------------- */

#define ZV_BOOT_MAGIC 0x746f6f42566d765aull /* "ZvmVBoot" */

enum zv_memory_type {
    ZV_MEM_FREE = 1,   /* zero-filled, the guest's to allocate                                 */
    ZV_MEM_KERNEL = 2, /* guest.elf's segments                                                 */
    ZV_MEM_BOOT = 3,   /* this block, page tables, GDT, boot stack, shared page: never freed   */
    ZV_MEM_MODULE = 4, /* module contents; the guest may turn the frames into VMO pages        */
};

struct zv_memory_range {
    uint64_t base;   /* physical, multiple of 4096; the table is sorted and does not overlap */
    uint64_t length; /* bytes, multiple of 4096 */
    uint32_t type;   /* enum zv_memory_type */
    uint32_t reserved;
};
_Static_assert(sizeof(struct zv_memory_range) == 24, "zv_memory_range");

enum zv_module_kind {
    ZV_MODULE_VDSO = 1,     /* ELF image of the vDSO */
    ZV_MODULE_USERBOOT = 2, /* ELF image of userboot */
    ZV_MODULE_ZBI = 3,      /* ZBI container with a BOOTFS item */
    ZV_MODULE_KINDS = 4,
};

struct zv_module {
    uint64_t paddr;  /* multiple of 4096; the rest of the last page is zero unless built in */
    uint64_t length; /* bytes */
    uint32_t kind;   /* enum zv_module_kind */
    uint32_t flags;  /* ZV_MODULE_BUILTIN */
};
_Static_assert(sizeof(struct zv_module) == 24, "zv_module");
#define ZV_MODULE_BUILTIN 1u /* lies inside a ZV_MEM_KERNEL range */

/* Quirks: what this KVM does differently from hardware, found by a behaviour probe. */
#define ZV_QUIRK_SLOW_RING0     (1u << 0) /* ring 0 is emulated: prefer host-side memory calls    */
#define ZV_QUIRK_SYSCALL_BROKEN (1u << 1) /* `syscall` keeps CPL 3: LSTAR must point at a `ud2`   */
#define ZV_QUIRK_NO_XSAVE       (1u << 2) /* xsave fails in ring 0: use fxsave                    */
#define ZV_QUIRK_NO_INT3_RING0  (1u << 3) /* int3 in ring 0 ends the VM                           */
#define ZV_QUIRK_NO_PCID        (1u << 4) /* CR4.PCIDE must stay off                              */

/* Features: what the guest may rely on. */
#define ZV_FEATURE_LAPIC    (1u << 0) /* in-kernel irqchip: x2APIC, TSC-deadline timer; else injection */
#define ZV_FEATURE_XSAVE    (1u << 1) /* CR4.OSXSAVE is set, XCR0 = xcr0 below                          */
#define ZV_FEATURE_FSGSBASE (1u << 2) /* CR4.FSGSBASE is set                                            */
#define ZV_FEATURE_RDRAND   (1u << 3)
#define ZV_FEATURE_DETERMINISTIC (1u << 4) /* time is virtual: see "Deterministic mode"          */

/* Interrupt vectors that zvmm raises. */
#define ZV_VECTOR_TIMER   32u /* the deadline has passed (LAPIC timer or injected)            */
#define ZV_VECTOR_EVENT   33u /* something in zv_shared_page.events changed                   */

#define ZV_BOOT_RANGES  32u
#define ZV_BOOT_MODULES 8u

struct zv_boot_info {
    uint64_t magic;   /* ZV_BOOT_MAGIC */
    uint32_t version; /* ZV_ABI_VERSION */
    uint32_t size;    /* sizeof(struct zv_boot_info) */

    uint64_t memory_bytes;   /* end of RAM: RAM is [0, memory_bytes) */
    uint64_t cmdline_paddr;  /* NUL-terminated kernel command line */
    uint32_t cmdline_length; /* without the NUL, at most 4095 */
    uint32_t quirks;         /* ZV_QUIRK_* */
    uint32_t features;       /* ZV_FEATURE_* */
    uint32_t num_cpus;       /* 1 */

    uint64_t tsc_hz;           /* guest TSC frequency */
    uint64_t ticks_numerator;  /* monotonic ns = (tsc * numerator) / denominator, both fit u32 */
    uint64_t ticks_denominator;
    uint64_t wall_clock_ns;    /* UTC, ns since 1970, at the moment when the TSC read wall_clock_tsc */
    uint64_t wall_clock_tsc;
    uint64_t xcr0;             /* XCR0 and ... */
    uint32_t xsave_bytes;      /* ... the size of an xsave area for it; 0 without XSAVE */
    uint32_t shared_page_length;
    uint64_t shared_page_paddr; /* struct zv_shared_page */
    uint8_t seed[32];           /* random seed of this boot (from --seed or the host) */

    uint32_t num_ranges;
    uint32_t num_modules;
    struct zv_memory_range ranges[ZV_BOOT_RANGES];
    struct zv_module modules[ZV_BOOT_MODULES];
};
_Static_assert(offsetof(struct zv_boot_info, seed) == 112, "zv_boot_info.seed");
_Static_assert(sizeof(struct zv_boot_info) == 152 + 24 * ZV_BOOT_RANGES + 24 * ZV_BOOT_MODULES,
               "zv_boot_info");

/* ---- Shared page --------------------------------------------------------------------------- */

#define ZV_CONSOLE_RING 8192u /* bytes, a power of two */

/* Bits of zv_shared_page.events; set by zvmm, cleared by the guest with an atomic and. */
#define ZV_EVENT_CONSOLE_INPUT (1u << 0) /* input (or its end) can be read                   */
#define ZV_EVENT_TIMER         (1u << 1) /* an armed deadline has passed (injection mode)     */
#define ZV_EVENT_STOP          (1u << 2) /* the user asked the VM to end (SIGINT, SIGTERM)    */

/*
 * Memory that both sides see, so that the common case needs no exit. Fields are grouped by
 * writer. zvmm treats everything the guest writes here as hostile: it reads each field once and
 * masks it.
 *
 * Console output: the guest appends to `out` at out_head (free-running, modulo the ring) and zvmm
 * takes from out_tail. zvmm empties the ring at every exit to user space and when the doorbell
 * hypercall (ZV_CALL_CONSOLE_FLUSH) says so.
 *
 * Timer without LAPIC (ZV_FEATURE_LAPIC clear): the guest writes its next absolute deadline to
 * deadline_tsc (UINT64_MAX = none). When it is about to run user code and deadline_tsc is earlier
 * than armed_tsc it must call ZV_CALL_TIMER_ARM; otherwise, and before HLT, no call is needed:
 * zvmm reads deadline_tsc at each exit. An early interrupt is harmless.
 *
 * Clock with ZV_QUIRK_SLOW_RING0: user code then reads the processor's own TSC, which KVM cannot
 * move. So that time can go on where it stood in a snapshot, such a guest adds tsc_offset to the
 * TSC, and its user code adds the copy of it at ticks_offset_paddr; all deadlines are meant in these
 * ticks. zvmm changes both words before a restored guest runs, between any two instructions: who
 * reads them reads the offset before and after the TSC until it is the same.
 */
struct zv_shared_page {
    /* written by the guest */
    uint32_t out_head;
    uint32_t in_wanted;    /* 1: raise ZV_EVENT_CONSOLE_INPUT when input can be read */
    uint64_t deadline_tsc;
    uint64_t virtual_tsc;  /* deterministic mode: the clock */
    uint64_t events_paddr; /* deterministic mode: struct zv_event[ZV_EVENTS_MAX], the ring */
    uint64_t ticks_offset_paddr; /* 0, or where user code's copy of tsc_offset is; multiple of 8 */
    uint64_t guest_reserved[3];

    /* written by zvmm */
    uint32_t out_tail;
    uint32_t events;    /* ZV_EVENT_*; also cleared by the guest */
    uint64_t armed_tsc; /* earliest deadline for which an interrupt is under way */
    uint64_t input_tsc;  /* deterministic mode: when the next console input can be read */
    uint64_t stop_event; /* deterministic mode: stop after this many events; 0: never */
    uint64_t tsc_offset; /* what a guest with ticks_offset_paddr adds to the TSC; else 0 */
    uint64_t stepping;   /* deterministic mode: 1 while user code runs with zvmm's trap flag */
    uint64_t host_reserved[2];

    uint8_t out[ZV_CONSOLE_RING];
};
_Static_assert(offsetof(struct zv_shared_page, out_tail) == 64, "zv_shared_page.out_tail");
_Static_assert(sizeof(struct zv_shared_page) == 128 + ZV_CONSOLE_RING, "zv_shared_page");

/* ---- Hypercalls ---------------------------------------------------------------------------- */

/*
 * `out dx, eax` of 32 bits to ZV_CALL_PORT with eax = guest-physical address of a struct zv_call,
 * 8-byte aligned and below 4 GiB. zvmm copies the structure once, acts on the copy and writes
 * `result` (and the OUT fields) back. A bad address or number never harms zvmm: result becomes a
 * negative ZV_E*, or, when there is no structure to write it to, nothing happens.
 */
#define ZV_CALL_PORT 0x5a56u

enum zv_call_number {
    ZV_CALL_CONSOLE_FLUSH = 1, /* empty the output ring                                       */
    ZV_CALL_CONSOLE_WRITE = 2, /* u.buffer: write all of it, after the ring's content          */
    ZV_CALL_CONSOLE_READ = 3,  /* u.buffer: take what is there; result = bytes, 0 = none yet,
                                  ZV_EEOF = input has ended                                     */
    ZV_CALL_TIMER_ARM = 4,     /* u.timer: injection mode only                                 */
    ZV_CALL_MEMORY = 5,        /* u.memory                                                     */
    ZV_CALL_EXIT = 6,          /* u.exit: end the VM; does not return                          */
    ZV_CALL_PANIC = 7,         /* u.panic: end the VM, print the report; does not return       */
    ZV_CALL_MARKER = 8,        /* u.marker: name a point of the run                            */
    ZV_CALL_EVENTS = 9,        /* u.events: deterministic mode only                            */
    ZV_CALL_STUCK = 10,        /* deterministic mode: nothing can run, nothing will ever happen;
                                  does not return                                              */
    ZV_CALL_NUMBERS = 11,
};

/* Results, besides counts >= 0. */
#define ZV_OK        0
#define ZV_EINVAL    (-1) /* bad number, operation or field      */
#define ZV_EFAULT    (-2) /* range not inside guest RAM          */
#define ZV_EEOF      (-3) /* console input has ended             */
#define ZV_ENOMEM    (-4) /* the host has no memory for it       */
#define ZV_ENOTSUP   (-5)

enum zv_memory_op {
    ZV_MEMORY_ZERO = 1,    /* fill [dst, dst+length) with zeros                                 */
    ZV_MEMORY_DISCARD = 2, /* same result, and give the memory back to the host (page aligned)  */
    ZV_MEMORY_COPY = 3,    /* copy [src, src+length) to dst; overlap is allowed                 */
};

/* Exit status of zvmm for ZV_CALL_EXIT: see docs/hypercalls.md and zvmm(1), EXIT STATUS. */

#define ZV_MARKER_NAME_MAX 64u

struct zv_call {
    uint32_t number; /* enum zv_call_number */
    uint32_t size;   /* sizeof(struct zv_call) */
    int64_t result;  /* OUT */
    union {
        struct {
            uint64_t paddr;
            uint64_t length; /* bytes, at most 1 MiB */
        } buffer;
        struct {
            uint64_t deadline_tsc; /* absolute; UINT64_MAX disarms */
        } timer;
        struct {
            uint32_t op; /* enum zv_memory_op */
            uint32_t reserved;
            uint64_t dst, src, length; /* guest-physical, bytes */
        } memory;
        struct {
            int64_t code; /* return code of the program that ended the machine */
        } exit;
        struct {
            uint64_t message_paddr; /* text, not terminated */
            uint64_t message_length;
            uint64_t rip, rsp, rbp; /* where the kernel was, for the backtrace */
            uint64_t cr2;
            uint64_t regs_paddr; /* 0, or 18 x u64: rax rbx rcx rdx rsi rdi rbp rsp r8..r15 rip rflags */
        } panic;
        struct {
            uint32_t id; /* enum zv_marker or a program's own number */
            uint32_t name_length; /* bytes; 0 = no name */
            uint64_t value;
            char name[ZV_MARKER_NAME_MAX]; /* not terminated */
        } marker;
        struct {
            uint64_t paddr; /* struct zv_event[count], the newest last */
            uint64_t count; /* since the last such call, at most ZV_EVENTS_MAX */
            uint64_t total; /* since the start, these included */
        } events;
        uint64_t words[12];
    } u;
};
_Static_assert(offsetof(struct zv_call, u) == 16, "zv_call.u");
_Static_assert(sizeof(struct zv_call) == 112, "zv_call");

/* ---- Deterministic mode -------------------------------------------------------------------- */

/*
 * With ZV_FEATURE_DETERMINISTIC the kernel's clock is zv_shared_page.virtual_tsc, which only the
 * kernel moves: by ZV_QUANTUM at each entry from user mode, and to the next deadline when no thread
 * is ready. It never reads the time stamp counter, never halts, and expects no interrupt except
 * ZV_VECTOR_EVENT for a user program that does not enter the kernel by itself; then the clock goes
 * on as if the CPU were idle. zvmm changes guest memory during hypercalls only. Every entry is an
 * event; the kernel keeps them in a ring and hands them over by ZV_CALL_EVENTS when it is full.
 *
 * When it has put event number zv_shared_page.stop_event there, and before anything else, it writes
 * to ZV_STOP_PORT. That takes no memory, so that a machine that zvmm has stopped there goes on as
 * if it had not been. It does the same after each event while zvmm steps user code, and then
 * drops the trap flag from what the entry has saved: it is zvmm's.
 */
#define ZV_STOP_PORT  0x5a57u
#define ZV_STOP_EVENT 0u /* written: event stop_event has happened */
#define ZV_STOP_STEP  1u /* zv_shared_page.stepping is set */
#define ZV_QUANTUM    10000u/* ticks */
#define ZV_EVENTS_MAX 2048u

enum zv_event_kind {
    ZV_EVENT_KIND_SYSCALL = 1, /* number = system call                                          */
    ZV_EVENT_KIND_TRAP = 2,    /* number = vector | error code << 8                             */
    ZV_EVENT_KIND_TSC = 3,     /* user code has read the time stamp counter                     */
    ZV_EVENT_KIND_TIMER = 4,   /* a deadline has passed: a timer interrupt before user code runs */
    ZV_EVENT_KIND_IDLE = 5,    /* nothing was ready: tsc is the deadline to which time went      */
    ZV_EVENT_KIND_PREEMPT = 6, /* ZV_VECTOR_EVENT: user code ran too long without an entry      */
    ZV_EVENT_KIND_INPUT = 7,   /* number = bytes of console input taken (capped), 0xffff: its end */
    ZV_EVENT_KIND_MARKER = 8,  /* number = id, thread = value, both cut to their fields          */
    ZV_EVENT_KIND_EXIT = 9,   /* thread = exit code, cut                                        */
    ZV_EVENT_KINDS = 10,
};

struct zv_event {
    uint64_t tsc;  /* the clock afterwards */
    uint64_t what; /* kind | number << 8 | koid of the thread << 24 */
    uint64_t detail; /* system call: first argument; page fault: address; other traps: rip; else 0 */
};
_Static_assert(sizeof(struct zv_event) == 24, "zv_event");

enum zv_marker {
    ZV_MARKER_KERNEL_ENTRY = 1, /* first instructions of the kernel                       */
    ZV_MARKER_FIRST_USER = 2,   /* about to execute the first user instruction            */
    ZV_MARKER_PROCESS_START = 3, /* about to execute its first instruction: value = koid,
                                    with the process's name; this and the next only with
                                    kernel.process-markers on the command line            */
    ZV_MARKER_PROCESS_EXIT = 4,
    ZV_MARKER_USER = 0x1000, /* first number for programs (zx_debug_send_command)        */
};

#endif
