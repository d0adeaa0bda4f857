/*
 * userboot.c - the first process, as abi/boot.md describes it.
 *
 * Userboot and, directly behind it, the vDSO are mapped into one region; a stack is mapped; one
 * message with the command line and 15 handles waits in the bootstrap channel. Everything here
 * happens before user code runs, so a failure is the machine's and panics.
 */
#include <zircon/errors.h>
#include <zircon/log.h>
#include <zircon/rights.h>
#include <zircon/vm.h>
#include <zircon/zbi.h>

#include "aspace.h"
#include "channel.h"
#include "format.h"
#include "guest.h"
#include "heap.h"
#include "job.h"
#include "kcounter.h"
#include "process.h"
#include "resource.h"
#include "string.h"
#include "thread.h"
#include "vmar.h"
#include "vmo.h"

#define STACK_SIZE (256u << 10)
#define CMDLINE_MAX 4096u

/* Order of the handles in the bootstrap message. */
enum {
    HANDLE_PROC_SELF,
    HANDLE_VMAR_ROOT,
    HANDLE_ROOT_JOB,
    HANDLE_ROOT_RESOURCE,
    HANDLE_ZBI,
    HANDLE_VDSO_FULL,
    HANDLE_VDSO_TEST1,
    HANDLE_VDSO_TEST2,
    HANDLE_DECOMPRESSOR,
    HANDLE_CRASHLOG,
    HANDLE_COUNTER_NAMES,
    HANDLE_COUNTERS,
    HANDLE_INSTRUMENTATION, /* three of them */
    HANDLE_COUNT = HANDLE_INSTRUMENTATION + 3,
};

#define RIGHTS_READ_EXECUTE ((ZX_DEFAULT_VMO_RIGHTS & ~ZX_RIGHT_WRITE) | ZX_RIGHT_EXECUTE)
#define RIGHTS_READ_ONLY (ZX_DEFAULT_VMO_RIGHTS & ~ZX_RIGHT_WRITE)

static void must(zx_status_t status, const char *what)
{
    if (status != ZX_OK)
        panic("userboot: %s: status %d", what, status);
}

/* A handle for a message; takes over the caller's reference to the object. */
static struct handle_ref give(struct object *object, zx_rights_t rights)
{
    object_handle_added(object);
    object_release(object);
    return (struct handle_ref){object, rights};
}

static struct handle_ref share(struct object *object, zx_rights_t rights)
{
    object_ref(object);
    return give(object, rights);
}

/* ---- Command line --------------------------------------------------------------------------- */

/* Appends the words of `text`, each ended by a NUL; returns the new length. */
static size_t add_words(char *words, size_t length, const char *text, size_t text_length)
{
    for (size_t i = 0; i < text_length && text[i]; i++) {
        char c = text[i] == ' ' ? 0 : text[i];

        if (length == CMDLINE_MAX - 2)
            panic("userboot: the command line is longer than %u bytes", CMDLINE_MAX);
        /* Runs of spaces make no empty words. */
        if (c || (length && words[length - 1]))
            words[length++] = c;
    }
    if (length && words[length - 1])
        words[length++] = 0;
    return length;
}

/* The words of CMDLINE items in the ZBI come before the VMM's, so the latter win. */
static size_t add_zbi_words(char *words, size_t length, const struct hal_module *zbi)
{
    uint64_t at = sizeof(zbi_header_t);

    while (at + sizeof(zbi_header_t) <= zbi->length) {
        zbi_header_t header;

        hal_pmem_read(zbi->paddr + at, &header, sizeof header);
        at += sizeof header;
        if (header.length > zbi->length - at)
            break;
        if (header.type == ZBI_TYPE_CMDLINE && header.length <= CMDLINE_MAX) {
            char *text = heap_alloc(header.length + 1ull);

            must(text ? ZX_OK : ZX_ERR_NO_MEMORY, "command line");
            hal_pmem_read(zbi->paddr + at, text, header.length);
            length = add_words(words, length, text, header.length);
            heap_free(text);
        }
        at += (header.length + 7ull) & ~7ull;
    }
    return length;
}

static size_t make_cmdline(const struct hal_boot *boot, char *words)
{
    size_t length = add_zbi_words(words, 0, &boot->zbi);

    length = add_words(words, length, boot->cmdline, strlen(boot->cmdline));
    words[length++] = 0; /* an empty command line is one NUL; others end with an extra one */
    return length;
}

/* ---- Handles -------------------------------------------------------------------------------- */

static struct handle_ref empty_vmo(const char *name)
{
    struct vmo *vmo;

    must(vmo_create(0, 0, &vmo), name);
    vmo_set_name(vmo, name);
    return give(&vmo->object, RIGHTS_READ_ONLY);
}

/* Shows a part of the kernel's image; it stays, so the reference to it is kept. */
static struct handle_ref image_vmo(const void *start, const void *end, const char *name)
{
    size_t length = ((size_t)((const char *)end - (const char *)start) + HAL_PAGE_SIZE - 1) &
                    ~(HAL_PAGE_SIZE - 1);
    struct vmo *vmo;
    hal_paddr_t frames;

    must(hal_image_frames(start, length, &frames), name);
    must(vmo_create_from_frames(frames, length, &vmo), name);
    vmo_set_name(vmo, name);
    return share(&vmo->object, RIGHTS_READ_ONLY);
}

static struct handle_ref vdso_variant(struct vmo *full, const char *name)
{
    struct vmo *vmo;

    must(vmo_create_child(full, ZX_VMO_CHILD_SNAPSHOT, 0, full->size, &vmo), name);
    vmo_set_name(vmo, name);
    return give(&vmo->object, RIGHTS_READ_EXECUTE);
}

static struct handle_ref zbi_vmo(const struct hal_module *zbi)
{
    struct vmo *vmo;

    if (zbi->length)
        must(vmo_create_from_frames(zbi->paddr, zbi->length, &vmo), "zbi");
    else
        must(vmo_create(0, 0, &vmo), "zbi");
    vmo_set_name(vmo, "zbi");
    return give(&vmo->object, ZX_DEFAULT_VMO_RIGHTS);
}

static void make_handles(struct process *process, struct vmo *vdso, const struct hal_boot *boot,
                         struct handle_ref h[HANDLE_COUNT])
{
    struct kernel *k = kernel();

    h[HANDLE_PROC_SELF] = share(&process->object, ZX_DEFAULT_PROCESS_RIGHTS);
    h[HANDLE_VMAR_ROOT] =
        share(&process->aspace->root->object,
              ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE);
    h[HANDLE_ROOT_JOB] = share(&k->root_job->object, ZX_DEFAULT_JOB_RIGHTS);
    h[HANDLE_ROOT_RESOURCE] = share(&k->root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    h[HANDLE_ZBI] = zbi_vmo(&boot->zbi);
    h[HANDLE_VDSO_FULL] = share(&vdso->object, RIGHTS_READ_EXECUTE);
    h[HANDLE_VDSO_TEST1] = vdso_variant(vdso, "vdso/test1");
    h[HANDLE_VDSO_TEST2] = vdso_variant(vdso, "vdso/test2");
    h[HANDLE_DECOMPRESSOR] = empty_vmo("lib/hermetic/decompress-zbi.so");
    h[HANDLE_CRASHLOG] = empty_vmo("crashlog");
    h[HANDLE_COUNTER_NAMES] = image_vmo(&kcounter_table, kcounter_descriptors_end, "counters/desc");
    h[HANDLE_COUNTERS] = image_vmo(kcounter_values, kcounter_values_end, "counters/arena");
    for (int i = 0; i < 3; i++)
        h[HANDLE_INSTRUMENTATION + i] = empty_vmo("instrumentation");
    h[HANDLE_DECOMPRESSOR].rights |= ZX_RIGHT_EXECUTE;
}

/* ---- Address space -------------------------------------------------------------------------- */

static zx_vaddr_t map_image(struct vmar *region, const struct image *image, uint64_t offset)
{
    zx_vaddr_t va;

    for (uint32_t i = 0; i < image->num_segments; i++) {
        uint64_t start = image->segment[i].start;

        must(vmar_map(region,
                      ZX_VM_SPECIFIC | ZX_VM_PERM_READ |
                          (image->segment[i].executable ? ZX_VM_PERM_EXECUTE : 0),
                      offset + start, image->vmo, start, image->segment[i].end - start, &va),
             "mapping an image");
    }
    return region->region.base + offset;
}

/* The stack is in a region of its own, behind a page where nothing can come to lie. */
static zx_vaddr_t map_stack(struct vmar *root)
{
    struct vmar *region;
    struct vmo *stack;
    zx_vaddr_t base;

    must(vmo_create(STACK_SIZE, 0, &stack), "stack");
    vmo_set_name(stack, "userboot-initial-stack");
    must(vmar_allocate(root, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                       HAL_PAGE_SIZE + STACK_SIZE, &region),
         "a region for the stack");
    must(vmar_map(region, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC, HAL_PAGE_SIZE, stack,
                  0, STACK_SIZE, &base),
         "mapping the stack");
    object_release(&stack->object);
    object_release(&region->object);
    /* As if a return address had been pushed onto an aligned stack. */
    return ((base + STACK_SIZE) & ~15ull) - 8;
}

/* ---- Start ---------------------------------------------------------------------------------- */

static void send_bootstrap(struct channel *channel, struct process *process, struct vmo *vdso,
                           const struct hal_boot *boot)
{
    struct channel_message *message;
    char *words = heap_alloc(CMDLINE_MAX);
    size_t length;

    must(words ? ZX_OK : ZX_ERR_NO_MEMORY, "command line");
    length = make_cmdline(boot, words);
    message = channel_message_alloc((uint32_t)length, HANDLE_COUNT);
    must(message ? ZX_OK : ZX_ERR_NO_MEMORY, "bootstrap message");
    memcpy(channel_message_bytes(message), words, length);
    heap_free(words);
    make_handles(process, vdso, boot, message->handles);
    must(channel_write(channel, message), "bootstrap message");
}

void userboot_start(const struct hal_boot *boot)
{
    struct image userboot, vdso;
    struct process *process;
    struct thread *thread;
    struct vmar *region;
    struct channel *ours, *theirs;
    zx_vaddr_t base, vdso_base, sp;

    image_load(&boot->userboot, "userboot", &userboot);
    image_load(&boot->vdso, "vdso/full", &vdso);
    image_prepare_vdso(&vdso, boot);

    must(process_create(kernel()->root_job, "userboot", &process), "process");
    must(thread_create(process, "userboot", &thread), "thread");
    must(vmar_allocate(process->aspace->root,
                       ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE |
                           ZX_VM_CAN_MAP_SPECIFIC,
                       0, userboot.size + vdso.size, &region),
         "address region");
    base = map_image(region, &userboot, 0);
    vdso_base = map_image(region, &vdso, userboot.size);
    sp = map_stack(process->aspace->root);

    must(channel_create(&ours, &theirs), "bootstrap channel");
    send_bootstrap(ours, process, vdso.vmo, boot);
    must(process_start(process, thread, base + userboot.entry, sp,
                       give(&theirs->object, ZX_DEFAULT_CHANNEL_RIGHTS), vdso_base),
         "start");
    channel_close(ours);
    object_release(&ours->object);

    object_release(&region->object);
    object_release(&thread->object);
    object_release(&process->object);
    object_release(&userboot.vmo->object);
    object_release(&vdso.vmo->object);
}
