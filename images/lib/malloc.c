/*
 * The heap. Blocks up to SMALL_MAX come in size classes, four to each doubling, with a free list
 * per class; they are cut from regions that are taken from the kernel whole. A bigger block is a
 * memory object and a mapping of its own. Every block is preceded by 8 bytes that say what it is,
 * which also catches most wrong frees. Regions grow with the heap, so that a small program touches
 * little.
 */
#include "musl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <malloc.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>

#define UNIT           16u      /* alignment of every block */
#define SMALL_MAX      0x10000u /* biggest block of a class, with its header */
#define CLASSES        44       /* 4 of multiples of 16, then 4 per doubling up to SMALL_MAX */
#define FIRST_REGION   0x40000  /* bytes; each region is twice the one before */
#define BIGGEST_REGION 0x4000000

/*
 * The word before a block. SMALL: value is the class. LARGE: value is the size of the mapping,
 * which starts a page boundary at most UNIT bytes before the block. INNER: an aligned block inside
 * another, value is the distance back to that one.
 */
enum kind { SMALL = 0xa11c0001, LARGE, INNER, RELEASED };
struct header {
    uint64_t value : 32;
    uint64_t kind : 32;
};

/* A large block's mapping holds this before the header. */
struct large {
    uint64_t map_size;
    struct header header;
};

struct free_block {
    struct free_block *next;
};

static volatile int lock;
static struct free_block *free_lists[CLASSES];
static char *region, *region_end;
static size_t region_size = FIRST_REGION / 2;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *block);

/* The smallest class whose blocks hold size bytes, header included. */
static unsigned class_of(size_t size)
{
    size_t units = (size + UNIT - 1) / UNIT;

    if (units <= 4)
        return (unsigned)(units - (units > 0));
    unsigned log = 63 - (unsigned)__builtin_clzl(units - 1); /* units is in (2^log, 2^(log+1)] */
    return 4 * (log - 1) + (unsigned)((units - 1) >> (log - 2)) - 4;
}

static size_t class_size(unsigned class)
{
    if (class < 4)
        return (class + 1) * UNIT;
    return (size_t)(5 + class % 4) << (class / 4 - 1) << 4;
}

static struct header *header_of(void *block)
{
    return (struct header *)block - 1;
}

static void *map_memory(size_t size)
{
    zx_handle_t vmo;
    zx_vaddr_t address;

    if (zx_vmo_create(size, 0, &vmo) != ZX_OK)
        return NULL;
    zx_status_t status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                     vmo, 0, size, &address);
    zx_handle_close(vmo);
    return status == ZX_OK ? (void *)address : NULL;
}

/* What is left of the old region is given up: it is less than one block, and untouched. */
static bool next_region(void)
{
    size_t size = region_size < BIGGEST_REGION ? region_size * 2 : region_size;
    char *memory = map_memory(size);

    if (!memory)
        return false;
    region_size = size;
    region = memory;
    region_end = memory + size;
    return true;
}

static void *allocate_small(unsigned class)
{
    size_t size = class_size(class);
    void *block = NULL;

    __lock(&lock);
    if (free_lists[class]) {
        block = free_lists[class];
        free_lists[class] = free_lists[class]->next;
    } else if ((size_t)(region_end - region) >= size + UNIT || next_region()) {
        block = region + UNIT; /* the header is in the unit before */
        region += size;
    }
    if (block)
        *header_of(block) = (struct header){.kind = SMALL, .value = class};
    __unlock(&lock);
    return block;
}

static void *allocate_large(size_t size)
{
    if (size > PTRDIFF_MAX - ZX_PAGE_SIZE)
        return NULL;
    size_t map_size = (size + sizeof(struct large) + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    struct large *large = map_memory(map_size);
    if (!large)
        return NULL;
    *large = (struct large){.map_size = map_size, .header = {.kind = LARGE}};
    return large + 1;
}

void *malloc(size_t size)
{
    void *block = size <= SMALL_MAX - sizeof(struct header)
                      ? allocate_small(class_of(size + sizeof(struct header)))
                      : allocate_large(size);

    if (!block)
        errno = ENOMEM;
    return block;
}

/* The block that was allocated when an aligned one was asked for; otherwise the block itself. */
static void *outer_block(void *block)
{
    struct header *header = header_of(block);

    return header->kind == INNER ? (char *)block - header->value : block;
}

size_t malloc_usable_size(void *block)
{
    if (!block)
        return 0;
    char *outer = outer_block(block);
    struct header *header = header_of(outer);
    size_t size = 0;
    if (header->kind == SMALL)
        size = class_size(header->value) - sizeof(struct header);
    else if (header->kind == LARGE)
        size = ((struct large *)outer - 1)->map_size - sizeof(struct large);
    else
        abort(); /* not a block, or freed before */
    return size - (size_t)((char *)block - outer);
}

void free(void *block)
{
    if (!block)
        return;
    block = outer_block(block);
    struct header *header = header_of(block);
    if (header->kind == LARGE) {
        struct large *large = (struct large *)block - 1;
        zx_vmar_unmap(zx_vmar_root_self(), (uintptr_t)large, large->map_size);
        return;
    }
    if (header->kind != SMALL)
        abort(); /* not a block, or freed before */
    header->kind = RELEASED;
    __lock(&lock);
    struct free_block **list = &free_lists[header->value];
    ((struct free_block *)block)->next = *list;
    *list = block;
    __unlock(&lock);
}

void *calloc(size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(total);
    if (block && header_of(block)->kind == SMALL) /* fresh mappings are zero */
        memset(block, 0, total);
    return block;
}

void *realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    size_t usable = malloc_usable_size(old);
    if (size <= usable && size >= usable / 4)
        return old;
    void *block = malloc(size);
    if (block) {
        memcpy(block, old, size < usable ? size : usable);
        free(old);
    }
    return block;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment & (alignment - 1) || alignment > 0x40000000u) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= UNIT)
        return malloc(size);
    if (size > SIZE_MAX - alignment) {
        errno = ENOMEM;
        return NULL;
    }
    char *outer = malloc(size + alignment);
    if (!outer)
        return NULL;
    char *block = (char *)(((uintptr_t)outer + alignment - 1) & -alignment);
    if (block != outer)
        *header_of(block) = (struct header){.kind = INNER, .value = (size_t)(block - outer)};
    return block;
}

void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *))
        return EINVAL;
    int saved = errno;
    void *result = aligned_alloc(alignment, size);
    int error = result ? 0 : errno;
    errno = saved;
    if (result)
        *block = result;
    return error;
}

/* The names under which musl's own parts use the heap, whatever a program puts in its place. */
void *__libc_malloc(size_t size) __attribute__((alias("malloc"), visibility("hidden")));
void *__libc_calloc(size_t count, size_t size)
    __attribute__((alias("calloc"), visibility("hidden")));
void *__libc_realloc(void *old, size_t size)
    __attribute__((alias("realloc"), visibility("hidden")));
void __libc_free(void *block) __attribute__((alias("free"), visibility("hidden")));
