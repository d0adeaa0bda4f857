/*
 * Making a process. Shared by userboot, which has no C library: only string functions are used
 * here.
 */
#include "new_process.h"

#include <string.h>
#include <zircon/errors.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>

#define DEFAULT_STACK_SIZE 0x40000u

zx_status_t new_process_create(struct new_process *p, zx_handle_t job, const char *name)
{
    size_t length = strlen(name);

    *p = (struct new_process){0};
    zx_status_t status = zx_process_create(job, name, length, 0, &p->process, &p->root_vmar);
    if (status == ZX_OK)
        status = zx_thread_create(p->process, name, length, 0, &p->thread);
    if (status == ZX_OK)
        status = zx_channel_create(0, &p->channel, &p->child_channel);
    return status;
}

static void close_later(struct new_process *p, zx_handle_t handle)
{
    if (p->spent_count < sizeof(p->spent) / sizeof(p->spent[0]))
        p->spent[p->spent_count++] = handle; /* may be ZX_HANDLE_INVALID */
    else
        zx_handle_close(handle);
}

/* Puts it into a region of its own, behind a page where nothing can come to lie. */
static zx_status_t map_guarded(struct new_process *p, zx_handle_t vmo, uint64_t size,
                               zx_vaddr_t *base)
{
    zx_handle_t region;
    zx_status_t status =
        zx_vmar_allocate(p->root_vmar,
                         ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                         ZX_PAGE_SIZE + size, &region, base);

    if (status != ZX_OK)
        return status;
    close_later(p, region);
    return zx_vmar_map(region, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC, ZX_PAGE_SIZE,
                       vmo, 0, size, base);
}

static zx_status_t map_stack(struct new_process *p, uint64_t size)
{
    static const char name[] = "initial-stack";
    zx_handle_t vmo;
    zx_vaddr_t base = 0;

    size = (size + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    zx_status_t status = zx_vmo_create(size, 0, &vmo);
    if (status != ZX_OK)
        return status;
    zx_object_set_property(vmo, ZX_PROP_NAME, name, sizeof(name) - 1);
    status = map_guarded(p, vmo, size, &base);
    close_later(p, vmo);
    /* As if a call had just pushed its return address. */
    p->stack_pointer = ((base + size) & ~0xful) - 8;
    return status;
}

zx_status_t new_process_load(struct new_process *p, const struct elf_file *file,
                             const struct elf_headers *headers, zx_handle_t *loaded_vmar)
{
    const Elf64_Phdr *stack = elf_find(headers, PT_GNU_STACK);
    struct elf_image image;

    zx_status_t status = elf_map(file, headers, p->root_vmar, &image);
    if (status != ZX_OK)
        return status;
    p->entry = image.entry;
    if (loaded_vmar)
        *loaded_vmar = image.vmar;
    else
        close_later(p, image.vmar);
    return map_stack(p, stack && stack->p_memsz ? stack->p_memsz : DEFAULT_STACK_SIZE);
}

zx_status_t new_process_load_vdso(struct new_process *p, zx_handle_t vdso_vmo)
{
    const struct elf_file file = {.vmo = vdso_vmo};
    struct elf_headers headers;
    struct elf_image image;

    zx_status_t status = elf_read(&file, &headers);
    if (status == ZX_OK)
        status = elf_map(&file, &headers, p->root_vmar, &image);
    if (status != ZX_OK)
        return status;
    p->vdso_base = image.base;
    close_later(p, image.vmar);
    return ZX_OK;
}

zx_status_t new_process_self_handles(const struct new_process *p, zx_handle_t *process,
                                     zx_handle_t *thread)
{
    zx_status_t status = zx_handle_duplicate(p->process, ZX_RIGHT_SAME_RIGHTS, process);

    return status == ZX_OK ? zx_handle_duplicate(p->thread, ZX_RIGHT_SAME_RIGHTS, thread) : status;
}

zx_status_t new_process_send(const struct new_process *p, const struct procargs *message,
                             const zx_handle_t *handles, size_t handle_count)
{
    if (message->status != ZX_OK) {
        zx_handle_close_many(handles, handle_count);
        return message->status;
    }
    return zx_channel_write(p->channel, 0, message->header, (uint32_t)message->size, handles,
                            (uint32_t)handle_count);
}

zx_status_t new_process_start(struct new_process *p)
{
    zx_handle_t bootstrap = p->child_channel;

    p->child_channel = ZX_HANDLE_INVALID; /* consumed even if the call fails */
    return zx_process_start(p->process, p->thread, p->entry, p->stack_pointer, bootstrap,
                            p->vdso_base);
}

void new_process_close(struct new_process *p)
{
    close_later(p, p->root_vmar);
    close_later(p, p->thread);
    close_later(p, p->channel);
    close_later(p, p->child_channel);
    zx_handle_close_many(p->spent, p->spent_count);
    p->root_vmar = p->thread = p->channel = p->child_channel = ZX_HANDLE_INVALID;
    p->spent_count = 0;
}
