/* window.c - a mapped memory object whose pages are touched. */
#include "window.h"

void window_open(struct run *run, struct window *w, enum fault_kind kind, uint64_t size)
{
    zx_vaddr_t address = 0;

    *w = (struct window){.size = size};
    if (kind == PRESENT || kind == SHARED)
        w->vmo = vmo_committed(run, size);
    else
        OK(run, zx_vmo_create(size, 0, &w->vmo));
    if (kind == SHARED)
        OK(run, zx_vmo_create_child(w->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, size, &w->clone));
    OK(run, zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                        kind == SHARED ? w->clone : w->vmo, 0, size, &address));
    w->base = (volatile char *)address;
}

void window_close(struct window *w)
{
    zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)w->base, w->size);
    zx_handle_close(w->vmo);
    zx_handle_close(w->clone);
}

void window_rehearse(struct run *run, uint64_t size)
{
    struct window w;

    window_open(run, &w, PRESENT, size);
    for (uint64_t at = 0; at < size && run_preparing(run); at += PAGE)
        w.base[at] = 1;
    window_close(&w);
}

void window_drop_page(struct run *run, struct window *w)
{
    OK(run, zx_vmo_op_range(w->vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
}
