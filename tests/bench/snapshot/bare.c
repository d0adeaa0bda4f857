/* bare.c - the least that snapshots can cost here. */
#include "bare.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, RING_BYTES = 1 << 16, RING_PAGES = 64, ASIDE_PAGES = 512, FRONT = 64 << 10 };

#define SYNC_ALL (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

void need(bool good, const char *what, const char *why)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* ---- The vCPU ---------------------------------------------------------------------------------
 */

static void *part(const struct bare *bare, uint32_t type, uint64_t *length)
{
    for (uint32_t i = 0; i < bare->header->section_count; i++)
        if (bare->header->sections[i].type == type) {
            *length = bare->header->sections[i].length;
            return (uint8_t *)bare->header + bare->header->sections[i].offset;
        }
    return NULL;
}

static void set(const struct bare *bare, unsigned long request, uint32_t type)
{
    uint64_t length = 0;
    void *bytes = part(bare, type, &length);
    if (bytes != NULL)
        need(ioctl(bare->vcpu, request, bytes) >= 0, "prototype", "ioctl");
}

struct msrs {
    struct kvm_msrs head;
    struct kvm_msr_entry entries[32];
};

static void list_msrs(const struct bare *bare, struct msrs *msrs)
{
    uint64_t length = 0;
    const struct zsnap_msr *values = part(bare, ZSNAP_MSRS, &length);
    msrs->head.nmsrs = (uint32_t)(length / sizeof(*values));
    for (uint32_t i = 0; i < msrs->head.nmsrs; i++)
        msrs->entries[i] =
            (struct kvm_msr_entry){.index = values[i].index, .data = values[i].value};
}

static void set_cpuid(const struct bare *bare)
{
    static struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[256];
    } cpuid;
    uint64_t length = 0;
    const void *entries = part(bare, ZSNAP_CPUID, &length);
    cpuid.head.nent = (uint32_t)(length / sizeof(struct kvm_cpuid_entry2));
    memcpy(cpuid.entries, entries, length);
    need(ioctl(bare->vcpu, KVM_SET_CPUID2, &cpuid) == 0, "prototype", "CPUID");
}

/* Registers, segments and events travel with the next KVM_RUN. */
static void set_state(struct bare *bare)
{
    uint64_t length = 0;
    struct kvm_sync_regs *sync = &bare->run->s.regs;
    struct msrs msrs;
    memcpy(&sync->regs, part(bare, ZSNAP_REGS, &length), sizeof(sync->regs));
    memcpy(&sync->sregs, part(bare, ZSNAP_SREGS, &length), sizeof(sync->sregs));
    memcpy(&sync->events, part(bare, ZSNAP_EVENTS, &length), sizeof(sync->events));
    bare->run->kvm_dirty_regs = SYNC_ALL;
    set(bare, KVM_SET_XCRS, ZSNAP_XCRS);
    set(bare, KVM_SET_XSAVE, ZSNAP_XSAVE);
    set(bare, KVM_SET_DEBUGREGS, ZSNAP_DEBUGREGS);
    set(bare, KVM_SET_LAPIC, ZSNAP_LAPIC);
    list_msrs(bare, &msrs);
    need(ioctl(bare->vcpu, KVM_SET_MSRS, &msrs) >= 0, "prototype", "MSRs");
}

/* The pending exit, then all of the state; nobody looks at it. */
static void get_state(const struct bare *bare)
{
    static struct kvm_xsave xsave;
    static struct kvm_xcrs xcrs;
    static struct kvm_debugregs debugregs;
    static struct kvm_lapic_state lapic;
    struct msrs msrs;
    bare->run->immediate_exit = 1;
    bare->run->kvm_valid_regs = SYNC_ALL;
    ioctl(bare->vcpu, KVM_RUN, 0);
    bare->run->immediate_exit = 0;
    bare->run->kvm_valid_regs = 0;
    ioctl(bare->vcpu, KVM_GET_XSAVE, &xsave);
    ioctl(bare->vcpu, KVM_GET_DEBUGREGS, &debugregs);
    if (bare->lapic) {
        ioctl(bare->vcpu, KVM_GET_XCRS, &xcrs);
        ioctl(bare->vcpu, KVM_GET_LAPIC, &lapic);
    }
    list_msrs(bare, &msrs);
    ioctl(bare->vcpu, KVM_GET_MSRS, &msrs);
}

/* ---- The machine ------------------------------------------------------------------------------
 */

static void map_file(struct bare *bare, const char *path)
{
    uint64_t memory = 0;
    bare->file = open(path, O_RDONLY);
    bare->header = mmap(NULL, FRONT, PROT_READ | PROT_WRITE, MAP_PRIVATE, bare->file, 0);
    need(bare->header != MAP_FAILED, path, "cannot be mapped");
    for (uint32_t i = 0; i < bare->header->section_count; i++) {
        bare->lapic |= bare->header->sections[i].type == ZSNAP_LAPIC;
        if (bare->header->sections[i].type == ZSNAP_MEMORY)
            memory = bare->header->sections[i].offset;
    }
    uint64_t bytes = bare->header->memory_bytes;
    bare->memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, bare->file, (off_t)memory);
    bare->reference = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, bare->file, (off_t)memory);
}

static void make_vm(struct bare *bare, bool track)
{
    uint64_t bytes = bare->header->memory_bytes;
    bare->kvm = open("/dev/kvm", O_RDWR);
    bare->vm = ioctl(bare->kvm, KVM_CREATE_VM, 0);
    struct kvm_enable_cap ring = {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {RING_BYTES}};
    bool has_ring = track && bare->lapic && ioctl(bare->vm, KVM_ENABLE_CAP, &ring) == 0;
    struct kvm_userspace_memory_region region = {.flags = track ? KVM_MEM_LOG_DIRTY_PAGES : 0,
                                                 .memory_size = bytes,
                                                 .userspace_addr =
                                                     (uint64_t)(uintptr_t)bare->memory};
    need(ioctl(bare->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "prototype", "memory");
    struct kvm_enable_cap lapic = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    if (bare->lapic)
        ioctl(bare->vm, KVM_ENABLE_CAP, &lapic);
    bare->vcpu = ioctl(bare->vm, KVM_CREATE_VCPU, 0);
    bare->run = mmap(NULL, (size_t)ioctl(bare->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
                     PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu, 0);
    if (has_ring)
        bare->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu,
                          RING_PAGES * PAGE);
    else if (track)
        bare->bitmap = calloc(1, bytes / PAGE / 8);
    if (track)
        bare->aside = mmap(NULL, ASIDE_PAGES * PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

void bare_open(struct bare *bare, const char *path, bool track)
{
    *bare = (struct bare){0};
    map_file(bare, path);
    make_vm(bare, track);
    set_cpuid(bare);
    if (bare->lapic)
        set(bare, KVM_SET_SREGS, ZSNAP_SREGS);
    set_state(bare);
    if (bare->lapic)
        set(bare, KVM_SET_MP_STATE, ZSNAP_MP_STATE);
}

void bare_close(struct bare *bare)
{
    munmap(bare->memory, bare->header->memory_bytes);
    munmap(bare->reference, bare->header->memory_bytes);
    munmap(bare->header, FRONT);
    munmap(bare->run, 3 << 12);
    if (bare->ring != NULL)
        munmap(bare->ring, RING_BYTES);
    if (bare->aside != NULL)
        munmap(bare->aside, ASIDE_PAGES * PAGE);
    free(bare->bitmap);
    close(bare->vcpu);
    close(bare->vm);
    close(bare->kvm);
    close(bare->file);
    *bare = (struct bare){0};
}

void bare_run(struct bare *bare)
{
    ioctl(bare->vcpu, KVM_RUN, 0);
}

/* ---- Written pages ----------------------------------------------------------------------------
 */

static void for_each_written(struct bare *bare, void (*visit)(struct bare *, uint64_t page))
{
    if (bare->ring != NULL) {
        for (;; bare->next++) {
            struct kvm_dirty_gfn *entry = &bare->ring[bare->next % (RING_BYTES / sizeof(*entry))];
            if (entry->flags != KVM_DIRTY_GFN_F_DIRTY)
                break;
            visit(bare, entry->offset);
            entry->flags = KVM_DIRTY_GFN_F_RESET;
        }
        ioctl(bare->vm, KVM_RESET_DIRTY_RINGS, 0);
        return;
    }
    struct kvm_dirty_log log = {.dirty_bitmap = bare->bitmap};
    ioctl(bare->vm, KVM_GET_DIRTY_LOG, &log);
    for (uint64_t i = 0; i < bare->header->memory_bytes / PAGE / 64; i++)
        for (uint64_t bits = bare->bitmap[i]; bits != 0; bits &= bits - 1)
            visit(bare, i * 64 + (uint64_t)__builtin_ctzll(bits));
}

static void put_back(struct bare *bare, uint64_t page)
{
    memcpy(bare->memory + page * PAGE, bare->reference + page * PAGE, PAGE);
}

void bare_reset(struct bare *bare)
{
    for_each_written(bare, put_back);
    bare->run->immediate_exit = 1;
    ioctl(bare->vcpu, KVM_RUN, 0);
    bare->run->immediate_exit = 0;
    set_state(bare);
}

static void copy_aside(struct bare *bare, uint64_t page)
{
    memcpy(bare->aside + page % ASIDE_PAGES * PAGE, bare->memory + page * PAGE, PAGE);
}

void bare_set_aside(struct bare *bare)
{
    get_state(bare);
    for_each_written(bare, copy_aside);
}

/* ---- All pages --------------------------------------------------------------------------------
 */

void bare_take(struct bare *bare, const char *path)
{
    static uint64_t entries[1 << 15];
    uint64_t pages = bare->header->memory_bytes / PAGE;
    int map = open("/proc/self/pagemap", O_RDONLY), file = open(path, O_RDWR | O_CREAT, 0600);
    need(pages <= sizeof(entries) / 8 && map >= 0 && file >= 0, path, "cannot be made");
    get_state(bare);
    need(pread(map, entries, pages * 8, (off_t)((uintptr_t)bare->memory / PAGE * 8)) > 0, "pagemap",
         "cannot be read");
    for (uint64_t at = 0, end; at < pages; at = end + 1) {
        for (end = at; end < pages && entries[end] >> 63 != 0; end++)
            continue;
        need(at == end ||
                 pwrite(file, bare->memory + at * PAGE, (end - at) * PAGE, (off_t)(at * PAGE)) > 0,
             path, "cannot be written");
    }
    close(file);
    close(map);
}
