/*
 * machine.h - the one machine: physical memory, the layout of the host's address space, what the
 * command line asked for. Written during start-up, constant afterwards. docs/libos.md draws it.
 */
#ifndef HAL_LIBOS_MACHINE_H
#define HAL_LIBOS_MACHINE_H

#include <hal.h>

#define ZLIBOS_VERSION "0.1.0"

#define MEMORY_MIN     (16ull << 20)
#define MEMORY_MAX     (256ull << 30)
#define MEMORY_DEFAULT (128ull << 20)
#define MEMORY_UNIT    (2ull << 20) /* sizes are rounded up to it */

/* Exit statuses that are not the program's own; the same as zvmm's. */
#define EXIT_KILLED 128 /* 128..133: kill codes -1024..-1029 */
#define EXIT_QUIT   130
#define EXIT_OTHER  255
#define EXIT_HOST   125
#define EXIT_KERNEL 126

/* System call stubs and the table that the vDSO jumps through: absolute 32-bit addresses. */
#define STUB_TABLE 0x100000ull
#define STUB_CODE  0x110000ull
#define STUB_END   0x120000ull

/*
 * Process number n's addresses are [SLICE_BASE + n * SLICE_BYTES, ...). The last slice ends below
 * where Linux puts stacks, libraries and other mappings. AddressSanitizer keeps its shadow in the
 * first sixteen slices and its heap from 0x500000000000 or 0x600000000000 on.
 */
#define SLICE_BYTES 0x10000000000ull
/* What of it a process can use: the hole behind keeps the host from merging mappings of two. */
#define SLICE_USABLE (SLICE_BYTES - (2ull << 20))
#if defined(__SANITIZE_ADDRESS__)
#define LIBOS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIBOS_ASAN 1
#endif
#endif
#ifdef LIBOS_ASAN
#define SLICE_BASE  (0x200000000ull + 16 * SLICE_BYTES)
#define SLICE_LIMIT 0x500000000000ull
#else
#define SLICE_BASE  0x200000000ull
#define SLICE_LIMIT 0x700000000000ull
#endif
#define SLICES ((unsigned)((SLICE_LIMIT - SLICE_BASE) / SLICE_BYTES))

struct machine_config {
    uint64_t memory_bytes;
    const char *cmdline;
    const char *bootfs_dir; /* NULL: none */
    const char *zbi_path, *vdso_path, *userboot_path; /* NULL: built in */
    uint8_t seed[32];
    bool verbose;
};

struct machine {
    const struct machine_config *config;
    uint8_t *memory; /* the kernel's mapping of physical memory */
    int memory_fd;
    struct hal_boot boot;
};

extern struct machine machine;

static inline void *machine_direct(hal_paddr_t paddr)
{
    return machine.memory + paddr;
}

static inline hal_paddr_t machine_paddr(const void *kernel)
{
    return (hal_paddr_t)((const uint8_t *)kernel - machine.memory);
}

/* Brings the machine up in the calling thread and starts the kernel on it. */
_Noreturn void machine_start(const struct machine_config *config);

/* The host failed: "zlibos: ...", exit status EXIT_HOST. */
_Noreturn void machine_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A remark on stderr, if they are wanted. */
void machine_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes the console, restores the terminal, ends the process. */
_Noreturn void machine_end(int status);

/* Host system call that works before libc's thread pointer is in place. */
long machine_arch_prctl(int code, uint64_t argument);

#endif
