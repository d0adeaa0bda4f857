/*
 * What zx_object_get_info says of processes.
 */
#include "child.h"
#include "info_topic.h"

#define PAGE 4096u

/* ---- The rules of all topics --------------------------------------------------------------- */

static zx_handle_t second_thread;

/* This process with one thread more. */
static zx_handle_t open_with_two_threads(void)
{
    ASSERT_OK(zx_thread_create(zx_process_self(), "second", 6, 0, &second_thread));
    return zx_process_self();
}

static void close_second_thread(zx_handle_t process)
{
    (void)process;
    CLOSE(second_thread);
}

static const struct info_topic process_topic = {
    .topic = ZX_INFO_PROCESS,
    .record_size = sizeof(zx_info_process_t),
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_process,
    .close = info_keep,
};
static const struct info_topic threads_topic = {
    .topic = ZX_INFO_PROCESS_THREADS,
    .record_size = sizeof(zx_koid_t),
    .many = true,
    .right = ZX_RIGHT_ENUMERATE,
    .open = open_with_two_threads,
    .close = close_second_thread,
};
static const struct info_topic maps_topic = {
    .topic = ZX_INFO_PROCESS_MAPS,
    .record_size = sizeof(zx_info_maps_t),
    .many = true,
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_process,
    .close = info_keep,
};
static const struct info_topic vmos_topic = {
    .topic = ZX_INFO_PROCESS_VMOS,
    .record_size = sizeof(zx_info_vmo_t),
    .many = true,
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_process,
    .close = info_keep,
};
static const struct info_topic handle_stats_topic = {
    .topic = ZX_INFO_PROCESS_HANDLE_STATS,
    .record_size = sizeof(zx_info_process_handle_stats_t),
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_process,
    .close = info_keep,
};
static const struct info_topic handle_table_topic = {
    .topic = ZX_INFO_HANDLE_TABLE,
    .record_size = sizeof(zx_info_handle_extended_t),
    .many = true,
    .right = ZX_RIGHT_INSPECT | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD,
    .open = info_of_this_process,
    .close = info_keep,
};

INFO_TOPIC_TESTS(ProcessGetInfo, Process, process_topic)
INFO_TOPIC_TESTS(ProcessGetInfo, Threads, threads_topic)
INFO_TOPIC_TESTS(ProcessGetInfo, Maps, maps_topic)
INFO_TOPIC_TESTS(ProcessGetInfo, Vmos, vmos_topic)
INFO_TOPIC_TESTS(ProcessGetInfo, HandleStats, handle_stats_topic)
INFO_TOPIC_TESTS(ProcessGetInfo, HandleTable, handle_table_topic)

/* ---- ZX_INFO_PROCESS ----------------------------------------------------------------------- */

static zx_info_process_t process_info(zx_handle_t process)
{
    zx_info_process_t info;

    ASSERT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    return info;
}

/* A process that was never started. */
struct unstarted {
    zx_handle_t process, vmar;
};

static struct unstarted make_unstarted(void)
{
    struct unstarted u;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &u.process, &u.vmar));
    return u;
}

static void close_unstarted(const struct unstarted *u)
{
    CLOSE(u->vmar);
    CLOSE(u->process);
}

/* A process that has ended with code 12. */
static struct child make_dead(void)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 12);

    EXPECT_EQ(child_wait(&child), 12);
    return child;
}

TEST(ProcessGetInfo, ProcessThroughItsLife)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t process = prepared.child.process;
    zx_info_process_t info = process_info(process);

    EXPECT_EQ(info.started, false);
    EXPECT_EQ(info.exited, false);
    EXPECT_EQ(info.return_code, 0);
    child_run(&prepared);
    info = process_info(process);
    EXPECT_EQ(info.started, true);
    EXPECT_EQ(info.exited, false);
    EXPECT_EQ(info.return_code, 0);
    EXPECT_OK(zx_task_kill(process));
    child_wait(&prepared.child);
    info = process_info(process);
    EXPECT_EQ(info.started, true);
    EXPECT_EQ(info.exited, true);
    EXPECT_EQ(info.return_code, ZX_TASK_RETCODE_SYSCALL_KILL);
    child_close(&prepared.child);
}

TEST(ProcessGetInfo, ProcessDebuggerAttached)
{
    struct unstarted u = make_unstarted();
    zx_handle_t debugger, channel;

    ASSERT_OK(zx_task_create_exception_channel(u.process, 0, &channel));
    EXPECT_EQ(process_info(u.process).debugger_attached, false); /* that was no debugger */
    CLOSE(channel);
    ASSERT_OK(
        zx_task_create_exception_channel(u.process, ZX_EXCEPTION_CHANNEL_DEBUGGER, &debugger));
    EXPECT_EQ(process_info(u.process).debugger_attached, true);
    CLOSE(debugger);
    EXPECT_EQ(process_info(u.process).debugger_attached, false);
    close_unstarted(&u);
}

/* ---- Threads ------------------------------------------------------------------------------- */

static size_t thread_count(zx_handle_t process)
{
    size_t available = 99;

    EXPECT_OK(zx_object_get_info(process, ZX_INFO_PROCESS_THREADS, NULL, 0, NULL, &available));
    return available;
}

TEST(ProcessGetInfo, ThreadsComeAndGo)
{
    struct unstarted u = make_unstarted();
    zx_koid_t koids[3] = {0};
    zx_handle_t a, b;

    EXPECT_EQ(thread_count(u.process), 0);
    ASSERT_OK(zx_thread_create(u.process, "a", 1, 0, &a));
    ASSERT_OK(zx_thread_create(u.process, "b", 1, 0, &b));
    EXPECT_OK(
        zx_object_get_info(u.process, ZX_INFO_PROCESS_THREADS, koids, sizeof(koids), NULL, NULL));
    EXPECT_EQ(koids[0], basic_info(a).koid);
    EXPECT_EQ(koids[1], basic_info(b).koid);
    EXPECT_EQ(koids[2], 0);
    CLOSE(a); /* it was not started: this is its end */
    EXPECT_EQ(thread_count(u.process), 1);
    CLOSE(b);
    EXPECT_EQ(thread_count(u.process), 0);
    close_unstarted(&u);
}

TEST(ProcessGetInfo, ThreadsOfTheDead)
{
    struct child child = make_dead();

    EXPECT_EQ(thread_count(child.process), 0);
    child_close(&child);
}

/* ---- Maps ---------------------------------------------------------------------------------- */

static zx_info_maps_t maps[512];

static size_t get_maps(zx_handle_t process)
{
    size_t actual = 0, available = 0;

    ASSERT_OK(
        zx_object_get_info(process, ZX_INFO_PROCESS_MAPS, maps, sizeof(maps), &actual, &available));
    ASSERT_EQ(actual, available);
    return actual;
}

static const zx_info_maps_t *find_map(size_t count, uint32_t type, zx_vaddr_t base)
{
    for (size_t i = 0; i < count; i++) {
        if (maps[i].type == type && maps[i].base == base)
            return &maps[i];
    }
    return NULL;
}

TEST(ProcessGetInfo, MapsOfAnEmptyProcess)
{
    struct unstarted u = make_unstarted();
    zx_info_vmar_t root;

    ASSERT_OK(zx_object_get_info(u.vmar, ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL));
    ASSERT_EQ(get_maps(u.process), 2);
    EXPECT_EQ(maps[0].type, ZX_INFO_MAPS_TYPE_ASPACE);
    EXPECT_EQ(maps[0].depth, 0);
    EXPECT_EQ(maps[1].type, ZX_INFO_MAPS_TYPE_VMAR);
    EXPECT_EQ(maps[1].depth, 1);
    EXPECT_EQ(maps[1].base, root.base);
    EXPECT_EQ(maps[1].size, root.len);
    close_unstarted(&u);
}

/* A parent comes before what is in it, neighbours in the order of their addresses. */
TEST(ProcessGetInfo, MapsAreDepthFirst)
{
    size_t count = get_maps(zx_process_self());
    zx_vaddr_t ends[16] = {maps[0].base + maps[0].size};

    EXPECT_EQ(maps[0].type, ZX_INFO_MAPS_TYPE_ASPACE);
    for (size_t i = 1; i < count; i++) {
        size_t depth = maps[i].depth;
        ASSERT_TRUE(depth >= 1 && depth < 16);
        EXPECT_TRUE(depth <= maps[i - 1].depth + 1);
        EXPECT_TRUE(maps[i].base + maps[i].size <= ends[depth - 1]);
        if (depth > maps[i - 1].depth)
            EXPECT_TRUE(maps[i].base >= maps[i - 1].base);
        else
            EXPECT_TRUE(maps[i].base >= ends[depth]);
        ends[depth] = maps[i].base + maps[i].size;
    }
}

TEST(ProcessGetInfo, MapsOfAMapping)
{
    struct unstarted u = make_unstarted();
    zx_handle_t vmo, region;
    zx_vaddr_t address, start;

    ASSERT_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "mapped", 6));
    ASSERT_OK(zx_vmo_write(vmo, "x", 2 * PAGE, 1));
    ASSERT_OK(zx_vmar_allocate(u.vmar, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0, 16 * PAGE,
                               &region, &start));
    ASSERT_OK(zx_vmar_map(region, ZX_VM_PERM_READ, 0, vmo, PAGE, 3 * PAGE, &address));
    size_t count = get_maps(u.process);
    EXPECT_EQ(count, 4);
    const zx_info_maps_t *vmar = find_map(count, ZX_INFO_MAPS_TYPE_VMAR, start);
    const zx_info_maps_t *map = find_map(count, ZX_INFO_MAPS_TYPE_MAPPING, address);
    ASSERT_TRUE(vmar && map);
    EXPECT_EQ(vmar->size, 16 * PAGE);
    EXPECT_EQ(vmar->depth, 2);
    EXPECT_EQ(map->depth, 3);
    EXPECT_EQ(map->size, 3 * PAGE);
    EXPECT_EQ(strcmp(map->name, "mapped"), 0);
    EXPECT_EQ(map->u.mapping.mmu_flags, ZX_VM_PERM_READ);
    EXPECT_EQ(map->u.mapping.vmo_koid, basic_info(vmo).koid);
    EXPECT_EQ(map->u.mapping.vmo_offset, PAGE);
    EXPECT_EQ(map->u.mapping.committed_pages, 1);
    CLOSE(region);
    CLOSE(vmo);
    close_unstarted(&u);
}

TEST(ProcessGetInfo, MapsFollowProtectAndUnmap)
{
    struct unstarted u = make_unstarted();
    zx_vaddr_t address;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    ASSERT_OK(
        zx_vmar_map(u.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, 4 * PAGE, &address));
    ASSERT_OK(zx_vmar_protect(u.vmar, ZX_VM_PERM_READ, address + PAGE, PAGE));
    size_t count = get_maps(u.process);
    const zx_info_maps_t *map = find_map(count, ZX_INFO_MAPS_TYPE_MAPPING, address + PAGE);
    ASSERT_TRUE(map != NULL); /* it is one of its own now */
    EXPECT_EQ(map->size, PAGE);
    EXPECT_EQ(map->u.mapping.mmu_flags, ZX_VM_PERM_READ);
    EXPECT_EQ(map->u.mapping.vmo_offset, PAGE);
    ASSERT_OK(zx_vmar_unmap(u.vmar, address, 2 * PAGE));
    count = get_maps(u.process);
    EXPECT_EQ(count, 3);
    map = find_map(count, ZX_INFO_MAPS_TYPE_MAPPING, address + 2 * PAGE);
    ASSERT_TRUE(map != NULL);
    EXPECT_EQ(map->size, 2 * PAGE);
    CLOSE(vmo);
    close_unstarted(&u);
}

TEST(ProcessGetInfo, MapsOfTheDead)
{
    struct child child = make_dead();

    EXPECT_STATUS(
        zx_object_get_info(child.process, ZX_INFO_PROCESS_MAPS, maps, sizeof(maps), NULL, NULL),
        ZX_ERR_BAD_STATE);
    child_close(&child);
}

/* ---- VMOs ---------------------------------------------------------------------------------- */

static zx_info_vmo_t vmos[512];

/* Finds the record of a VMO of this process that has a flag; NULL if there is none. */
static const zx_info_vmo_t *find_vmo(zx_handle_t vmo, uint32_t flag)
{
    zx_koid_t koid = basic_info(vmo).koid;
    size_t actual = 0, available = 0;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_VMOS, vmos, sizeof(vmos),
                                 &actual, &available));
    ASSERT_EQ(actual, available);
    for (size_t i = 0; i < actual; i++) {
        if (vmos[i].koid == koid && vmos[i].flags & flag)
            return &vmos[i];
    }
    return NULL;
}

TEST(ProcessGetInfo, VmosByHandle)
{
    zx_handle_t vmo, weak;

    ASSERT_OK(zx_vmo_create(3 * PAGE, ZX_VMO_RESIZABLE, &vmo));
    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "held", 4));
    ASSERT_OK(zx_vmo_write(vmo, "x", 0, 1));
    const zx_info_vmo_t *info = find_vmo(vmo, ZX_INFO_VMO_VIA_HANDLE);
    ASSERT_TRUE(info != NULL);
    EXPECT_EQ(strcmp(info->name, "held"), 0);
    EXPECT_EQ(info->size_bytes, 3 * PAGE);
    EXPECT_EQ(info->handle_rights, ZX_DEFAULT_VMO_RIGHTS);
    EXPECT_EQ(info->flags, ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_RESIZABLE | ZX_INFO_VMO_VIA_HANDLE);
    EXPECT_EQ(info->committed_bytes, PAGE);
    EXPECT_EQ(info->num_mappings, 0);
    EXPECT_EQ(info->parent_koid, 0);
    EXPECT_TRUE(find_vmo(vmo, ZX_INFO_VMO_VIA_MAPPING) == NULL);
    /* Each handle is a record. */
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    CLOSE(vmo);
    info = find_vmo(weak, ZX_INFO_VMO_VIA_HANDLE);
    ASSERT_TRUE(info != NULL);
    EXPECT_EQ(info->handle_rights, ZX_DEFAULT_VMO_RIGHTS & ~ZX_RIGHT_WRITE);
    CLOSE(weak);
}

TEST(ProcessGetInfo, VmosByMapping)
{
    zx_vaddr_t address;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(PAGE, 0, &vmo));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address));
    const zx_info_vmo_t *info = find_vmo(vmo, ZX_INFO_VMO_VIA_MAPPING);
    ASSERT_TRUE(info != NULL);
    EXPECT_EQ(info->num_mappings, 1);
    EXPECT_EQ(info->share_count, 1);
    ASSERT_OK(zx_vmar_unmap(zx_vmar_root_self(), address, PAGE));
    EXPECT_TRUE(find_vmo(vmo, ZX_INFO_VMO_VIA_MAPPING) == NULL);
    CLOSE(vmo);
}

TEST(ProcessGetInfo, VmosOfTheUnstarted)
{
    struct unstarted u = make_unstarted();

    EXPECT_STATUS(
        zx_object_get_info(u.process, ZX_INFO_PROCESS_VMOS, vmos, sizeof(vmos), NULL, NULL),
        ZX_ERR_BAD_STATE);
    close_unstarted(&u);
}

TEST(ProcessGetInfo, VmosOfTheDead)
{
    struct child child = make_dead();

    EXPECT_STATUS(
        zx_object_get_info(child.process, ZX_INFO_PROCESS_VMOS, vmos, sizeof(vmos), NULL, NULL),
        ZX_ERR_BAD_STATE);
    child_close(&child);
}

/* ---- Handles ------------------------------------------------------------------------------- */

static zx_info_process_handle_stats_t handle_stats(zx_handle_t process)
{
    zx_info_process_handle_stats_t stats;

    ASSERT_OK(zx_object_get_info(process, ZX_INFO_PROCESS_HANDLE_STATS, &stats, sizeof(stats), NULL,
                                 NULL));
    return stats;
}

TEST(ProcessGetInfo, HandleStatsCountByType)
{
    zx_info_process_handle_stats_t before = handle_stats(zx_process_self()), after;
    zx_handle_t fifo[2], port;

    ASSERT_OK(zx_fifo_create(4, 4, 0, &fifo[0], &fifo[1]));
    ASSERT_OK(zx_port_create(0, &port));
    after = handle_stats(zx_process_self());
    for (size_t type = 0; type < 64; type++) {
        uint32_t more = type == ZX_OBJ_TYPE_FIFO ? 2 : type == ZX_OBJ_TYPE_PORT ? 1 : 0;
        EXPECT_EQ(after.handle_count[type], before.handle_count[type] + more);
    }
    CLOSE(fifo[0]);
    CLOSE(fifo[1]);
    CLOSE(port);
}

TEST(ProcessGetInfo, HandleStatsOfTheDead)
{
    struct child child = make_dead();
    zx_info_process_handle_stats_t stats = handle_stats(child.process);

    for (size_t type = 0; type < 64; type++)
        EXPECT_EQ(stats.handle_count[type], 0);
    child_close(&child);
}

static zx_info_handle_extended_t table[512];

TEST(ProcessGetInfo, HandleTableEntry)
{
    zx_handle_t a, b, weak;
    size_t actual = 0;
    bool found = false;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    weak = without_rights(a, ZX_RIGHT_SIGNAL);
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_TABLE, table, sizeof(table),
                                 &actual, NULL));
    for (size_t i = 0; i < actual; i++) {
        const zx_info_handle_extended_t *entry = &table[i];
        if (entry->handle_value != weak)
            continue;
        found = true;
        EXPECT_EQ(entry->type, ZX_OBJ_TYPE_EVENTPAIR);
        EXPECT_EQ(entry->rights, ZX_DEFAULT_EVENTPAIR_RIGHTS & ~ZX_RIGHT_SIGNAL);
        EXPECT_EQ(entry->props, ZX_OBJ_PROP_WAITABLE);
        EXPECT_EQ(entry->koid, basic_info(a).koid);
        EXPECT_EQ(entry->related_koid, basic_info(b).koid);
        EXPECT_EQ(entry->peer_owner_koid, 0);
    }
    EXPECT_TRUE(found);
    CLOSE(weak);
    CLOSE(a);
    CLOSE(b);
}

/* Without a buffer: how many there are. */
TEST(ProcessGetInfo, HandleTableCount)
{
    zx_info_process_handle_stats_t stats = handle_stats(zx_process_self());
    size_t actual = 0, sum = 0;

    for (size_t type = 0; type < 64; type++)
        sum += stats.handle_count[type];
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_TABLE, NULL, 0, &actual, NULL));
    EXPECT_EQ(actual, sum);
}

TEST(ProcessGetInfo, HandleTableNeedsAllThreeRights)
{
    static const zx_rights_t needed[] = {ZX_RIGHT_INSPECT, ZX_RIGHT_MANAGE_PROCESS,
                                         ZX_RIGHT_MANAGE_THREAD};

    for (int i = 0; i < 3; i++) {
        zx_handle_t weak = without_rights(zx_process_self(), needed[i]);
        EXPECT_STATUS(
            zx_object_get_info(weak, ZX_INFO_HANDLE_TABLE, table, sizeof(table), NULL, NULL),
            ZX_ERR_ACCESS_DENIED);
        CLOSE(weak);
    }
}

/* ---- ZX_INFO_TASK_STATS -------------------------------------------------------------------- */

static const struct info_topic stats_topic = {
    .topic = ZX_INFO_TASK_STATS,
    .record_size = sizeof(zx_info_task_stats_t),
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_process,
    .close = info_keep,
};

INFO_TOPIC_TESTS(TaskGetInfo, Stats, stats_topic)

static zx_info_task_stats_t task_stats(zx_handle_t process)
{
    zx_info_task_stats_t stats;

    ASSERT_OK(zx_object_get_info(process, ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL));
    return stats;
}

TEST(TaskGetInfo, StatsCountMappedAndCommitted)
{
    struct unstarted u = make_unstarted();
    zx_info_task_stats_t stats = task_stats(u.process);
    zx_vaddr_t address;
    zx_handle_t vmo;

    EXPECT_EQ(stats.mem_mapped_bytes, 0);
    EXPECT_EQ(stats.mem_private_bytes, 0);
    ASSERT_OK(zx_vmo_create(4 * PAGE, 0, &vmo));
    ASSERT_OK(zx_vmo_write(vmo, "x", PAGE, 1));
    ASSERT_OK(zx_vmar_map(u.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 4 * PAGE, &address));
    stats = task_stats(u.process);
    EXPECT_EQ(stats.mem_mapped_bytes, 4 * PAGE);
    EXPECT_EQ(stats.mem_private_bytes, PAGE);
    EXPECT_EQ(stats.mem_shared_bytes, 0);
    CLOSE(vmo);
    close_unstarted(&u);
}

TEST(TaskGetInfo, StatsShareWhatTwoProcessesMap)
{
    struct unstarted a = make_unstarted(), b = make_unstarted();
    zx_vaddr_t address;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(2 * PAGE, 0, &vmo));
    ASSERT_OK(zx_vmo_write(vmo, "x", 0, 1));
    ASSERT_OK(zx_vmo_write(vmo, "x", PAGE, 1));
    ASSERT_OK(zx_vmar_map(a.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 2 * PAGE, &address));
    ASSERT_OK(zx_vmar_map(b.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 2 * PAGE, &address));
    zx_info_task_stats_t stats = task_stats(a.process);
    EXPECT_EQ(stats.mem_private_bytes, 0);
    EXPECT_EQ(stats.mem_shared_bytes, 2 * PAGE);
    EXPECT_EQ(stats.mem_scaled_shared_bytes, PAGE);
    CLOSE(vmo);
    close_unstarted(&a);
    close_unstarted(&b);
}

TEST(TaskGetInfo, StatsOfTheDead)
{
    struct child child = make_dead();
    zx_info_task_stats_t stats;

    EXPECT_STATUS(
        zx_object_get_info(child.process, ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL),
        ZX_ERR_BAD_STATE);
    child_close(&child);
}
