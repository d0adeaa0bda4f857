/*
 * What the kernel must know of a vDSO image: the constants that it patches before the first process
 * runs, and where in the image they and the system-call instructions are. Our own vDSO says so in
 * two notes (owner "zvmm", in a PT_NOTE segment). A foreign image without them is taken to be the
 * reference build of March 2020 (build id aa1432d5320bc532), whose places are given below as
 * ZX_VDSO_REFERENCE_*; for it the kernel accepts any return address in the code segment.
 *
 * In every image the part that goes into memory is a multiple of the page size, file offset and
 * address agree, and exactly two segments are loaded: read-only from 0, then code. ELF's e_entry is
 * zx_process_exit.
 */
#ifndef ZIRCON_VDSO_H
#define ZIRCON_VDSO_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* The constants, symbol DATA_CONSTANTS (112 bytes; the layout changed in May 2020). */
struct vdso_constants {
    uint32_t max_num_cpus;
    uint32_t features_cpu; /* ZX_HAS_CPU_FEATURES */
    uint32_t features_hw_breakpoint_count;
    uint32_t features_hw_watchpoint_count;
    uint32_t dcache_line_size; /* bytes; 0 makes zx_cache_flush fail */
    uint32_t icache_line_size;
    uint64_t ticks_per_second;
    /*
     * Monotonic nanoseconds = ticks * numerator / denominator, rounded down. The kernel's clock
     * must be the same function of the same ticks, and denominator must not be 0.
     */
    uint32_t ticks_to_mono_numerator;
    uint32_t ticks_to_mono_denominator;
    uint64_t physmem;
    char version[64]; /* NUL-terminated */
};
ZX_ABI_SIZE(struct vdso_constants, 112);
ZX_ABI_OFFSET(struct vdso_constants, ticks_per_second, 24);
ZX_ABI_OFFSET(struct vdso_constants, physmem, 40);
ZX_ABI_OFFSET(struct vdso_constants, version, 48);

/* What the image holds in each 32-bit word of the constants until they are patched. */
#define ZX_VDSO_CONSTANTS_UNSET 0xdeadbeefu

#define ZX_VDSO_REFERENCE_CONSTANTS  0x48c8u
#define ZX_VDSO_REFERENCE_CODE_START 0x7000u
#define ZX_VDSO_REFERENCE_CODE_END   0x8000u

#define ZVMM_NOTE_OWNER     "zvmm"
#define ZVMM_NOTE_VDSO      1u
#define ZVMM_NOTE_VDSO_TIME 2u

/* A system-call instruction of the image. */
struct zvmm_vdso_syscall {
    uint32_t number;
    uint32_t return_pc; /* offset in the image of what follows the instruction */
};
ZX_ABI_SIZE(struct zvmm_vdso_syscall, 8);

/*
 * Contents (desc) of note ZVMM_NOTE_VDSO; all places are offsets in the image. The descriptor ends
 * with the list, whose length follows from the note's: one entry for every `syscall` instruction in
 * the code segment. Every number occurs at least once, some more often. The kernel makes from the
 * list its check that call N returns to a place that belongs to N. The seven bytes before each
 * return_pc are always `mov $number,%eax; syscall` (b8, the number in four bytes, 0f 05), with no
 * jump into their middle, so that a LibOS may overwrite them with a call of its own.
 */
struct zvmm_vdso_note {
    uint64_t constants;
    uint64_t code_start; /* page-aligned, like code_end */
    uint64_t code_end;
    struct zvmm_vdso_syscall syscalls[];
};
ZX_ABI_SIZE(struct zvmm_vdso_note, 24);
ZX_ABI_OFFSET(struct zvmm_vdso_note, syscalls, 24);

/*
 * Contents of note ZVMM_NOTE_VDSO_TIME: offsets in the image. The functions ask the kernel for the
 * time. A kernel whose user programs cannot read the time stamp counter stores these in the dynamic
 * symbols zx_X and _zx_X (st_value) in place of the functions that execute RDTSC.
 *
 * ticks_offset is the place of a uint64_t, 0 in the file, that the image's own functions add to the
 * time stamp counter. It may be changed while a program runs, between any two instructions.
 */
struct zvmm_vdso_time_note {
    uint32_t ticks_get;
    uint32_t clock_get_monotonic;
    uint32_t deadline_after;
    uint32_t ticks_offset;
};
ZX_ABI_SIZE(struct zvmm_vdso_time_note, 16);

#endif
