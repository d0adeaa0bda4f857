/* track.c - which pages of a machine have been written since tracking began. */
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
    track->ring = ring;
    track->ring_entries = vm->kvm.ring_bytes / sizeof(*track->ring);
    return 0;
}

void track_free(struct track *track)
{
    if (track->ring != NULL)
        munmap(track->ring, track->ring_entries * sizeof(*track->ring));
    page_set_free(&track->set);
    free(track->bitmap);
    free(track->list);
    *track = (struct track){0};
}

/* Pages are listed once. Without room for the list the machine cannot go on: a page would be
 * forgotten. */
static void add_page(struct zvmm *vm, uint64_t page)
{
    struct track *track = &vm->track;
    if (page >= track->set.pages || page_set_has(&track->set, page))
        return;
    uint64_t *list = array_grow(track->list, track->count, &track->room, sizeof(*list));
    if (list == NULL) {
        error_set(&vm->error, "tracking of written pages: out of memory");
        vm->failed = true;
        return;
    }
    track->list = list;
    page_set_add(&track->set, page * PAGE_BYTES, PAGE_BYTES);
    track->list[track->count++] = page;
}

void track_note(struct zvmm *vm, uint64_t paddr, uint64_t length)
{
    if (!vm->track.active || length == 0)
        return;
    for (uint64_t page = paddr / PAGE_BYTES; page <= (paddr + length - 1) / PAGE_BYTES; page++)
        add_page(vm, page);
}

void track_forget(struct track *track)
{
    for (uint64_t i = 0; i < track->count; i++)
        track->set.words[track->list[i] / 64] &= ~(1ull << track->list[i] % 64);
    track->count = 0;
}

/* ---- The ring ----------------------------------------------------------------------------------
 */

static uint64_t slot_base(uint32_t slot)
{
    return slot == 0 ? 0 : LAYOUT_HOLE_END / PAGE_BYTES;
}

static int collect_ring(struct zvmm *vm)
{
    struct track *track = &vm->track;
    for (;;) {
        struct kvm_dirty_gfn *entry = &track->ring[track->ring_next % track->ring_entries];
        uint32_t flags =
            atomic_load_explicit((_Atomic uint32_t *)&entry->flags, memory_order_acquire);
        if ((flags & KVM_DIRTY_GFN_F_MASK) != KVM_DIRTY_GFN_F_DIRTY)
            break;
        add_page(vm, slot_base(entry->slot & 0xffff) + entry->offset);
        atomic_store_explicit((_Atomic uint32_t *)&entry->flags, KVM_DIRTY_GFN_F_RESET,
                              memory_order_release);
        track->ring_next++;
    }
    if (ioctl(vm->kvm.vm_fd, KVM_RESET_DIRTY_RINGS, 0) < 0)
        return error_set(&vm->error, "KVM: cannot reset the dirty ring: %s", strerror(errno));
    return 0;
}

/* ---- The log -----------------------------------------------------------------------------------
 */

static int collect_log(struct zvmm *vm)
{
    struct track *track = &vm->track;
    uint64_t bytes = vm->memory.bytes;
    for (uint32_t slot = 0; slot < (bytes > LAYOUT_HOLE_END ? 2 : 1); slot++) {
        uint64_t pages = slot_base(slot) != 0       ? (bytes - LAYOUT_HOLE_END) / PAGE_BYTES
                         : bytes < LAYOUT_HOLE_BASE ? bytes / PAGE_BYTES
                                                    : LAYOUT_HOLE_BASE / PAGE_BYTES;
        struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = track->bitmap};
        if (ioctl(vm->kvm.vm_fd, KVM_GET_DIRTY_LOG, &log) != 0)
            return error_set(&vm->error, "KVM: cannot read the dirty log: %s", strerror(errno));
        for (uint64_t word = 0; word < (pages + 63) / 64; word++)
            for (uint64_t bits = track->bitmap[word]; bits != 0; bits &= bits - 1)
                add_page(vm, slot_base(slot) + word * 64 + (uint64_t)__builtin_ctzll(bits));
    }
    return 0;
}

/* zvmm writes its fields of the shared page whenever it likes, also from other threads. */
int track_collect(struct zvmm *vm)
{
    track_note(vm, vm->boot.shared, offsetof(struct zv_shared_page, out));
    int result = vm->track.ring != NULL ? collect_ring(vm) : collect_log(vm);
    return result == 0 && !vm->failed ? 0 : -1;
}

int track_begin(struct zvmm *vm, struct zvmm_error *error)
{
    struct track *track = &vm->track;
    if (track->active) {
        if (track_collect(vm) != 0) {
            *error = vm->error;
            return -1;
        }
        track_forget(track);
        return 0;
    }
    if (page_set_init(&track->set, vm->memory.bytes) != 0)
        return error_set(error, "tracking of written pages: out of memory");
    if (track->ring == NULL) {
        track->bitmap = calloc(track->set.pages / 64 + 1, sizeof(track->bitmap[0]));
        if (track->bitmap == NULL)
            return error_set(error, "tracking of written pages: out of memory");
    }
    if (kvm_set_logging(&vm->kvm, &vm->memory) != 0)
        return error_set(error, "KVM: cannot track written pages: %s", strerror(errno));
    track->active = true;
    return 0;
}
