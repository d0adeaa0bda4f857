/*
 * snapshot.h - the file format of a stopped machine (.zsnap), version 1.
 *
 * A file is one header page and the sections that the header's table lists. All numbers are
 * little-endian; all offsets are bytes from the start of the file. docs/snapshot-format.md is the
 * long description; this header is enough to write a second reader.
 *
 *   0                 struct zsnap_header, one page
 *   ...               the small sections: the machine, its vCPU, texts
 *   memory offset     ZSNAP_MEMORY: RAM at its natural place, the byte of physical address A at
 *                     memory offset + A. Sparse: a page that no run covers is a hole. One private
 *                     mapping of it is the machine's memory.
 *   behind it         ZSNAP_RUNS: which pages are there
 *
 * Every section but ZSNAP_MEMORY carries its XXH3-64 and is verified when the file is opened; the
 * memory has one checksum a run, which costs reading the memory and so is verified on demand.
 *
 * An incremental file names its parent by uuid and holds only the runs that differ from it; what
 * it does not hold is what the parent (or its parent) has.
 */
#ifndef ZVMM_SHARED_SNAPSHOT_H
#define ZVMM_SHARED_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "hypercall.h"

#define ZSNAP_MAGIC   0x70616e536d6d565aull /* "ZVmmSnap" */
#define ZSNAP_VERSION 1u
#define ZSNAP_PAGE    4096u

/* What a section holds. `struct kvm_*` are Linux's, for x86-64 (linux/kvm.h). */
enum zsnap_type {
    ZSNAP_MEMORY = 1,  /* RAM; its offset is a multiple of 4096, its length that of RAM         */
    ZSNAP_RUNS = 2,    /* struct zsnap_run[], by address, without overlap                      */
    ZSNAP_MACHINE = 3, /* struct zsnap_machine                                                 */
    ZSNAP_GUEST = 4,   /* text: where guest.elf was, an absolute path                          */
    ZSNAP_CMDLINE = 5, /* text: the kernel command line                                        */
    ZSNAP_PARENT = 6,  /* text: where the parent was; relative to this file's folder, or not   */
    ZSNAP_LABEL = 7,   /* text: what the snapshot was taken at                                 */
    ZSNAP_CONSOLE = 8, /* console input that the guest has not taken yet                       */
    ZSNAP_HOST = 9,       /* text: the boot id of the host's kernel, to know the same host again  */
    ZSNAP_DETERMINISM = 10, /* struct zsnap_determinism; with ZV_FEATURE_DETERMINISTIC only       */
    ZSNAP_INPUT = 11,       /* ... and its input script: what is typed                            */
    ZSNAP_INPUT_TEXTS = 12, /* ... struct zsnap_input_text[]: and when                            */
    ZSNAP_REGS = 16,   /* struct kvm_regs                                                      */
    ZSNAP_SREGS = 17,  /* struct kvm_sregs                                                     */
    ZSNAP_XSAVE = 18,  /* struct kvm_xsave, 4096 bytes: x87, SSE, AVX                          */
    ZSNAP_XCRS = 19,   /* struct kvm_xcrs; only with ZV_FEATURE_XSAVE                          */
    ZSNAP_DEBUGREGS = 20, /* struct kvm_debugregs                                                */
    ZSNAP_EVENTS = 21,    /* struct kvm_vcpu_events                                               */
    ZSNAP_MP_STATE = 22,  /* struct kvm_mp_state                                                  */
    ZSNAP_MSRS = 23,      /* struct zsnap_msr[]                                                   */
    ZSNAP_CPUID = 24,     /* struct kvm_cpuid_entry2[]                                            */
    ZSNAP_LAPIC = 25,     /* struct kvm_lapic_state; only with ZV_FEATURE_LAPIC                    */
    ZSNAP_IRQCHIP = 26,   /* both PICs and the I/O APIC; older files only, ignored                  */
};

struct zsnap_section {
    uint32_t type; /* enum zsnap_type; each at most once. A reader skips types it does not know,  */
    uint32_t flags; /* unless ZSNAP_NEEDED is set                                                 */
    uint64_t offset;
    uint64_t length;   /* bytes */
    uint64_t checksum; /* XXH3-64 of the bytes; 0 for ZSNAP_MEMORY */
};
_Static_assert(sizeof(struct zsnap_section) == 32, "zsnap_section");
#define ZSNAP_NEEDED 1u /* a reader that does not know the type cannot use the file */

#define ZSNAP_SECTIONS     64u
#define ZSNAP_BUILD_ID_MAX 32u

struct zsnap_header {
    uint64_t magic;        /* ZSNAP_MAGIC */
    uint32_t version;      /* ZSNAP_VERSION */
    uint32_t header_bytes; /* sizeof(struct zsnap_header) */
    uint64_t file_bytes;   /* a shorter file is truncated */
    uint64_t memory_bytes;
    uint8_t uuid[16];   /* random, of this snapshot */
    uint8_t parent[16]; /* of the parent; all zero in a file that holds everything */
    uint8_t build_id[ZSNAP_BUILD_ID_MAX]; /* GNU build id of guest.elf */
    uint32_t build_id_bytes;              /* 0: it has none */
    uint32_t abi_version;                 /* ZV_ABI_VERSION */
    uint64_t utc_ns;                      /* when it was taken, ns since 1970 */
    char zvmm_version[64];                /* of the writer, terminated */
    uint32_t section_count;               /* at most ZSNAP_SECTIONS */
    uint32_t reserved;
    struct zsnap_section sections[ZSNAP_SECTIONS];
    uint8_t padding[1856];
    uint64_t checksum; /* XXH3-64 of all the bytes before it */
};
_Static_assert(sizeof(struct zsnap_header) == ZSNAP_PAGE, "zsnap_header");

/* Pages of the memory section that are there. */
struct zsnap_run {
    uint64_t paddr;    /* both multiples of 4096 */
    uint64_t length;   /* bytes, not 0 */
    uint64_t checksum; /* XXH3-64 of the bytes; 0 with ZSNAP_RUN_ZERO */
    uint32_t flags;
    uint32_t reserved;
};
_Static_assert(sizeof(struct zsnap_run) == 32, "zsnap_run");
#define ZSNAP_RUN_ZERO 1u /* all zero, a hole in the file; hides what the parent has there */

struct zsnap_msr {
    uint32_t index;
    uint32_t reserved;
    uint64_t value;
};
_Static_assert(sizeof(struct zsnap_msr) == 16, "zsnap_msr");

/* Where a deterministic run stands. Its clock and the events under way are in its memory. */
struct zsnap_determinism {
    uint64_t events;      /* those that the guest has handed over */
    uint64_t input_taken; /* bytes of ZSNAP_INPUT that it has read */
    uint64_t input_end;   /* ns: from then on input has ended */
    uint32_t preemptions; /* not 0: the run is not guaranteed to repeat */
    uint32_t preempt;     /* the rule for user code: enum zvmm_preempt of zvmm.h, never AUTO */
    uint64_t period;       /* ... and for its rules PMU and STEP, instructions between two looks, */
    uint64_t instructions; /* those of user code so far, */
    uint64_t looked_at;    /* the clock at the last look */
};
_Static_assert(sizeof(struct zsnap_determinism) == 56, "zsnap_determinism");

/* In order; the first starts at byte 0 of ZSNAP_INPUT, each other where the one before ends. */
struct zsnap_input_text {
    uint64_t time;          /* ns */
    uint32_t start, length; /* in ZSNAP_INPUT */
};
_Static_assert(sizeof(struct zsnap_input_text) == 16, "zsnap_input_text");

/* What zvmm knows about the machine besides its vCPU. Addresses are guest-physical. */
struct zsnap_machine {
    uint64_t tsc;      /* the guest's TSC when it was stopped: a restored machine goes on from it */
    uint32_t tsc_khz;  /* and its frequency */
    uint32_t quirks;   /* ZV_QUIRK_* */
    uint32_t features; /* ZV_FEATURE_* */
    uint32_t pending;  /* interrupts to be injected: 1 timer, 2 event */
    uint64_t timer_fired;       /* the deadline that was answered last, UINT64_MAX = none */
    uint32_t console_tail;      /* what zvmm has taken of the output ring */
    uint32_t console_ended;     /* 1: input has ended */
    uint32_t console_announced; /* 1: the guest has been told of the input that is there */
    uint32_t reserved;
    uint64_t info, gdt, cmdline, shared, stack, stack_top, tables, end; /* the boot block */
    uint64_t entry;                                                     /* of the kernel, virtual */
    uint32_t num_ranges, num_modules;
    struct zv_memory_range ranges[ZV_BOOT_RANGES];
    struct zv_module modules[ZV_BOOT_MODULES];
};
_Static_assert(offsetof(struct zsnap_machine, info) == 48, "zsnap_machine.info");
_Static_assert(offsetof(struct zsnap_machine, ranges) == 128, "zsnap_machine.ranges");

#endif
