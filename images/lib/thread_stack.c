/*
 * Memory of threads. One mapping holds, from low to high, a guard page, the stack, TLS data and the
 * thread block. Some mappings of the usual size are kept when their threads have ended: making one
 * costs five system calls and several page faults.
 */
#include "thread.h"

#include <stdatomic.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>
#include <zircon/vm.h>

#define MOST_SPARE 16

/* NULL: a free place. */
static _Atomic(struct thread *) spare[MOST_SPARE];

uintptr_t thread_stack_pointer(const struct thread *block)
{
    size_t alignment;

    return (((uintptr_t)block - thread_tls_size(&alignment)) & ~0xful) - 8;
}

/* Maps memory, all of it zero, and lays it out. */
static struct thread *map(size_t stack_size, size_t guard_size)
{
    size_t alignment, tls_size = thread_tls_size(&alignment);
    zx_handle_t vmo, root = zx_vmar_root_self();
    zx_vaddr_t start;

    guard_size = (guard_size + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    size_t size = guard_size + stack_size + tls_size + sizeof(struct thread) + 2 * alignment;
    size = (size + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    if (zx_vmo_create(size, 0, &vmo) != ZX_OK)
        return NULL;
    zx_status_t status =
        zx_vmar_map(root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size, &start);
    zx_handle_close(vmo);
    if (status != ZX_OK)
        return NULL;
    if (guard_size > 0 && zx_vmar_protect(root, 0, start, guard_size) != ZX_OK) {
        zx_vmar_unmap(root, start, size);
        return NULL;
    }
    struct thread *block = (struct thread *)((start + size - sizeof(struct thread)) & -alignment);
    block->map_start = start;
    block->map_size = size;
    return block;
}

static struct thread *take_spare(void)
{
    for (size_t i = 0; i < MOST_SPARE; i++) {
        struct thread *block = atomic_load(&spare[i]);

        if (block && atomic_compare_exchange_strong(&spare[i], &block, NULL))
            return block;
    }
    return NULL;
}

/* As if it had just been mapped; the stack may hold anything. */
static void clear(struct thread *block)
{
    struct thread old = *block;
    size_t alignment, tls_size = thread_tls_size(&alignment);

    memset((char *)block - tls_size, 0, tls_size + sizeof(*block));
    block->map_start = old.map_start;
    block->map_size = old.map_size;
}

struct thread *thread_stack_get(size_t stack_size, size_t guard_size)
{
    bool usual = stack_size == THREAD_STACK_SIZE && guard_size == THREAD_GUARD_SIZE;
    struct thread *block = usual ? take_spare() : NULL;

    if (block)
        clear(block);
    else
        block = map(stack_size, guard_size);
    if (block)
        block->usual = usual;
    return block;
}

void thread_stack_put(struct thread *block)
{
    for (size_t i = 0; block->usual && i < MOST_SPARE; i++) {
        struct thread *none = NULL;

        if (atomic_compare_exchange_strong(&spare[i], &none, block))
            return;
    }
    zx_vmar_unmap(zx_vmar_root_self(), block->map_start, block->map_size);
}
