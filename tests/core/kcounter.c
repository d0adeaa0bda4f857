/*
 * The kernel's counters, as userboot gives them to the first program.
 */
#include "memory.h"
#include "raw_thread.h"

#define NAMES  PA_HND(PA_VMO_KERNEL_FILE, 2)
#define VALUES PA_HND(PA_VMO_KERNEL_FILE, 3)

/* Zircon's layout of "counters/desc". */
struct descriptor {
    char name[56];
    uint64_t type;
};
struct table {
    uint64_t magic, max_cpus, bytes;
    struct descriptor descriptors[];
};

static zx_vaddr_t map_file(uint32_t info, uint64_t *size)
{
    zx_handle_t vmo = zx_get_startup_handle(info);

    if (vmo == ZX_HANDLE_INVALID)
        SKIP("userboot gives the counters to the first program only");
    ASSERT_OK(zx_vmo_get_size(vmo, size));
    return map_pages(vmo, ZX_VM_PERM_READ, 0, *size / PAGE);
}

/* Both arrays, mapped. */
static struct counters {
    const struct table *table;
    const volatile int64_t *values;
    uint64_t table_size, values_size, count;
} open_counters(void)
{
    struct counters c;

    c.table = (const void *)map_file(NAMES, &c.table_size);
    c.values = (const void *)map_file(VALUES, &c.values_size);
    c.count = c.table->bytes / sizeof(struct descriptor);
    return c;
}

static void close_counters(struct counters *c)
{
    unmap_pages((zx_vaddr_t)c->table, c->table_size / PAGE);
    unmap_pages((zx_vaddr_t)c->values, c->values_size / PAGE);
}

static int64_t value_of(const struct counters *c, const char *name)
{
    for (uint64_t i = 0; i < c->count; i++) {
        if (strcmp(c->table->descriptors[i].name, name) == 0)
            return c->values[i];
    }
    EXPECT_TRUE(!"the counter is there");
    return 0;
}

TEST(Kcounter, Table)
{
    struct counters c = open_counters();

    EXPECT_EQ(c.table->magic, 1547273975);
    EXPECT_TRUE(c.table->max_cpus >= zx_system_get_num_cpus());
    EXPECT_EQ(c.table->bytes % sizeof(struct descriptor), 0);
    EXPECT_TRUE(c.count >= 10);
    ASSERT_TRUE(sizeof(*c.table) + c.table->bytes <= c.table_size);
    ASSERT_TRUE(c.count * c.table->max_cpus * sizeof(int64_t) <= c.values_size);
    for (uint64_t i = 0; i < c.count; i++) {
        EXPECT_EQ(c.table->descriptors[i].type, 1); /* sums */
        EXPECT_TRUE(i == 0 ||
                    strcmp(c.table->descriptors[i - 1].name, c.table->descriptors[i].name) < 0);
    }
    close_counters(&c);
}

static void exits(uintptr_t unused1, uintptr_t unused2)
{
    (void)unused1;
    (void)unused2;
    zx_thread_exit();
}

/* They are the kernel's own: what happens is to be seen at once. */
TEST(Kcounter, Counts)
{
    struct counters c = open_counters();
    int64_t threads = value_of(&c, "thread.created"), jobs = value_of(&c, "job.created");
    int64_t children = value_of(&c, "vmo.children"), timeouts = value_of(&c, "wait.timed_out");
    zx_handle_t vmo = new_vmo(1), clone = clone_of(vmo, 0, 1), job;

    for (int i = 0; i < 3; i++) {
        struct raw_thread t = raw_run(exits, 0, 0);
        raw_join(&t);
    }
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    zx_nanosleep(zx_deadline_after(MS(1)));
    EXPECT_EQ(value_of(&c, "thread.created"), threads + 3);
    EXPECT_EQ(value_of(&c, "job.created"), jobs + 1);
    EXPECT_EQ(value_of(&c, "vmo.children"), children + 1);
    EXPECT_TRUE(value_of(&c, "wait.timed_out") > timeouts);
    CLOSE(job);
    CLOSE(clone);
    CLOSE(vmo);
    close_counters(&c);
}

/* Programs look; they do not write. */
TEST(Kcounter, ReadOnly)
{
    zx_handle_t files[] = {zx_get_startup_handle(NAMES), zx_get_startup_handle(VALUES)};
    uint64_t word = 0;
    zx_vaddr_t at;

    for (int i = 0; i < 2; i++) {
        if (files[i] == ZX_HANDLE_INVALID)
            SKIP("userboot gives the counters to the first program only");
        EXPECT_OK(zx_vmo_read(files[i], &word, 0, sizeof(word)));
        EXPECT_STATUS(zx_vmo_write(files[i], &word, 0, sizeof(word)), ZX_ERR_ACCESS_DENIED);
        EXPECT_STATUS(zx_vmo_op_range(files[i], ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0),
                      ZX_ERR_ACCESS_DENIED);
        EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                  files[i], 0, PAGE, &at),
                      ZX_ERR_ACCESS_DENIED);
    }
}
