/*
 * quick-start.c - zvmm(1)'s way to main() where CPUID is slow.
 *
 * The C library's start asks the processor for its features and caches by some 75 CPUIDs. On bare
 * hardware they take a few microseconds; in a virtual machine each of them is an exit: 0.6 ms in
 * all on a host of that kind, as long as all that zvmm does before the guest runs. So zvmm enters
 * here. If CPUID is fast, nothing happens and the library starts as usual. If it is slow, the
 * library is started step by step, as its own csu/libc-start.c does, without the question: it then
 * believes in a processor with SSE2 and nothing more, and chooses its string functions for that.
 *
 * The steps are the library's inner business and those of version 2.36. The build uses this file
 * with that version only, and with any other one zvmm starts as usual: see Makefile.vmm.
 * tests/vmm/start.t compares both ways.
 */
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <x86intrin.h>

#include <cpuid.h>

#if __GLIBC__ != 2 || __GLIBC_MINOR__ != 36
#error "the steps are those of glibc 2.36"
#endif

#ifndef SLOW_CPUID_CYCLES
#define SLOW_CPUID_CYCLES 1000u /* some 150 on hardware; an exit takes 2,500 and more */
#endif

/* What memcpy() takes for the size of the caches; the library's own value for 1 MiB. */
#define NON_TEMPORAL_BYTES (768l << 10)

typedef void initializer(int argc, char *argv[], char *environment[]);

/* The library's, in the order of use. */
extern char **__environ;
extern void *__libc_stack_end;
extern long __x86_shared_non_temporal_threshold, __x86_rep_movsb_stop_threshold;
extern const uintptr_t *_dl_random; /* 16 bytes from the kernel */
extern int __libc_enable_secure;
void _dl_aux_init(ElfW(auxv_t) * vector);
void __tunables_init(char *environment[]);
void __libc_setup_tls(void);
void __libc_early_init(_Bool initial);
void __libc_init_first(int argc, char *argv[], char *environment[]);
int __cxa_atexit(void (*function)(void *), void *argument, void *object);
void __libc_check_standard_fds(void);
void *_dl_debug_initialize(ElfW(Addr) base, long name_space);

/* The linker's. */
extern const ElfW(Rela) __rela_iplt_start[], __rela_iplt_end[];
extern initializer *const __preinit_array_start[], *const __preinit_array_end[];
extern initializer *const __init_array_start[], *const __init_array_end[];
extern void (*const __fini_array_start[])(void), (*const __fini_array_end[])(void);
void _init(void);
void _fini(void);

int main(int argc, char *argv[], char *environment[]);

static bool cpuid_is_slow(void)
{
    unsigned a, b, c, d;
    uint64_t before = __rdtsc();
    __cpuid(0, a, b, c, d);
    return __rdtsc() - before >= SLOW_CPUID_CYCLES;
}

/* Functions that exist in several versions: let each choose one. None has been called so far. */
static void choose_functions(void)
{
    for (const ElfW(Rela) *entry = __rela_iplt_start; entry < __rela_iplt_end; entry++) {
        ElfW(Addr) (*choose)(void) = (ElfW(Addr)(*)(void))entry->r_addend;
        *(ElfW(Addr) *)entry->r_offset = choose();
    }
}

/* The stack protector's canary, without a byte that ends strings, and the guard of pointers. */
static void set_guards(void)
{
    uintptr_t canary = _dl_random[0] & ~(uintptr_t)0xff, guard = _dl_random[1];
    __asm__ volatile("mov %0, %%fs:0x28\n\tmov %1, %%fs:0x30" : : "r"(canary), "r"(guard));
}

static void run_finalizers(void *unused)
{
    (void)unused;
    for (size_t i = (size_t)(__fini_array_end - __fini_array_start); i-- != 0;)
        __fini_array_start[i]();
    _fini();
}

static void run_initializers(int argc, char *argv[], char *environment[])
{
    for (initializer *const *each = __preinit_array_start; each != __preinit_array_end; each++)
        (*each)(argc, argv, environment);
    _init();
    for (initializer *const *each = __init_array_start; each != __init_array_end; each++)
        (*each)(argc, argv, environment);
}

/* `stack` is as the kernel leaves it: argc, argv, the environment, the auxiliary vector. */
__attribute__((used, no_stack_protector)) static void quick_start_on(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1), **environment = argv + argc + 1, **end = environment;
    if (!cpuid_is_slow())
        return;
    __environ = environment;
    __libc_stack_end = stack;
    while (*end++ != NULL)
        continue;
    _dl_aux_init((ElfW(auxv_t) *)end);
    __tunables_init(environment);
    __x86_shared_non_temporal_threshold = NON_TEMPORAL_BYTES;
    __x86_rep_movsb_stop_threshold = NON_TEMPORAL_BYTES;
    choose_functions();
    __libc_setup_tls();
    set_guards();
    __libc_early_init(true);
    __libc_init_first(argc, argv, environment);
    __cxa_atexit(run_finalizers, NULL, NULL);
    if (__libc_enable_secure)
        __libc_check_standard_fds();
    run_initializers(argc, argv, environment);
    _dl_debug_initialize(0, 0);
    exit(main(argc, argv, environment));
}

/* The program's entry. The usual one wants the registers and the stack as they are now. */
__asm__(".text\n"
        ".globl quick_start\n"
        ".type quick_start, @function\n"
        "quick_start:\n\t"
        "xor %ebp, %ebp\n\t"
        "mov %rsp, %rbx\n\t"
        "mov %rdx, %r12\n\t"
        "mov %rsp, %rdi\n\t"
        "and $-16, %rsp\n\t"
        "call quick_start_on\n\t"
        "mov %rbx, %rsp\n\t"
        "mov %r12, %rdx\n\t"
        "jmp _start\n\t"
        ".size quick_start, . - quick_start\n");
