/*
 * snapshot.c - what snapshots cost, beside a bare prototype that does the least for the same end.
 *
 *     snapshot GUEST FOLDER [COUNT]     GUEST is the test guest (tests/vmm/guest)
 *
 * Each line: what, zvmm's smallest and median time, the prototype's, the ratio of the smallest.
 * On the rig under --icount a nanosecond is an instruction.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "snapshot.h"
#include "zvmm.h"

enum { COUNT_MAX = 1000, RING_BYTES = 1 << 16, RING_PAGES = 64 };

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void need(bool good, const char *what, const char *why)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

#define GOOD(call)                                                                                 \
    do {                                                                                           \
        error.text[0] = '\0';                                                                      \
        need((call) == 0, #call, error.text);                                                      \
    } while (0)

struct series {
    uint64_t value[COUNT_MAX];
    int count;
};

static void add(struct series *series, uint64_t value)
{
    series->value[series->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, struct series *ours, struct series *bare)
{
    qsort(ours->value, (size_t)ours->count, sizeof(uint64_t), by_value);
    printf("%-34s zvmm min=%llu median=%llu", what, (unsigned long long)ours->value[0],
           (unsigned long long)ours->value[ours->count / 2]);
    if (bare != NULL) {
        qsort(bare->value, (size_t)bare->count, sizeof(uint64_t), by_value);
        printf(" bare min=%llu median=%llu ratio=%.3f", (unsigned long long)bare->value[0],
               (unsigned long long)bare->value[bare->count / 2],
               (double)ours->value[0] / (double)bare->value[0]);
    }
    putchar('\n');
    fflush(stdout);
}

/* ---- The bare prototype: no checks, one known file --------------------------------------------
 */

struct bare {
    int kvm, vm, vcpu, file;
    struct zsnap_header *header;
    uint8_t *memory, *reference;
    struct kvm_run *run;
    struct kvm_dirty_gfn *ring;
    uint64_t *bitmap;
    uint32_t next;
};

static void *part(struct bare *bare, uint32_t type, uint64_t *length)
{
    for (uint32_t i = 0; i < bare->header->section_count; i++)
        if (bare->header->sections[i].type == type) {
            *length = bare->header->sections[i].length;
            return (uint8_t *)bare->header + bare->header->sections[i].offset;
        }
    return NULL;
}

static void set(struct bare *bare, int fd, unsigned long request, uint32_t type)
{
    uint64_t length = 0;
    void *bytes = part(bare, type, &length);
    if (bytes != NULL)
        need(ioctl(fd, request, bytes) >= 0, "prototype", "ioctl");
}

static void set_tables(struct bare *bare)
{
    static struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[32];
    } msrs;
    static struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[256];
    } cpuid;
    uint64_t length = 0;
    struct zsnap_msr *values = part(bare, ZSNAP_MSRS, &length);
    msrs.head.nmsrs = (uint32_t)(length / sizeof(*values));
    for (uint32_t i = 0; i < msrs.head.nmsrs; i++)
        msrs.entries[i] = (struct kvm_msr_entry){.index = values[i].index, .data = values[i].value};
    void *entries = part(bare, ZSNAP_CPUID, &length);
    cpuid.head.nent = (uint32_t)(length / sizeof(struct kvm_cpuid_entry2));
    memcpy(cpuid.entries, entries, length);
    need(ioctl(bare->vcpu, KVM_SET_CPUID2, &cpuid) == 0, "prototype", "CPUID");
    need(ioctl(bare->vcpu, KVM_SET_MSRS, &msrs) >= 0, "prototype", "MSRs");
}

static void set_state(struct bare *bare, bool irqchip)
{
    uint64_t length = 0;
    set(bare, bare->vcpu, KVM_SET_SREGS, ZSNAP_SREGS);
    set(bare, bare->vcpu, KVM_SET_XCRS, ZSNAP_XCRS);
    set(bare, bare->vcpu, KVM_SET_XSAVE, ZSNAP_XSAVE);
    if (irqchip) {
        struct kvm_irqchip *chips = part(bare, ZSNAP_IRQCHIP, &length);
        for (int i = 0; i < 3; i++)
            ioctl(bare->vm, KVM_SET_IRQCHIP, &chips[i]);
        set(bare, bare->vcpu, KVM_SET_LAPIC, ZSNAP_LAPIC);
    }
    set(bare, bare->vcpu, KVM_SET_DEBUGREGS, ZSNAP_DEBUGREGS);
    set(bare, bare->vcpu, KVM_SET_VCPU_EVENTS, ZSNAP_EVENTS);
    if (irqchip)
        set(bare, bare->vcpu, KVM_SET_MP_STATE, ZSNAP_MP_STATE);
    set(bare, bare->vcpu, KVM_SET_REGS, ZSNAP_REGS);
}

static void open_bare(struct bare *bare, const char *path, bool track)
{
    bare->file = open(path, O_RDONLY);
    bare->header = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE, bare->file, 0);
    bool irqchip = false;
    uint64_t bytes = bare->header->memory_bytes, memory = 0;
    for (uint32_t i = 0; i < bare->header->section_count; i++) {
        irqchip |= bare->header->sections[i].type == ZSNAP_LAPIC;
        if (bare->header->sections[i].type == ZSNAP_MEMORY)
            memory = bare->header->sections[i].offset;
    }
    bare->memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, bare->file, (off_t)memory);
    bare->reference = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, bare->file, (off_t)memory);
    bare->kvm = open("/dev/kvm", O_RDWR);
    bare->vm = ioctl(bare->kvm, KVM_CREATE_VM, 0);
    struct kvm_enable_cap cap = {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {RING_BYTES}};
    bool ring = track && irqchip && ioctl(bare->vm, KVM_ENABLE_CAP, &cap) == 0;
    struct kvm_userspace_memory_region region = {.flags = track ? KVM_MEM_LOG_DIRTY_PAGES : 0,
                                                 .memory_size = bytes,
                                                 .userspace_addr =
                                                     (uint64_t)(uintptr_t)bare->memory};
    need(ioctl(bare->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "prototype", "memory");
    if (irqchip)
        ioctl(bare->vm, KVM_CREATE_IRQCHIP, 0);
    bare->vcpu = ioctl(bare->vm, KVM_CREATE_VCPU, 0);
    bare->run = mmap(NULL, (size_t)ioctl(bare->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
                     PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu, 0);
    if (ring)
        bare->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu,
                          RING_PAGES * 4096);
    else if (track)
        bare->bitmap = calloc(1, bytes / 4096 / 8);
    set_tables(bare);
    set_state(bare, irqchip);
}

static void close_bare(struct bare *bare)
{
    munmap(bare->memory, bare->header->memory_bytes);
    munmap(bare->reference, bare->header->memory_bytes);
    munmap(bare->header, 64 << 10);
    munmap(bare->run, 3 << 12);
    close(bare->vcpu);
    close(bare->vm);
    close(bare->kvm);
    close(bare->file);
    *bare = (struct bare){0};
}

static void put_back(struct bare *bare, uint64_t page)
{
    memcpy(bare->memory + page * 4096, bare->reference + page * 4096, 4096);
}

static void reset_bare(struct bare *bare)
{
    if (bare->ring != NULL) {
        for (;; bare->next++) {
            struct kvm_dirty_gfn *entry = &bare->ring[bare->next % (RING_BYTES / 16)];
            if (entry->flags != KVM_DIRTY_GFN_F_DIRTY)
                break;
            put_back(bare, entry->offset);
            entry->flags = KVM_DIRTY_GFN_F_RESET;
        }
        ioctl(bare->vm, KVM_RESET_DIRTY_RINGS, 0);
    } else {
        struct kvm_dirty_log log = {.dirty_bitmap = bare->bitmap};
        ioctl(bare->vm, KVM_GET_DIRTY_LOG, &log);
        for (uint64_t i = 0; i < bare->header->memory_bytes / 4096 / 64; i++)
            for (uint64_t bits = bare->bitmap[i]; bits != 0; bits &= bits - 1)
                put_back(bare, i * 64 + (uint64_t)__builtin_ctzll(bits));
    }
    /* The pending exit, then all of the state. */
    bare->run->immediate_exit = 1;
    ioctl(bare->vcpu, KVM_RUN, 0);
    bare->run->immediate_exit = 0;
    set_tables(bare);
    set_state(bare, bare->ring != NULL);
}

/* ---- Measurements ------------------------------------------------------------------------------
 */

static struct zvmm_error error;

static struct zvmm_config config_for(const char *guest, const char *words)
{
    struct zvmm_config config;
    zvmm_config_defaults(&config);
    config.guest_path = guest;
    config.cmdline = words;
    config.in_fd = -1;
    config.stop_at = "marker:0x1001";
    return config;
}

/* A machine that has touched so many pages, and its snapshot. */
static void prepare(const char *guest, const char *words, const char *path, const char *stop)
{
    struct zvmm *vm;
    struct zvmm_result result;
    struct zvmm_config config = config_for(guest, words);
    config.stop_at = stop;
    GOOD(zvmm_create(&config, &vm, &error));
    GOOD(zvmm_run(vm, &result, &error));
    GOOD(zvmm_snapshot(vm, path, NULL, &error));
    zvmm_destroy(vm);
}

static void measure_restore(const char *path, int count)
{
    static struct series ours, bare;
    ours.count = bare.count = 0;
    for (int i = 0; i < count; i++) {
        struct zvmm *vm;
        struct zvmm_result result;
        struct bare prototype = {0};
        struct zvmm_config config = config_for(NULL, NULL);
        config.stop_at = "exits:1";
        uint64_t begin = now();
        GOOD(zvmm_restore(&config, path, &vm, &error));
        GOOD(zvmm_run(vm, &result, &error));
        add(&ours, now() - begin);
        zvmm_destroy(vm);
        begin = now();
        open_bare(&prototype, path, false);
        ioctl(prototype.vcpu, KVM_RUN, 0);
        add(&bare, now() - begin);
        close_bare(&prototype);
    }
    report("restore 128 MiB to first exit", &ours, &bare);
}

static uint64_t file_kib(const char *path)
{
    struct stat status;
    need(stat(path, &status) == 0, path, "no file");
    return (uint64_t)status.st_blocks / 2;
}

static void report_pause(struct series *pause, const char *what)
{
    char name[64];
    snprintf(name, sizeof(name), "  the guest stands still, %s", what);
    report(name, pause, NULL);
}

/* In one piece while the machine waits, and behind its back. */
static void measure_take(const char *guest, const char *words, const char *path, const char *what,
                         int count)
{
    static struct series now_, whole, pause;
    struct zvmm *vm;
    struct zvmm_result result;
    struct zvmm_config config = config_for(guest, words);
    struct take *take;
    char name[64];
    now_.count = whole.count = pause.count = 0;
    for (int i = 0; i < count; i++) {
        GOOD(zvmm_create(&config, &vm, &error));
        GOOD(zvmm_run(vm, &result, &error));
        unlink(path);
        uint64_t begin = now();
        GOOD(zvmm_snapshot_begin(vm, path, NULL, &take, &error));
        GOOD(zvmm_snapshot_end(take, &error));
        add(&whole, now() - begin);
        add(&pause, zvmm_stats(vm)->snapshot_pause_ns);
        unlink(path);
        begin = now();
        GOOD(zvmm_snapshot(vm, path, NULL, &error));
        add(&now_, now() - begin);
        zvmm_destroy(vm);
    }
    snprintf(name, sizeof(name), "take, 4 MiB %s", what);
    report(name, &now_, NULL);
    snprintf(name, sizeof(name), "take behind, 4 MiB %s", what);
    report(name, &whole, NULL);
    report_pause(&pause, what);
    printf("  file %llu KiB\n", (unsigned long long)file_kib(path));
}

static void measure_incremental(const char *guest, unsigned pages, const char *folder, int count)
{
    static struct series now_, whole, pause;
    struct zvmm *vm;
    struct zvmm_result result;
    struct take *take;
    char words[32], parent[512], path[512], name[64];
    now_.count = whole.count = pause.count = 0;
    snprintf(words, sizeof(words), "dirty %u", pages);
    snprintf(parent, sizeof(parent), "%s/parent.zsnap", folder);
    snprintf(path, sizeof(path), "%s/child.zsnap", folder);
    prepare(guest, words, parent, "marker:0x1000");
    struct zvmm_config config = config_for(NULL, NULL);
    config.incremental = true;
    for (int i = 0; i < count; i++) {
        bool behind = i % 2 == 0;
        GOOD(zvmm_restore(&config, parent, &vm, &error));
        GOOD(zvmm_run(vm, &result, &error));
        unlink(path);
        uint64_t begin = now();
        if (behind) {
            GOOD(zvmm_snapshot_begin(vm, path, parent, &take, &error));
            GOOD(zvmm_snapshot_end(take, &error));
            add(&pause, zvmm_stats(vm)->snapshot_pause_ns);
        } else {
            GOOD(zvmm_snapshot(vm, path, parent, &error));
        }
        add(behind ? &whole : &now_, now() - begin);
        zvmm_destroy(vm);
    }
    snprintf(name, sizeof(name), "incremental, %u pages", pages);
    report(name, &now_, NULL);
    snprintf(name, sizeof(name), "incremental behind, %u pages", pages);
    report(name, &whole, NULL);
    report_pause(&pause, "incremental");
    printf("  file %llu KiB\n", (unsigned long long)file_kib(path));
}

static void measure_reset(const char *guest, unsigned pages, const char *folder, int count)
{
    static struct series ours, bare;
    struct zvmm *vm;
    struct zvmm_result result;
    struct bare prototype = {0};
    char words[32], path[512], name[64];
    ours.count = bare.count = 0;
    snprintf(words, sizeof(words), "dirty %u", pages);
    snprintf(path, sizeof(path), "%s/reset.zsnap", folder);
    prepare(guest, words, path, "marker:0x1000");
    struct zvmm_config config = config_for(NULL, NULL);
    config.resettable = true;
    GOOD(zvmm_restore(&config, path, &vm, &error));
    GOOD(zvmm_mark(vm, &error));
    open_bare(&prototype, path, true);
    ioctl(prototype.vcpu, KVM_RUN, 0);
    reset_bare(&prototype);
    for (int i = 0; i < count; i++) {
        uint64_t begin = now();
        GOOD(zvmm_run(vm, &result, &error));
        GOOD(zvmm_reset(vm, &error));
        add(&ours, now() - begin);
        begin = now();
        ioctl(prototype.vcpu, KVM_RUN, 0);
        reset_bare(&prototype);
        add(&bare, now() - begin);
    }
    close_bare(&prototype);
    zvmm_destroy(vm);
    snprintf(name, sizeof(name), "run and reset, %u pages", pages);
    report(name, &ours, &bare);
}

int main(int argc, char *argv[])
{
    need(argc >= 3, "usage", "snapshot GUEST FOLDER [COUNT]");
    int count = argc > 3 ? atoi(argv[3]) : 200;
    char path[512];
    need(count > 0 && count <= COUNT_MAX, "count", "1 to 1000");
    snprintf(path, sizeof(path), "%s/bench.zsnap", argv[2]);
    prepare(argv[1], "touch 1024 1", path, "marker:0x1001");
    measure_restore(path, count);
    measure_take(argv[1], "touch 1024 1", path, "contiguous", count / 4 + 1);
    measure_take(argv[1], "touch 1024 16", path, "scattered", count / 4 + 1);
    measure_incremental(argv[1], 100, argv[2], count / 2 + 2);
    measure_reset(argv[1], 1, argv[2], count);
    measure_reset(argv[1], 10, argv[2], count);
    measure_reset(argv[1], 100, argv[2], count);
    return 0;
}
