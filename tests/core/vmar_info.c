/*
 * What address regions and address spaces tell: ZX_INFO_VMAR, PROCESS_MAPS, PROCESS_VMOS,
 * TASK_STATS.
 */
#include "child.h"
#include "memory.h"

#define CAN_MAP                                                                                    \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)
#define MAX_RECORDS 512

static zx_handle_t allocate(uint64_t pages, zx_vaddr_t *base)
{
    zx_handle_t vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP, 0, pages * PAGE, &vmar, base));
    return vmar;
}

static void destroy(zx_handle_t vmar)
{
    EXPECT_OK(zx_vmar_destroy(vmar));
    CLOSE(vmar);
}

/* ---- ZX_INFO_VMAR -------------------------------------------------------------------------- */

TEST(VmarGetInfo, RegionOfItsOwn)
{
    zx_info_vmar_t info;
    zx_vaddr_t base;
    zx_handle_t vmar = allocate(5, &base);

    ASSERT_OK(zx_object_get_info(vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.base, base);
    EXPECT_EQ(info.len, 5 * PAGE);
    destroy(vmar);
}

TEST(VmarGetInfo, ActualAndAvail)
{
    size_t actual = 9, avail = 9;
    zx_info_vmar_t info;

    ASSERT_OK(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info), &actual,
                                 &avail));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(avail, 1);
}

TEST(VmarGetInfo, BufferTooSmall)
{
    size_t actual = 9, avail = 9;
    zx_info_vmar_t info = {.base = 77};

    EXPECT_STATUS(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info) - 1,
                                     &actual, &avail),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 1);
    EXPECT_EQ(info.base, 77);
}

TEST(VmarGetInfo, NoBuffer)
{
    size_t actual = 9, avail = 9;

    EXPECT_STATUS(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, NULL, 0, &actual, &avail),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 1);
}

/* Bytes behind the record are left alone. */
TEST(VmarGetInfo, LargerBuffer)
{
    uint64_t buffer[4] = {0, 0, 55, 55};

    EXPECT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, buffer, sizeof(buffer), NULL, NULL));
    EXPECT_TRUE(is_user_space(buffer[0], buffer[1]));
    EXPECT_EQ(buffer[2], 55);
}

TEST(VmarGetInfo, BadBuffer)
{
    EXPECT_STATUS(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, UNMAPPED,
                                     sizeof(zx_info_vmar_t), NULL, NULL),
                  ZX_ERR_INVALID_ARGS);
}

TEST(VmarGetInfo, BadActual)
{
    zx_info_vmar_t info;

    EXPECT_STATUS(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info), UNMAPPED, NULL),
        ZX_ERR_INVALID_ARGS);
}

TEST(VmarGetInfo, BadAvail)
{
    zx_info_vmar_t info;

    EXPECT_STATUS(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info), NULL, UNMAPPED),
        ZX_ERR_INVALID_ARGS);
}

TEST(VmarGetInfo, BadHandle)
{
    zx_info_vmar_t info;

    EXPECT_STATUS(
        zx_object_get_info(closed_handle(), ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL),
        ZX_ERR_BAD_HANDLE);
}

TEST(VmarGetInfo, OtherObjects)
{
    zx_handle_t others[] = {zx_process_self(), zx_thread_self(), zx_job_default(), new_vmo(1)};
    zx_info_vmar_t info;

    for (int i = 0; i < 4; i++)
        EXPECT_STATUS(zx_object_get_info(others[i], ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL),
                      ZX_ERR_WRONG_TYPE);
    CLOSE(others[3]);
}

TEST(VmarGetInfo, Rights)
{
    zx_info_vmar_t info;
    zx_vaddr_t base;
    zx_handle_t vmar = allocate(1, &base), weak = without_rights(vmar, ZX_RIGHT_INSPECT);

    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    destroy(vmar);
}

/* A region that is destroyed still knows where it was. */
TEST(VmarGetInfo, Destroyed)
{
    zx_info_vmar_t info = {0};
    zx_vaddr_t base;
    zx_handle_t vmar = allocate(3, &base);

    EXPECT_OK(zx_vmar_destroy(vmar));
    EXPECT_OK(zx_object_get_info(vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.len, 3 * PAGE);
    CLOSE(vmar);
}

TEST(VmarGetInfo, OtherProcess)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 0);
    zx_info_vmar_t info;

    ASSERT_OK(zx_object_get_info(prepared.child.root_vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL,
                                 NULL));
    EXPECT_TRUE(is_user_space(info.base, info.len));
    child_run(&prepared);
    child_wait(&prepared.child);
    child_close(&prepared.child);
}

/* ---- ZX_INFO_PROCESS_MAPS ------------------------------------------------------------------ */

static zx_info_maps_t maps[MAX_RECORDS];
static zx_info_vmo_t vmos[MAX_RECORDS];

static size_t get_maps(void)
{
    size_t actual, avail;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps, sizeof(maps),
                                 &actual, &avail));
    ASSERT_EQ(actual, avail);
    return actual;
}

/* The record of what begins at `base`, deepest; NULL: none. */
static const zx_info_maps_t *map_at(zx_vaddr_t base)
{
    size_t count = get_maps();
    const zx_info_maps_t *found = NULL;

    for (size_t i = 0; i < count; i++) {
        if (maps[i].base == base)
            found = &maps[i];
    }
    return found;
}

TEST(VmarGetInfo, MapsBeginWithTheSpace)
{
    size_t count = get_maps();

    ASSERT_TRUE(count > 2);
    EXPECT_EQ(maps[0].type, ZX_INFO_MAPS_TYPE_ASPACE);
    EXPECT_EQ(maps[0].depth, 0);
    EXPECT_EQ(maps[1].type, ZX_INFO_MAPS_TYPE_VMAR);
    EXPECT_EQ(maps[1].depth, 1);
    EXPECT_EQ(strcmp(maps[1].name, "root"), 0);
    EXPECT_EQ(maps[0].base, maps[1].base);
    EXPECT_EQ(maps[0].size, maps[1].size);
}

/* Each region lies inside the one above it, and behind the one before it. */
TEST(VmarGetInfo, MapsAreATree)
{
    size_t count = get_maps();
    zx_vaddr_t end[16] = {0}, next[16] = {0};

    end[0] = maps[0].base + maps[0].size;
    for (size_t i = 1; i < count; i++) {
        size_t depth = maps[i].depth;

        ASSERT_TRUE(depth >= 1 && depth < 15 && depth <= maps[i - 1].depth + 1);
        EXPECT_TRUE(maps[i].base >= next[depth]);
        EXPECT_TRUE(maps[i].base + maps[i].size <= end[depth - 1]);
        end[depth] = next[depth] = maps[i].base + maps[i].size;
        next[depth + 1] = maps[i].base;
    }
}

TEST(VmarGetInfo, MapsShowAMapping)
{
    zx_handle_t vmo = new_vmo(4);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 1, 2);
    const zx_info_maps_t *map;

    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "shown", 5));
    set_word(vmo, 0, 1); /* committed, not mapped */
    set_word(vmo, 2, 1);
    map = map_at(at);
    ASSERT_TRUE(map != NULL);
    EXPECT_EQ(map->type, ZX_INFO_MAPS_TYPE_MAPPING);
    EXPECT_EQ(strcmp(map->name, "shown"), 0);
    EXPECT_EQ(map->size, 2 * PAGE);
    EXPECT_EQ(map->u.mapping.mmu_flags, READ_WRITE);
    EXPECT_EQ(map->u.mapping.vmo_koid, basic_info(vmo).koid);
    EXPECT_EQ(map->u.mapping.vmo_offset, PAGE);
    EXPECT_EQ(map->u.mapping.committed_pages, 1);
    unmap_pages(at, 2);
    EXPECT_TRUE(map_at(at) == NULL);
    CLOSE(vmo);
}

/* Depth counts sub-regions; a protected part is a mapping of its own. */
TEST(VmarGetInfo, MapsShowSubRegions)
{
    zx_handle_t vmo = new_vmo(3), vmar, inner;
    zx_vaddr_t base, inner_base, at;
    const zx_info_maps_t *map;
    size_t depth;

    vmar = allocate(8, &base);
    ASSERT_OK(
        zx_vmar_allocate(vmar, CAN_MAP | ZX_VM_SPECIFIC, 2 * PAGE, 4 * PAGE, &inner, &inner_base));
    ASSERT_OK(zx_vmar_map(inner, READ_WRITE | ZX_VM_SPECIFIC, PAGE, vmo, 0, 3 * PAGE, &at));
    map = map_at(base);
    ASSERT_TRUE(map != NULL);
    EXPECT_EQ(map->type, ZX_INFO_MAPS_TYPE_VMAR);
    depth = map->depth;
    EXPECT_OK(zx_vmar_protect(inner, ZX_VM_PERM_READ, at + PAGE, PAGE));
    map = map_at(at + PAGE);
    ASSERT_TRUE(map != NULL);
    EXPECT_EQ(map->depth, depth + 2);
    EXPECT_EQ(map->size, PAGE);
    EXPECT_EQ(map->u.mapping.mmu_flags, ZX_VM_PERM_READ);
    CLOSE(vmo);
    CLOSE(inner);
    destroy(vmar);
}

TEST(VmarGetInfo, MapsOfSmallBuffer)
{
    size_t count = get_maps(), actual = 99, avail = 0;

    maps[2].base = 5;
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps,
                                 2 * sizeof(maps[0]) + 10, &actual, &avail));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(avail, count);
    EXPECT_EQ(maps[2].base, 5);
    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, NULL, 0, &actual, &avail));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, count);
}

/* ---- The others ---------------------------------------------------------------------------- */

/* A VMO comes once for its handle and once for its mapping. */
TEST(VmarGetInfo, ProcessVmos)
{
    zx_handle_t vmo = new_vmo(1), weak = without_rights(vmo, ZX_RIGHT_WRITE);
    zx_vaddr_t at = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);
    size_t actual, by_handle = 0, by_mapping = 0;

    CLOSE(vmo);
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_VMOS, vmos, sizeof(vmos),
                                 &actual, NULL));
    for (size_t i = 0; i < actual; i++) {
        if (vmos[i].koid != basic_info(weak).koid)
            continue;
        if (vmos[i].flags & ZX_INFO_VMO_VIA_HANDLE) {
            EXPECT_EQ(vmos[i].handle_rights, basic_info(weak).rights);
            by_handle++;
        }
        by_mapping += (vmos[i].flags & ZX_INFO_VMO_VIA_MAPPING) != 0;
        EXPECT_EQ(vmos[i].num_mappings, 1);
        EXPECT_EQ(vmos[i].share_count, 1);
    }
    EXPECT_EQ(by_handle, 1);
    EXPECT_EQ(by_mapping, 1);
    unmap_pages(at, 1);
    CLOSE(weak);
}

static zx_info_task_stats_t task_stats(void)
{
    zx_info_task_stats_t stats;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL,
                                 NULL));
    return stats;
}

TEST(VmarGetInfo, TaskStats)
{
    zx_handle_t vmo = new_vmo(10);
    zx_info_task_stats_t before = task_stats(), after;
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 10);

    EXPECT_OK(commit(vmo, 0, 4));
    after = task_stats();
    EXPECT_EQ(after.mem_mapped_bytes - before.mem_mapped_bytes, 10 * PAGE);
    EXPECT_EQ(after.mem_private_bytes - before.mem_private_bytes, 4 * PAGE);
    unmap_pages(at, 10);
    after = task_stats();
    EXPECT_EQ(after.mem_mapped_bytes, before.mem_mapped_bytes);
    EXPECT_EQ(after.mem_private_bytes, before.mem_private_bytes);
    CLOSE(vmo);
}

TEST(VmarGetInfo, MapsRightsAndDeadProcess)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t weak = without_rights(child.process, ZX_RIGHT_INSPECT);
    size_t avail;

    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_PROCESS_MAPS, NULL, 0, NULL, &avail),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    child_wait(&child);
    EXPECT_STATUS(zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, NULL, 0, NULL, &avail),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_object_get_info(child.process, ZX_INFO_PROCESS_VMOS, NULL, 0, NULL, &avail),
                  ZX_ERR_BAD_STATE);
    child_close(&child);
}
