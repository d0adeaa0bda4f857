/*
 * reset.c - back to an earlier state of the same machine, in place.
 *
 * A mark keeps the vCPU's state and a second copy of the memory; a reset copies back only the
 * pages written since. That is what makes thousands of runs a second from one state possible.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "layout.h"
#include "longmode.h"
#include "probe.h"
#include "replay/determinism.h"
#include "snapshot/file.h"
#include "snapshot/reset.h"
#include "snapshot/state.h"
#include "snapshot/time.h"
#include "vm.h"

enum { BLOCK_BYTES = 256 };

struct mark {
    struct vcpu_state state;
    uint8_t *memory; /* what the machine had; as long as its memory; owned */
    uint64_t tsc;
    uint64_t timer_fired;
    uint32_t pending;
    uint32_t console_tail;
    bool announced;
    bool shadowed; /* KVM shadows the guest's page tables */
    unsigned runs; /* since the pages were protected */
    uint64_t written_by_first;
    struct determinism_mark determinism; /* of a deterministic run */
};

static void copy_page(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, PAGE_BYTES);
}

/* ---- Marking -----------------------------------------------------------------------------------
 */

/* A restored machine's memory is its file, where it has not been written. */
static int new_copy(struct mark *mark, const struct zvmm *vm, struct zvmm_error *error)
{
    if (vm->origin != NULL)
        return snapshot_map(vm->origin, &mark->memory, error);
    void *memory = mmap(NULL, vm->memory.bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return error_set(error, "mark: no room for a second copy of the memory: %s",
                         strerror(errno));
    mark->memory = memory;
    return 0;
}

static int copy_memory(struct mark *mark, const struct zvmm *vm, struct zvmm_error *error)
{
    struct page_set set;
    uint64_t end;
    if (new_copy(mark, vm, error) != 0)
        return -1;
    if (page_set_init(&set, vm->memory.bytes) != 0)
        return error_set(error, "mark: out of memory");
    for (uint32_t i = 0; i < vm->layout.count && vm->origin == NULL; i++)
        if (vm->layout.ranges[i].type == ZV_MEM_KERNEL ||
            vm->layout.ranges[i].type == ZV_MEM_MODULE)
            page_set_add(&set, vm->layout.ranges[i].base, vm->layout.ranges[i].length);
    int result = page_set_add_present(&set, &vm->memory, vm->origin != NULL);
    for (uint64_t at = 0; result == 0 && page_set_next(&set, &at, &end); at = end)
        for (; at < end; at++)
            copy_page(mark->memory + at * PAGE_BYTES, vm->memory.base + at * PAGE_BYTES);
    page_set_free(&set);
    return result == 0
               ? 0
               : error_set(error, "mark: cannot read /proc/self/pagemap: %s", strerror(errno));
}

/* A later mark only has to follow what was written since the one before. */
static int update_memory(struct mark *mark, const struct zvmm *vm)
{
    const struct written *written = &vm->track.since_mark;
    for (uint64_t i = 0; i < written->count; i++)
        copy_page(mark->memory + written->list[i] * PAGE_BYTES,
                  vm->memory.base + written->list[i] * PAGE_BYTES);
    return 0;
}

static int save_machine(struct mark *mark, struct zvmm *vm, struct zvmm_error *error)
{
    if (state_save(&mark->state, &vm->kvm, (vm->features & ZV_FEATURE_XSAVE) != 0, error) != 0)
        return -1;
    if (vm->determinism != NULL && determinism_mark(vm, &mark->determinism, error) != 0)
        return -1;
    mark->tsc = clock_guest_tsc(&vm->clock);
    mark->timer_fired = vm->timer.fired;
    mark->pending = atomic_load(&vm->pending);
    mark->console_tail = vm->console.out_tail;
    mark->announced = vm->console.announced;
    return 0;
}

void mark_free(struct mark *mark, const struct memory *memory)
{
    if (mark == NULL)
        return;
    if (mark->memory != NULL)
        munmap(mark->memory, memory->bytes);
    free(mark);
}

int zvmm_mark(struct zvmm *vm, struct zvmm_error *error)
{
    bool first = vm->mark == NULL;
    if (first && (vm->mark = calloc(1, sizeof(*vm->mark))) == NULL)
        return error_set(error, "mark: out of memory");
    vm->native_tsc = time_is_native(vm);
    vm->mark->shadowed = !probe_has_paging();
    if (vm_settle(vm, error) != 0 || save_machine(vm->mark, vm, error) != 0)
        goto fail;
    if (!first) {
        if (track_collect(vm) != 0) {
            *error = vm->error;
            goto fail;
        }
        update_memory(vm->mark, vm);
    }
    vm->mark->runs = 0;
    if (track_begin(vm, &vm->track.since_mark, error) != 0 ||
        (first && copy_memory(vm->mark, vm, error) != 0))
        goto fail;
    return 0;

fail:
    mark_free(vm->mark, &vm->memory);
    vm->mark = NULL;
    return -1;
}

/* ---- Going back ---------------------------------------------------------------------------------
 */

/*
 * Whether putting `then` in the place of `now` changes an entry of a page table that may have been
 * used to translate: one that is present, points to memory and has been walked, for that makes it
 * accessed. Few other words look like that. A change of the accessed and dirty marks alone does not
 * count: at worst a translation that is still known leaves them unset.
 */
static bool changes_entry(const uint64_t *now, const uint64_t *then, uint64_t limit)
{
    const uint64_t marks = PTE_ACCESSED | PTE_DIRTY, walked = PTE_PRESENT | PTE_ACCESSED;
    for (unsigned i = 0; i < BLOCK_BYTES / sizeof(*now); i++)
        if (((now[i] ^ then[i]) & ~marks) != 0 && (now[i] & walked) == walked &&
            (now[i] & PTE_ADDRESS) < limit)
            return true;
    return false;
}

/* Put one page back; true if translations change with it. Most of a page is as it was. */
static bool put_page_back(uint8_t *page, const uint8_t *kept, uint64_t limit)
{
    bool changed = false;
    for (unsigned at = 0; at < PAGE_BYTES; at += BLOCK_BYTES) {
        if (memcmp(page + at, kept + at, BLOCK_BYTES) == 0)
            continue;
        changed = changed || changes_entry((const uint64_t *)(page + at),
                                           (const uint64_t *)(kept + at), limit);
        memcpy(page + at, kept + at, BLOCK_BYTES);
    }
    return changed;
}

static bool put_pages_back(struct zvmm *vm)
{
    const struct written *written = &vm->track.since_mark;
    uint64_t limit = vm->memory.bytes > LAYOUT_HOLE_END ? vm->memory.bytes : LAYOUT_HOLE_END;
    bool changed = false;
    for (uint64_t i = 0; i < written->count; i++)
        changed |= put_page_back(vm->memory.base + written->list[i] * PAGE_BYTES,
                                 vm->mark->memory + written->list[i] * PAGE_BYTES, limit);
    vm->stats.reset_pages += written->count;
    return changed;
}

/*
 * Copying a page back takes a quarter of the fault that would tell whether it has been written
 * again. So pages that have been written once are copied each time, and protected anew only when
 * they are more than twice as many as a single run has written, or after some time, as runs change.
 */
static bool is_time_to_protect(const struct mark *mark, const struct track *track)
{
    enum { RUNS = 64, FEW = 32 };
    return !track->keeps || mark->runs >= RUNS ||
           track->since_mark.count > 2 * mark->written_by_first + FEW;
}

static int protect(struct zvmm *vm, struct zvmm_error *error)
{
    if (track_protect(vm) != 0) {
        *error = vm->error;
        return -1;
    }
    written_forget(&vm->track.since_mark);
    vm->mark->runs = 0;
    return 0;
}

/*
 * Translations have changed behind the guest's back. Protecting pages makes the processor forget
 * those it knows, if there are any to protect: a snapshot since may have done it. But page tables
 * that KVM shadows it has to be told of.
 */
static int forget_translations(struct zvmm *vm, struct zvmm_error *error)
{
    bool protects = track_has_open(&vm->track);
    if (protect(vm, error) != 0)
        return -1;
    if ((vm->mark->shadowed || !protects) && kvm_forget_tables(&vm->kvm, &vm->memory) != 0)
        return error_set(error, "reset: KVM cannot set the memory again: %s", strerror(errno));
    return 0;
}

static int restore_pages(struct zvmm *vm, struct zvmm_error *error)
{
    const struct written *written = &vm->track.since_mark;
    struct mark *mark = vm->mark;
    if (track_collect(vm) != 0) {
        *error = vm->error;
        return -1;
    }
    bool changed = put_pages_back(vm);
    /* A page that is back at the mark differs from a snapshot that was taken later. */
    for (uint64_t i = 0; vm->track.since_base.active && i < written->count; i++)
        track_note(vm, written->list[i] * PAGE_BYTES, PAGE_BYTES);
    if (mark->runs++ == 0)
        mark->written_by_first = written->count;
    if (changed)
        return forget_translations(vm, error);
    return is_time_to_protect(mark, &vm->track) ? protect(vm, error) : 0;
}

int zvmm_reset(struct zvmm *vm, struct zvmm_error *error)
{
    const struct mark *mark = vm->mark;
    if (mark == NULL)
        return error_set(error, "reset: the machine has no mark; call zvmm_mark() first");
    if (vm->failed)
        return error_set(error, "reset: the host has failed: %.400s", vm->error.text);
    bool was_running = vm->kvm.run->exit_reason == KVM_EXIT_IO;
    if (was_running && vm_finish_exit(vm, error) != 0)
        return -1;
    if (restore_pages(vm, error) != 0 || time_resume(vm, mark->tsc, error) != 0 ||
        state_reset(&mark->state, &vm->kvm, was_running, error) != 0)
        return -1;
    atomic_store(&vm->pending, mark->pending);
    vm->timer.fired = mark->timer_fired;
    vm->timer.armed = UINT64_MAX;
    atomic_store((_Atomic uint64_t *)&vm->shared->armed_tsc, UINT64_MAX);
    vm->console.out_tail = mark->console_tail;
    vm->console.in_head = vm->console.in_tail = 0;
    vm->console.announced = mark->announced;
    if (vm->determinism != NULL)
        determinism_reset(vm, &mark->determinism);
    vm->ended = false;
    vm->stats.resets++;
    return 0;
}

/* ---- Input of a harness
 * -------------------------------------------------------------------------- */

int zvmm_write(struct zvmm *vm, uint64_t paddr, const void *data, uint64_t length,
               struct zvmm_error *error)
{
    void *to = memory_at(&vm->memory, gpa(paddr), length);
    if (to == NULL)
        return error_set(error, "guest memory: %#llx is outside", (unsigned long long)paddr);
    memcpy(to, data, length);
    track_note(vm, paddr, length);
    return 0;
}

uint64_t zvmm_type(struct zvmm *vm, const void *data, uint64_t length)
{
    struct console *console = &vm->console;
    const uint8_t *from = data;
    uint64_t taken = 0;
    if (vm->determinism != NULL)
        return determinism_type(vm, data, length);
    pthread_mutex_lock(&console->lock);
    while (taken < length && console->in_head - console->in_tail < CONSOLE_INPUT_BYTES)
        console->in[console->in_head++ % CONSOLE_INPUT_BYTES] = from[taken++];
    console->announced = false;
    pthread_mutex_unlock(&console->lock);
    return taken;
}
