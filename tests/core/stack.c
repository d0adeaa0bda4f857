/*
 * Stacks of programs: readable and writable, never executable, with nothing accessible below.
 */
#include "memory.h"

#include <pthread.h>
#include <threads.h>

static zx_info_maps_t maps[512];

/* Whether something could be mapped into the page below `base`. */
static zx_status_t map_below(zx_vaddr_t base)
{
    zx_handle_t root = zx_vmar_root_self(), vmo = new_vmo(1);
    zx_info_vmar_t info;
    zx_vaddr_t va;

    ASSERT_OK(zx_object_get_info(root, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    zx_status_t status = zx_vmar_map(root, ZX_VM_PERM_READ | ZX_VM_SPECIFIC,
                                     base - PAGE - info.base, vmo, 0, PAGE, &va);
    zx_handle_close(vmo);
    return status;
}

/* Looks at the mapping that holds one of the caller's locals. */
static int check_stack(void *result)
{
    zx_vaddr_t here = (zx_vaddr_t)&result;
    const zx_info_maps_t *stack = NULL;
    size_t count;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps, sizeof(maps),
                                 &count, NULL));
    for (size_t i = 0; i < count; i++) {
        if (maps[i].type == ZX_INFO_MAPS_TYPE_MAPPING && here - maps[i].base < maps[i].size)
            stack = &maps[i];
    }
    ASSERT_TRUE(stack != NULL);
    EXPECT_EQ(stack->u.mapping.mmu_flags, READ_WRITE);
    EXPECT_TRUE(read_probe(stack->base - 1) != ZX_OK);
    EXPECT_TRUE(map_below(stack->base) != ZX_OK);
    EXPECT_OK(write_probe(here - 512));
    *(zx_vaddr_t *)result = stack->base;
    return 0;
}

TEST(Stack, MainThread)
{
    zx_vaddr_t base = 0;

    check_stack(&base);
    EXPECT_TRUE(base != 0);
}

TEST(Stack, OtherThread)
{
    zx_vaddr_t main_base = 0, base = 0;
    thrd_t thread;

    check_stack(&main_base);
    ASSERT_EQ(thrd_create(&thread, check_stack, &base), thrd_success);
    ASSERT_EQ(thrd_join(thread, NULL), thrd_success);
    EXPECT_TRUE(base != 0 && base != main_base);
}

static void *check_pthread_stack(void *result)
{
    check_stack(result);
    return NULL;
}

/* One of the usual size is kept for the next thread. */
TEST(Stack, OfUnusualSizeGoesWithItsThread)
{
    zx_vaddr_t base = 0;
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, 65536), 0);
    ASSERT_EQ(pthread_create(&thread, &attributes, check_pthread_stack, &base), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    EXPECT_TRUE(base != 0);
    EXPECT_TRUE(read_probe(base) != ZX_OK);
}
