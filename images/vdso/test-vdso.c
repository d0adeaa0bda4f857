/*
 * Runs the code of a vDSO image on a Linux host, without a kernel of ours. The image is put in
 * memory and its constants are patched as the kernel would do it; every `syscall` that the image's
 * note records is replaced by `ud2`, so that system calls end in a signal handler here, which
 * checks the registers and plays kernel. Prints one line a case, "ok - text" or "not ok - text",
 * for check-vdso.sh to number.
 *
 * usage: test-vdso libzircon.so
 */

#define _GNU_SOURCE
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <x86intrin.h>

#include <zircon/errors.h>
#include <zircon/exception.h>
#include <zircon/features.h>
#include <zircon/syscalls.h>
#include <zircon/time.h>
#include <zircon/vdso.h>
#include <zircon/vm.h>

#define PAGE      4096u
#define JUNK      0x6a756e6b6a756e6bu /* what the fake kernel leaves in registers it may change */
#define MAX_CALLS 8

/* The image in memory and what its headers say. */
static struct {
    uint8_t *base;
    size_t size;
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *hash;
    const struct zvmm_vdso_note *note;
    size_t list_length; /* of note->syscalls */
    struct zvmm_vdso_time_note time_note;
    bool has_time_note;
} image;

/* The fake kernel: what it answers, and what it was asked. */
static struct {
    int64_t results[MAX_CALLS]; /* of the first, second, ... call */
    int calls;
    uint64_t numbers[MAX_CALLS];
    uint64_t arguments[MAX_CALLS][8];
    sigjmp_buf *on_exit; /* where to go when the thread or the process ends */
} kernel;

static void report(bool ok, const char *text)
{
    printf("%s - %s\n", ok ? "ok" : "not ok", text);
}

static void fail(const char *reason)
{
    printf("Bail out! %s\n", reason);
    exit(1);
}

/* --- Loading --- */

static void read_notes(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        const Elf64_Nhdr *header = (const Elf64_Nhdr *)at;
        const char *owner = (const char *)(header + 1);
        const uint8_t *desc = (const uint8_t *)owner + ((header->n_namesz + 3) & ~3u);

        if (header->n_namesz == sizeof(ZVMM_NOTE_OWNER) && strcmp(owner, ZVMM_NOTE_OWNER) == 0) {
            if (header->n_type == ZVMM_NOTE_VDSO) {
                image.note = (const struct zvmm_vdso_note *)desc;
                image.list_length =
                    (header->n_descsz - sizeof(*image.note)) / sizeof(image.note->syscalls[0]);
            } else if (header->n_type == ZVMM_NOTE_VDSO_TIME) {
                memcpy(&image.time_note, desc, sizeof(image.time_note));
                image.has_time_note = true;
            }
        }
        at = desc + ((header->n_descsz + 3) & ~3u);
    }
}

static void read_dynamic(const Elf64_Dyn *entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        const uint8_t *at = image.base + entry->d_un.d_ptr;
        if (entry->d_tag == DT_SYMTAB)
            image.symbols = (const Elf64_Sym *)at;
        else if (entry->d_tag == DT_STRTAB)
            image.strings = (const char *)at;
        else if (entry->d_tag == DT_GNU_HASH)
            image.hash = (const uint32_t *)at;
    }
}

static void load(const char *path)
{
    static uint8_t file[1 << 20];
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Phdr *segments;
    FILE *stream = fopen(path, "rb");

    if (!stream || fread(file, 1, sizeof(file), stream) < sizeof(*header))
        fail("cannot read the image");
    fclose(stream);
    segments = (const Elf64_Phdr *)(file + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD)
            image.size = segments[i].p_vaddr + segments[i].p_memsz;
    }
    image.base = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image.base == MAP_FAILED)
        fail("mmap");
    memcpy(image.base, file, image.size);
    for (int i = 0; i < header->e_phnum; i++) {
        uint8_t *at = image.base + segments[i].p_vaddr;
        if (segments[i].p_type == PT_NOTE)
            read_notes(at, at + segments[i].p_memsz);
        else if (segments[i].p_type == PT_DYNAMIC)
            read_dynamic((const Elf64_Dyn *)at);
    }
}

/* Where a name is exported, found through the GNU hash table; NULL if it is not. */
static void *find(const char *name)
{
    uint32_t buckets = image.hash[0];
    uint32_t first = image.hash[1];
    const uint32_t *bucket = image.hash + 4 + image.hash[2] * 2;
    const uint32_t *chain = bucket + buckets;
    uint32_t hash = 5381;
    uint32_t index;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (uint8_t)*c;
    index = bucket[hash % buckets];
    if (index == 0)
        return NULL;
    for (;; index++) {
        const Elf64_Sym *symbol = &image.symbols[index];
        if ((chain[index - first] | 1) == (hash | 1) &&
            strcmp(image.strings + symbol->st_name, name) == 0)
            return image.base + symbol->st_value;
        if (chain[index - first] & 1)
            return NULL;
    }
}

static void *must_find(const char *name)
{
    void *address = find(name);
    if (!address)
        fail(name);
    return address;
}

/* The function of this name in the image, with the type of its prototype. */
#define ENTRY(name) ((__typeof__(&name))must_find(#name))

/* --- The fake kernel --- */

static void reset_kernel(void)
{
    memset(&kernel, 0, sizeof(kernel));
}

static void on_system_call(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t return_pc = (uint64_t)regs[REG_RIP] + 2 - (uint64_t)image.base;
    uint64_t number = (uint64_t)regs[REG_RAX];
    int call = kernel.calls;

    (void)signal;
    (void)info;
    for (size_t i = 0;; i++) {
        if (i == image.list_length || call == MAX_CALLS)
            _exit(3); /* a trap that is no recorded call: the image gave up */
        const struct zvmm_vdso_syscall *entry = &image.note->syscalls[i];
        if (entry->return_pc == return_pc && entry->number == number)
            break;
    }
    const int registers[8] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9, REG_R12, REG_R13};
    for (int i = 0; i < 8; i++)
        kernel.arguments[call][i] = (uint64_t)regs[registers[i]];
    kernel.numbers[call] = number;
    kernel.calls++;
    for (int i = 0; i < 6; i++)
        regs[registers[i]] = JUNK;
    regs[REG_RCX] = regs[REG_R11] = JUNK;
    regs[REG_RAX] = kernel.results[call];
    regs[REG_RIP] += 2;
    if (number == 97 || number == 134)
        siglongjmp(*kernel.on_exit, 1);
}

static void start_fake_kernel(void)
{
    struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO | SA_NODEFER};

    for (size_t i = 0; i < image.list_length; i++)
        image.base[image.note->syscalls[i].return_pc - 1] = 0x0b; /* 0f 05 syscall -> 0f 0b ud2 */
    sigaction(SIGILL, &action, NULL);
    if (mprotect(image.base + image.note->code_start, image.note->code_end - image.note->code_start,
                 PROT_READ | PROT_EXEC))
        fail("mprotect");
}

/* --- Cases --- */

static void test_notes(void)
{
    bool seen[4096] = {false};
    bool places = true, numbers = true, patchable = true;
    int syscalls = 0;

    for (size_t i = 0; i < image.list_length; i++) {
        uint32_t number = image.note->syscalls[i].number;
        uint64_t pc = image.note->syscalls[i].return_pc;
        if (pc < image.note->code_start + 7 || pc > image.note->code_end || number >= 4096) {
            report(false, "note: an entry is outside the code");
            return;
        }
        const uint8_t *before = image.base + pc - 7;
        places = places && before[5] == 0x0f && before[6] == 0x05;
        patchable = patchable && before[0] == 0xb8 && memcmp(before + 1, &number, 4) == 0;
        seen[number] = true;
    }
#define SYSCALL(number, name, ret, flags, ...) numbers = numbers && seen[number];
#include <zircon/syscalls.def>
    for (uint64_t at = image.note->code_start; at + 7 <= image.note->code_end; at++) {
        const uint8_t *code = image.base + at;
        if (code[0] == 0xb8 && code[3] == 0 && code[4] == 0 && code[5] == 0x0f && code[6] == 0x05)
            syscalls++;
    }
    report(places, "note: every recorded place follows a syscall instruction");
    report(patchable, "note: every recorded syscall is preceded by mov $number,%eax");
    report(numbers, "note: every number of the table has a place");
    report(syscalls == (int)image.list_length, "note: every syscall instruction is recorded");
    report(image.note->code_start % PAGE == 0 && image.note->code_end == image.size &&
               image.size % PAGE == 0,
           "note: the code is whole pages and ends the image");
    report(image.has_time_note && image.time_note.ticks_get >= image.note->code_start,
           "note: entries that ask the kernel for the time");
}

static void patch_constants(struct vdso_constants values)
{
    struct vdso_constants *constants =
        (struct vdso_constants *)(image.base + image.note->constants);
    mprotect(image.base, image.note->code_start, PROT_READ | PROT_WRITE);
    *constants = values;
    mprotect(image.base, image.note->code_start, PROT_READ);
}

/* What it was in the file, or -1 if there is no such place. */
static uint64_t set_ticks_offset(uint64_t offset)
{
    uint64_t place = image.time_note.ticks_offset, before;
    if (place % 8 != 0 || place > image.note->code_start - 8)
        return UINT64_MAX;
    memcpy(&before, image.base + place, 8);
    mprotect(image.base, image.note->code_start, PROT_READ | PROT_WRITE);
    memcpy(image.base + place, &offset, 8);
    mprotect(image.base, image.note->code_start, PROT_READ);
    return before;
}

static void test_constants(void)
{
    const uint32_t *words = (const uint32_t *)(image.base + image.note->constants);
    bool unset = true;
    char version[64];
    uint32_t feature = 0;

    for (size_t i = 0; i < sizeof(struct vdso_constants) / 4; i++)
        unset = unset && words[i] == ZX_VDSO_CONSTANTS_UNSET;
    report(unset, "constants: unset in the file");
    patch_constants((struct vdso_constants){
        .max_num_cpus = 3,
        .features_cpu = ZX_HAS_CPU_FEATURES,
        .features_hw_breakpoint_count = 4,
        .features_hw_watchpoint_count = 5,
        .dcache_line_size = 64,
        .ticks_per_second = 2000000000,
        .ticks_to_mono_numerator = 1,
        .ticks_to_mono_denominator = 2,
        .physmem = 1ull << 33,
        .version = "a version",
    });
    report(ENTRY(zx_system_get_num_cpus)() == 3, "zx_system_get_num_cpus");
    report(ENTRY(zx_system_get_physmem)() == 1ull << 33, "zx_system_get_physmem");
    report(ENTRY(zx_system_get_dcache_line_size)() == 64, "zx_system_get_dcache_line_size");
    report(ENTRY(zx_ticks_per_second)() == 2000000000, "zx_ticks_per_second");
    report(ENTRY(zx_system_get_features)(0, &feature) == ZX_OK && feature == ZX_HAS_CPU_FEATURES &&
               ENTRY(zx_system_get_features)(1, &feature) == ZX_OK && feature == 4 &&
               ENTRY(zx_system_get_features)(2, &feature) == ZX_OK && feature == 5 &&
               ENTRY(zx_system_get_features)(3, &feature) == ZX_ERR_NOT_SUPPORTED,
           "zx_system_get_features");
    report(ENTRY(zx_system_get_version)(version, 63) == ZX_ERR_BUFFER_TOO_SMALL &&
               ENTRY(zx_system_get_version)(version, 64) == ZX_OK &&
               strcmp(version, "a version") == 0,
           "zx_system_get_version");
    report(ENTRY(zx_cache_flush)(version, 64, ZX_CACHE_FLUSH_DATA) == ZX_OK &&
               ENTRY(zx_cache_flush)(version, 64, ZX_CACHE_FLUSH_INVALIDATE) == ZX_ERR_INVALID_ARGS,
           "zx_cache_flush");
}

/* The definition in words: ticks * numerator / denominator, rounded down and saturating. */
static zx_time_t expected_time(zx_ticks_t ticks, uint32_t numerator, uint32_t denominator)
{
    __int128 product = (__int128)ticks * numerator;
    __int128 quotient = product / denominator;
    if (product % denominator < 0)
        quotient--;
    if (quotient > INT64_MAX)
        return INT64_MAX;
    return quotient < INT64_MIN ? INT64_MIN : (zx_time_t)quotient;
}

/*
 * The clock cannot be stopped, so each ratio is checked by bracketing: clock reading between two
 * readings of the counter, converted here.
 */
static void test_time(void)
{
    static const uint32_t ratios[][2] = {
        {1, 2},          {1000, 1999},    {1, 1},
        {UINT32_MAX, 1}, {1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX - 1},
    };
    bool clock_ok = true, deadline_ok = true;
    zx_ticks_t before, after;

    before = (zx_ticks_t)__rdtsc();
    zx_ticks_t ticks = ENTRY(zx_ticks_get)();
    after = (zx_ticks_t)__rdtsc();
    report(before <= ticks && ticks <= after, "zx_ticks_get is the time stamp counter");
    bool unset = set_ticks_offset(1000000) == 0;
    before = (zx_ticks_t)__rdtsc();
    ticks = ENTRY(zx_ticks_get)() - 1000000;
    after = (zx_ticks_t)__rdtsc();
    report(unset && before <= ticks && ticks <= after, "plus an offset that may be set");
    set_ticks_offset(0);

    for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        uint32_t numerator = ratios[i][0], denominator = ratios[i][1];
        patch_constants((struct vdso_constants){.ticks_to_mono_numerator = numerator,
                                                .ticks_to_mono_denominator = denominator});
        before = (zx_ticks_t)__rdtsc();
        zx_time_t now = ENTRY(zx_clock_get_monotonic)();
        zx_time_t past = ENTRY(zx_deadline_after)(-10);
        zx_time_t never = ENTRY(zx_deadline_after)(ZX_TIME_INFINITE);
        zx_time_t always = ENTRY(zx_deadline_after)(ZX_TIME_INFINITE_PAST);
        after = (zx_ticks_t)__rdtsc();
        zx_time_t low = expected_time(before, numerator, denominator);
        zx_time_t high = expected_time(after, numerator, denominator);
        clock_ok = clock_ok && low <= now && now <= high;
        deadline_ok =
            deadline_ok && low - 10 <= past && past <= high - 10 && never == ZX_TIME_INFINITE &&
            always == zx_time_add_duration(always - ZX_TIME_INFINITE_PAST, ZX_TIME_INFINITE_PAST) &&
            always < 0;
    }
    report(clock_ok, "zx_clock_get_monotonic");
    report(deadline_ok, "zx_deadline_after");

    reset_kernel();
    kernel.results[0] = 1ll << 40;
    kernel.results[1] = 77;
    kernel.results[2] = ZX_TIME_INFINITE - 5;
    zx_time_t (*via_kernel)(void) =
        (zx_time_t(*)(void))(image.base + image.time_note.clock_get_monotonic);
    zx_ticks_t (*ticks_via_kernel)(void) =
        (zx_ticks_t(*)(void))(image.base + image.time_note.ticks_get);
    zx_time_t (*deadline_via_kernel)(zx_duration_t) =
        (zx_time_t(*)(zx_duration_t))(image.base + image.time_note.deadline_after);
    bool ok = via_kernel() == 1ll << 40 && ticks_via_kernel() == 77 &&
              deadline_via_kernel(100) == ZX_TIME_INFINITE;
    report(ok && kernel.numbers[0] == 12 && kernel.numbers[1] == 63 && kernel.numbers[2] == 12,
           "time by way of the kernel");
}

static void test_strings(void)
{
    report(strcmp(ENTRY(zx_status_get_string)(ZX_OK), "ZX_OK") == 0 &&
               strcmp(ENTRY(zx_status_get_string)(ZX_ERR_CONNECTION_ABORTED),
                      "ZX_ERR_CONNECTION_ABORTED") == 0 &&
               strcmp(ENTRY(zx_status_get_string)(-999), "(UNKNOWN)") == 0,
           "zx_status_get_string");
    report(strcmp(ENTRY(zx_exception_get_string)(ZX_EXCP_POLICY_ERROR), "ZX_EXCP_POLICY_ERROR") ==
                   0 &&
               strcmp(ENTRY(zx_exception_get_string)(1), "(UNKNOWN)") == 0,
           "zx_exception_get_string");
}

/* Eight arguments whose values tell their place, with the upper halves in use. */
#define ARG(i) (0xa5000000c0000000u + (i))

typedef int64_t (*any_function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t);

/* Calls one entry under both names, `interruptions` times interrupted; true if all is right. */
static bool check_stub(const char *name, uint32_t number, int flags, int nargs, int interruptions)
{
    char strong[80], weak[80];
    sigjmp_buf buffer;
    volatile int64_t result = 0;

    snprintf(strong, sizeof(strong), "_zx_%s", name);
    snprintf(weak, sizeof(weak), "zx_%s", name);
    any_function function = (any_function)find(strong);
    if (flags & SC_INTERNAL)
        return !function && !find(weak);
    if (!function || find(weak) != (void *)function)
        return false;
    if (flags & SC_VDSO_WRAP)
        return true;

    reset_kernel();
    for (int i = 0; i < interruptions; i++)
        kernel.results[i] = ZX_ERR_INTERNAL_INTR_RETRY;
    kernel.results[interruptions] = 0x123456789;
    kernel.on_exit = &buffer;
    if (sigsetjmp(buffer, 1) == 0) {
        result = function(ARG(0), ARG(1), ARG(2), ARG(3), ARG(4), ARG(5), ARG(6), ARG(7));
        if ((flags & SC_NORETURN) || result != 0x123456789)
            return false;
    }
    if (kernel.calls != interruptions + 1)
        return false;
    for (int call = 0; call < kernel.calls; call++) {
        if (kernel.numbers[call] != number)
            return false;
        for (int i = 0; i < nargs; i++) {
            if (kernel.arguments[call][i] != ARG((uint64_t)i))
                return false;
        }
    }
    return true;
}

static void test_stubs(void)
{
    bool all = true;

#define SYSCALL(number, name, ret, flags, ...)                                                     \
    if (!check_stub(#name, number, flags, SC_NARGS(__VA_ARGS__), (flags)&SC_RETRY ? 2 : 0)) {      \
        printf("# %s\n", #name);                                                                   \
        all = false;                                                                               \
    }
#include <zircon/syscalls.def>
    report(all, "every numbered entry passes its arguments, both names");

    all = true;
#define VDSO_ENTRY(name, ...)                                                                      \
    all = all && find("zx_" #name) && find("zx_" #name) == find("_zx_" #name);
#include <zircon/syscalls.def>
    report(all, "every user-space entry exists, both names");
    report(!find("zx_no_such_entry"), "an unknown name is not found");
}

static void test_channel_call(void)
{
    zx_channel_call_args_t args;
    uint32_t bytes, handles;
    const uint64_t *first = kernel.arguments[0];
    const uint64_t *third = kernel.arguments[2];

    reset_kernel();
    kernel.results[0] = kernel.results[1] = ZX_ERR_INTERNAL_INTR_RETRY;
    kernel.results[2] = ZX_ERR_PEER_CLOSED;
    zx_status_t status = ENTRY(zx_channel_call)(7, 1, 99, &args, &bytes, &handles);
    report(status == ZX_ERR_PEER_CLOSED && kernel.calls == 3 && kernel.numbers[0] == 8 &&
               kernel.numbers[1] == 9 && kernel.numbers[2] == 9,
           "zx_channel_call finishes an interrupted call");
    report((uint32_t)first[0] == 7 && (uint32_t)first[1] == 1 && first[2] == 99 &&
               first[3] == (uint64_t)&args && first[4] == (uint64_t)&bytes &&
               first[5] == (uint64_t)&handles && third[0] == 99 && third[1] == (uint64_t)&args &&
               third[2] == (uint64_t)&bytes && third[3] == (uint64_t)&handles,
           "zx_channel_call passes its arguments on");
}

static void test_cprng_draw(void)
{
    char buffer[600];

    reset_kernel();
    ENTRY(zx_cprng_draw)(buffer, sizeof(buffer));
    report(kernel.calls == 3 && kernel.numbers[0] == 17 && kernel.arguments[0][1] == 256 &&
               kernel.arguments[1][0] == (uint64_t)buffer + 256 && kernel.arguments[2][1] == 88,
           "zx_cprng_draw splits its buffer");
}

static void test_wrapper(void)
{
    reset_kernel();
    kernel.results[0] = 50;
    kernel.results[1] = 51;
    report(ENTRY(zx_syscall_test_wrapper)(1, -1, 1) == ZX_ERR_INVALID_ARGS && kernel.calls == 0 &&
               ENTRY(zx_syscall_test_wrapper)(1, 2, 3) == 50 &&
               ENTRY(zx_syscall_test_wrapper)(1, 2, 3) == ZX_ERR_OUT_OF_RANGE,
           "zx_syscall_test_wrapper checks arguments and result");
}

static bool called(int call, uint64_t number, uint32_t argument)
{
    return kernel.numbers[call] == number &&
           (number == 134 || (uint32_t)kernel.arguments[call][0] == argument);
}

static void test_thread_exits(void)
{
    sigjmp_buf buffer;
    static zx_futex_t futex;

    futex = 1;
    reset_kernel();
    kernel.on_exit = &buffer;
    if (sigsetjmp(buffer, 1) == 0)
        ENTRY(zx_futex_wake_handle_close_thread_exit)(&futex, 5, -3, 42);
    report(futex == -3 && kernel.calls == 3 && kernel.numbers[0] == 35 &&
               kernel.arguments[0][0] == (uint64_t)&futex && kernel.arguments[0][1] == 5 &&
               called(1, 42, 42) && called(2, 134, 0),
           "zx_futex_wake_handle_close_thread_exit");

    reset_kernel();
    kernel.on_exit = &buffer;
    if (sigsetjmp(buffer, 1) == 0)
        ENTRY(zx_vmar_unmap_handle_close_thread_exit)(9, 0x1000, 0x2000, 43);
    report(kernel.calls == 3 && called(0, 150, 9) && kernel.arguments[0][1] == 0x1000 &&
               kernel.arguments[0][2] == 0x2000 && called(1, 42, 43) && called(2, 134, 0),
           "zx_vmar_unmap_handle_close_thread_exit");

    reset_kernel();
    kernel.results[0] = ZX_ERR_INVALID_ARGS;
    zx_status_t status = ENTRY(zx_vmar_unmap_handle_close_thread_exit)(9, 0x1000, 0x2000, 43);
    report(status == ZX_ERR_INVALID_ARGS && kernel.calls == 1,
           "zx_vmar_unmap_handle_close_thread_exit returns if the unmapping fails");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s libzircon.so\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* the handler may end the program */
    load(argv[1]);
    if (!image.note || !image.symbols || !image.strings || !image.hash)
        fail("the image lacks its note, symbols or hash table");
    test_notes();
    start_fake_kernel();
    test_constants();
    test_time();
    test_strings();
    test_stubs();
    test_channel_call();
    test_cprng_draw();
    test_wrapper();
    test_thread_exits();
    return 0;
}
