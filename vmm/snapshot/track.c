/* track.c - which pages of a machine have been written since some moment. */
#include "snapshot/track.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "array.h"
#include "layout.h"
#include "vm.h"

#define RING_OFFSET_PAGES 64 /* KVM_DIRTY_LOG_PAGE_OFFSET on x86, which its header leaves out */

int track_init(struct zvmm *vm, struct zvmm_error *error)
{
    struct track *track = &vm->track;
    if (vm->kvm.ring_bytes == 0)
        return 0;
    void *ring = mmap(NULL, vm->kvm.ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->kvm.vcpu_fd,
                      RING_OFFSET_PAGES * (off_t)PAGE_BYTES);
    if (ring == MAP_FAILED)
        return error_set(error, "KVM: cannot map the dirty ring: %s", strerror(errno));
    track->keeps = true;
    track->ring = ring;
    track->ring_entries = vm->kvm.ring_bytes / sizeof(*track->ring);
    return 0;
}

static void written_free(struct written *which)
{
    page_set_free(&which->set);
    free(which->list);
}

void track_free(struct track *track)
{
    if (track->ring != NULL)
        munmap(track->ring, track->ring_entries * sizeof(*track->ring));
    written_free(&track->since_mark);
    written_free(&track->since_base);
    free(track->bitmap);
    *track = (struct track){0};
}

/* Pages are listed once. Without room for the list the machine cannot go on: a page would be
 * forgotten. */
static void add_to(struct zvmm *vm, struct written *which, uint64_t page)
{
    if (!which->active || page >= which->set.pages || page_set_has(&which->set, page))
        return;
    uint64_t *list = array_grow(which->list, which->count, &which->room, sizeof(*list));
    if (list == NULL) {
        error_set(&vm->error, "tracking of written pages: out of memory");
        vm->failed = true;
        return;
    }
    which->list = list;
    page_set_put(&which->set, page);
    which->list[which->count++] = page;
}

static void add_page(struct zvmm *vm, uint64_t page)
{
    add_to(vm, &vm->track.since_mark, page);
    add_to(vm, &vm->track.since_base, page);
}

void track_note(struct zvmm *vm, uint64_t paddr, uint64_t length)
{
    if (!vm->track.logging || length == 0)
        return;
    for (uint64_t page = paddr / PAGE_BYTES; page <= (paddr + length - 1) / PAGE_BYTES; page++)
        add_page(vm, page);
}

void written_forget(struct written *which)
{
    for (uint64_t i = 0; i < which->count; i++)
        which->set.words[which->list[i] / 64] &= ~(1ull << which->list[i] % 64);
    which->count = 0;
}

/* ---- The ring ----------------------------------------------------------------------------------
 */

static uint64_t slot_base(uint32_t slot)
{
    return slot == 0 ? 0 : LAYOUT_HOLE_END / PAGE_BYTES;
}

static struct kvm_dirty_gfn *ring_entry(const struct track *track, uint32_t number)
{
    return &track->ring[number % track->ring_entries];
}

static void collect_ring(struct zvmm *vm)
{
    struct track *track = &vm->track;
    for (;; track->ring_next++) {
        const struct kvm_dirty_gfn *entry = ring_entry(track, track->ring_next);
        uint32_t flags =
            atomic_load_explicit((const _Atomic uint32_t *)&entry->flags, memory_order_acquire);
        if ((flags & KVM_DIRTY_GFN_F_MASK) != KVM_DIRTY_GFN_F_DIRTY)
            break;
        add_page(vm, slot_base(entry->slot & 0xffff) + entry->offset);
    }
}

static int protect_ring(struct zvmm *vm)
{
    struct track *track = &vm->track;
    if (track->ring_kept == track->ring_next)
        return 0;
    for (; track->ring_kept != track->ring_next; track->ring_kept++)
        atomic_store_explicit((_Atomic uint32_t *)&ring_entry(track, track->ring_kept)->flags,
                              KVM_DIRTY_GFN_F_RESET, memory_order_release);
    if (ioctl(vm->kvm.vm_fd, KVM_RESET_DIRTY_RINGS, 0) < 0)
        return error_set(&vm->error, "KVM: cannot reset the dirty ring: %s", strerror(errno));
    return 0;
}

/* ---- The log -----------------------------------------------------------------------------------
 */

static uint64_t slot_pages(const struct zvmm *vm, uint32_t slot)
{
    uint64_t bytes = vm->memory.bytes;
    return slot != 0                  ? (bytes - LAYOUT_HOLE_END) / PAGE_BYTES
           : bytes < LAYOUT_HOLE_BASE ? bytes / PAGE_BYTES
                                      : LAYOUT_HOLE_BASE / PAGE_BYTES;
}

static uint32_t slot_count(const struct zvmm *vm)
{
    return vm->memory.bytes > LAYOUT_HOLE_END ? 2 : 1;
}

/* The slot's part of the bitmap; it begins with a word, as slots do with a multiple of 64 pages. */
static uint64_t *slot_bitmap(const struct track *track, uint32_t slot)
{
    return track->bitmap + slot_base(slot) / 64;
}

static int collect_log(struct zvmm *vm)
{
    struct track *track = &vm->track;
    for (uint32_t slot = 0; slot < slot_count(vm); slot++) {
        uint64_t *bitmap = slot_bitmap(track, slot);
        struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = bitmap};
        if (ioctl(vm->kvm.vm_fd, KVM_GET_DIRTY_LOG, &log) != 0)
            return error_set(&vm->error, "KVM: cannot read the dirty log: %s", strerror(errno));
        for (uint64_t word = 0; word < (slot_pages(vm, slot) + 63) / 64; word++)
            for (uint64_t bits = bitmap[word]; bits != 0; bits &= bits - 1)
                add_page(vm, slot_base(slot) + word * 64 + (uint64_t)__builtin_ctzll(bits));
    }
    return 0;
}

/* Of the slot, the part that has pages to protect. */
static int protect_slot(struct zvmm *vm, uint32_t slot)
{
    uint64_t *bitmap = slot_bitmap(&vm->track, slot), pages = slot_pages(vm, slot);
    uint64_t first = 0, end = (pages + 63) / 64;
    while (first < end && bitmap[first] == 0)
        first++;
    while (end > first && bitmap[end - 1] == 0)
        end--;
    if (first == end)
        return 0;
    uint64_t length = end * 64 < pages ? (end - first) * 64 : pages - first * 64;
    struct kvm_clear_dirty_log clear = {.slot = slot,
                                        .first_page = first * 64,
                                        .num_pages = (uint32_t)length,
                                        .dirty_bitmap = bitmap + first};
    if (ioctl(vm->kvm.vm_fd, KVM_CLEAR_DIRTY_LOG, &clear) != 0)
        return error_set(&vm->error, "KVM: cannot clear the dirty log: %s", strerror(errno));
    memset(bitmap + first, 0, (end - first) * sizeof(*bitmap));
    return 0;
}

static int protect_log(struct zvmm *vm)
{
    for (uint32_t slot = 0; vm->track.keeps && slot < slot_count(vm); slot++)
        if (protect_slot(vm, slot) != 0)
            return -1;
    return 0;
}

/* ---- Both --------------------------------------------------------------------------------------
 */

/* zvmm writes its fields of the shared page whenever it likes, also from other threads. */
int track_collect(struct zvmm *vm)
{
    track_note(vm, vm->boot.shared, offsetof(struct zv_shared_page, out));
    if (vm->track.ring != NULL)
        collect_ring(vm);
    else if (collect_log(vm) != 0)
        return -1;
    return vm->failed ? -1 : 0;
}

int track_protect(struct zvmm *vm)
{
    return vm->track.ring != NULL ? protect_ring(vm) : protect_log(vm);
}

bool track_has_open(const struct track *track)
{
    if (track->ring != NULL)
        return track->ring_kept != track->ring_next;
    for (uint64_t word = 0; track->keeps && word < track->since_mark.set.pages / 64; word++)
        if (track->bitmap[word] != 0)
            return true;
    return false;
}

int track_make_room(struct zvmm *vm)
{
    return track_collect(vm) == 0 ? track_protect(vm) : -1;
}

/* Before Linux 5.0 reading the log protects its pages. */
static int make_bitmap(struct zvmm *vm, struct zvmm_error *error)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
                                 .args = {KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE}};
    struct track *track = &vm->track;
    track->bitmap = calloc(vm->memory.bytes / PAGE_BYTES / 64 + 1, sizeof(track->bitmap[0]));
    track->keeps = ioctl(vm->kvm.vm_fd, KVM_ENABLE_CAP, &cap) == 0;
    return track->bitmap != NULL ? 0 : error_set(error, "tracking of written pages: out of memory");
}

static int begin_logging(struct zvmm *vm, struct zvmm_error *error)
{
    struct track *track = &vm->track;
    if (track->ring == NULL && track->bitmap == NULL && make_bitmap(vm, error) != 0)
        return -1;
    if (kvm_set_logging(&vm->kvm, &vm->memory) != 0)
        return error_set(error, "KVM: cannot track written pages: %s", strerror(errno));
    track->logging = true;
    return 0;
}

int track_begin(struct zvmm *vm, struct written *which, struct zvmm_error *error)
{
    if (which->set.words == NULL && page_set_init(&which->set, vm->memory.bytes) != 0)
        return error_set(error, "tracking of written pages: out of memory");
    if (!vm->track.logging) {
        if (begin_logging(vm, error) != 0)
            return -1;
    } else if (track_make_room(vm) != 0) {
        *error = vm->error;
        return -1;
    }
    written_forget(which);
    which->active = true;
    return 0;
}

int track_begin_base(struct zvmm *vm, const uint8_t uuid[16], struct zvmm_error *error)
{
    if (track_begin(vm, &vm->track.since_base, error) != 0)
        return -1;
    memcpy(vm->track.base, uuid, sizeof(vm->track.base));
    return 0;
}

bool track_knows(const struct track *track, const uint8_t uuid[16])
{
    return track->since_base.active && memcmp(track->base, uuid, sizeof(track->base)) == 0;
}
