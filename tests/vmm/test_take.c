/*
 * test_take.c - snapshots of a machine that goes on, by each way of setting its memory aside: a
 * copy that a thread writes, a forked child, and the machine itself. What a snapshot holds is what
 * the machine was when it was begun, whatever ran since.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "snapshot/aside.h"
#include "vm.h"

#define GUEST  "obj/vmm-tests/testguest.elf"
#define FOLDER "obj/vmm-tests/take"
#define PARENT FOLDER "/parent.zsnap"
#define CHILD  FOLDER "/child.zsnap"

/* ---- A host that refuses -----------------------------------------------------------------------
 */

static struct {
    unsigned forks;
    bool no_fork, no_thread, no_memory, writer_dies;
    int out_fd; /* nowhere */
} host;

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
    host.forks++;
    if (host.no_fork) {
        errno = EAGAIN;
        return -1;
    }
    pid_t child = __real_fork();
    if (child == 0 && host.writer_dies)
        raise(SIGKILL);
    return child;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return host.no_thread ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (host.no_memory && length == ASIDE_PAGES * PAGE_BYTES + (2 << 20)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, length, protection, flags, fd, offset);
}

/* ---- Machines ----------------------------------------------------------------------------------
 */

#define ASSERT_GOOD(error, expression)                                                             \
    do {                                                                                           \
        if ((expression) != 0)                                                                     \
            fail_msg("%s: %s", #expression, (error).text);                                         \
    } while (0)

static struct zvmm_config config_for(const char *words, const char *stop)
{
    struct zvmm_config config;
    zvmm_config_defaults(&config);
    config.guest_path = GUEST;
    config.memory_bytes = 16 << 20;
    config.cmdline = words;
    config.in_fd = -1;
    config.out_fd = host.out_fd;
    config.stop_at = stop;
    config.incremental = true;
    return config;
}

static void run(struct zvmm *vm)
{
    struct zvmm_error error;
    struct zvmm_result result;
    ASSERT_GOOD(error, zvmm_run(vm, &result, &error));
    assert_int_equal(result.end, ZVMM_END_STOP);
}

/* A machine that was restored from PARENT, taken at `before`, and runs to the event `stop`. */
static struct zvmm *restore_with(uint64_t bytes, const char *words, const char *before,
                                 const char *stop)
{
    struct zvmm_error error;
    struct zvmm *vm;
    struct zvmm_config config = config_for(words, before);
    config.memory_bytes = bytes;
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    run(vm);
    ASSERT_GOOD(error, zvmm_snapshot(vm, PARENT, NULL, &error));
    zvmm_destroy(vm);
    config.guest_path = NULL;
    config.stop_at = stop;
    ASSERT_GOOD(error, zvmm_restore(&config, PARENT, &vm, &error));
    host.forks = 0;
    return vm;
}

static struct zvmm *restore(const char *words, const char *before, const char *stop)
{
    return restore_with(16 << 20, words, before, stop);
}

/* ... and has run to it. */
static struct zvmm *prepare(const char *words, const char *before, const char *stop)
{
    struct zvmm *vm = restore(words, before, stop);
    run(vm);
    return vm;
}

static uint8_t *copy_memory(const struct zvmm *vm)
{
    uint8_t *copy = malloc(vm->memory.bytes);
    assert_non_null(copy);
    return memcpy(copy, vm->memory.base, vm->memory.bytes);
}

/* But for the page that zvmm writes by itself. */
static void assert_memory(const struct zvmm *vm, const uint8_t *expected)
{
    for (uint64_t at = 0; at < vm->memory.bytes; at += PAGE_BYTES)
        if (at != vm->boot.shared && memcmp(vm->memory.base + at, expected + at, PAGE_BYTES) != 0)
            fail_msg("page %#llx differs", (unsigned long long)at);
}

static void assert_snapshot(const char *path, const uint8_t *expected)
{
    struct zvmm_error error;
    struct zvmm *vm;
    struct zvmm_config config = config_for(NULL, NULL);
    config.guest_path = NULL;
    ASSERT_GOOD(error, zvmm_restore(&config, path, &vm, &error));
    assert_memory(vm, expected);
    zvmm_destroy(vm);
}

/* Snapshot the machine as the difference from PARENT, and let it go on meanwhile. */
static void take_child(struct zvmm *vm, unsigned forks)
{
    struct zvmm_error error;
    struct take *take;
    uint8_t *then = copy_memory(vm);
    ASSERT_GOOD(error, zvmm_snapshot_begin(vm, CHILD, PARENT, &take, &error));
    run(vm);
    ASSERT_GOOD(error, zvmm_snapshot_end(take, &error));
    assert_int_equal(host.forks, forks);
    assert_snapshot(CHILD, then);
    free(then);
}

/* ---- Tests -------------------------------------------------------------------------------------
 */

static int reset_host(void **state)
{
    (void)state;
    if (host.out_fd == 0)
        host.out_fd = open("/dev/null", O_WRONLY);
    host.forks = 0;
    host.no_fork = host.no_thread = host.no_memory = host.writer_dies = false;
    return host.out_fd > 0 ? 0 : -1;
}

static void test_few_pages_by_a_thread(void **state)
{
    (void)state;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    take_child(vm, 0);
    zvmm_destroy(vm);
}

static void test_many_pages_by_a_child(void **state)
{
    (void)state;
    struct zvmm *vm = prepare("touch 600 1", "marker:0x1000", "marker:0x1001");
    struct zvmm_error error;
    struct take *take;
    uint8_t *then = copy_memory(vm);
    ASSERT_GOOD(error, zvmm_snapshot_begin(vm, CHILD, PARENT, &take, &error));
    memset(zvmm_memory(vm, 8 << 20, 1 << 20), 0x55, 1 << 20);
    ASSERT_GOOD(error, zvmm_snapshot_end(take, &error));
    assert_int_equal(host.forks, 1);
    assert_snapshot(CHILD, then);
    free(then);
    zvmm_destroy(vm);
}

static void test_without_a_thread_by_a_child(void **state)
{
    (void)state;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    host.no_thread = true;
    take_child(vm, 1);
    zvmm_destroy(vm);
}

static void test_without_memory_by_a_child(void **state)
{
    (void)state;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    host.no_memory = true;
    take_child(vm, 1);
    zvmm_destroy(vm);
}

/* Each is the difference from the one before, known by what has been written since. */
static void test_chain(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct take *take;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    char path[2][64] = {PARENT, ""};
    for (int i = 1; i <= 5; i++) {
        uint8_t *then = copy_memory(vm);
        snprintf(path[i % 2], sizeof(path[0]), FOLDER "/chain%d.zsnap", i);
        if (i % 2 == 0)
            ASSERT_GOOD(error, zvmm_snapshot(vm, path[i % 2], path[1 - i % 2], &error));
        else
            ASSERT_GOOD(error,
                        zvmm_snapshot_begin(vm, path[i % 2], path[1 - i % 2], &take, &error));
        run(vm);
        if (i % 2 != 0)
            ASSERT_GOOD(error, zvmm_snapshot_end(take, &error));
        assert_snapshot(path[i % 2], then);
        free(then);
    }
    assert_int_equal(host.forks, 0);
    zvmm_destroy(vm);
}

/* A snapshot that was not written is nobody's parent; what it would have held is not lost. */
static void test_after_a_failure(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct take *take;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    ASSERT_GOOD(error, zvmm_snapshot_begin(vm, FOLDER "/none/x.zsnap", PARENT, &take, &error));
    run(vm);
    assert_int_equal(zvmm_snapshot_end(take, &error), -1);
    assert_non_null(strstr(error.text, "cannot create the file"));
    assert_int_equal(host.forks, 0);
    take_child(vm, 1); /* compared with the parent, as what differs is not known */
    zvmm_destroy(vm);
}

static void test_no_child(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct take *take;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    host.no_fork = true;
    assert_int_equal(zvmm_snapshot_begin(vm, CHILD, NULL, &take, &error), -1);
    assert_non_null(strstr(error.text, "cannot fork"));
    host.no_fork = false;
    host.forks = 0;
    take_child(vm, 0);
    zvmm_destroy(vm);
}

static void test_writer_dies(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct take *take;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    uint8_t *then = copy_memory(vm);
    ASSERT_GOOD(error, zvmm_snapshot(vm, CHILD, NULL, &error));
    run(vm);
    host.writer_dies = true;
    ASSERT_GOOD(error, zvmm_snapshot_begin(vm, CHILD, NULL, &take, &error));
    run(vm);
    assert_int_equal(zvmm_snapshot_end(take, &error), -1);
    assert_non_null(strstr(error.text, "was killed"));
    assert_snapshot(CHILD, then); /* the old file */
    free(then);
    zvmm_destroy(vm);
}

/* Going back to a mark changes what differs from a snapshot taken after it. */
static void test_reset_between(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm *vm = prepare("progress 20000", "marker:0x1002", "marker:0x1002");
    uint8_t *marked = copy_memory(vm);
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    run(vm);
    ASSERT_GOOD(error, zvmm_snapshot(vm, CHILD, PARENT, &error));
    ASSERT_GOOD(error, zvmm_reset(vm, &error));
    assert_memory(vm, marked);
    ASSERT_GOOD(error, zvmm_snapshot(vm, FOLDER "/back.zsnap", CHILD, &error));
    assert_snapshot(FOLDER "/back.zsnap", marked);
    run(vm);
    ASSERT_GOOD(error, zvmm_reset(vm, &error));
    assert_memory(vm, marked);
    assert_int_equal(host.forks, 0);
    free(marked);
    zvmm_destroy(vm);
}

/* Runs that write few pages, over more than one protection, and then many: all is put back. */
static void test_reset_of_changing_runs(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm *vm = restore("dirty 4", "marker:0x1000", "marker:0x1001");
    uint8_t *marked = copy_memory(vm);
    uint64_t value = 0x123456789;
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    for (unsigned i = 0; i < 80; i++) {
        unsigned pages = i < 70 ? i % 5 : i * 4;
        for (unsigned k = 0; k < pages; k++)
            ASSERT_GOOD(error, zvmm_write(vm, (8 << 20) + (i * 7 + k) % 1024 * PAGE_BYTES, &value,
                                          sizeof(value), &error));
        run(vm);
        ASSERT_GOOD(error, zvmm_reset(vm, &error));
        assert_memory(vm, marked);
    }
    free(marked);
    zvmm_destroy(vm);
}

/* More pages than the dirty ring has room for: KVM stops the guest until there is room again. */
static void test_reset_of_many_pages(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm *vm = restore_with(64 << 20, "touch 5000 2", "marker:0x1000", "marker:0x1001");
    uint8_t *marked = copy_memory(vm);
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    for (unsigned i = 0; i < 3; i++) {
        run(vm);
        ASSERT_GOOD(error, zvmm_reset(vm, &error));
        assert_memory(vm, marked);
    }
    free(marked);
    zvmm_destroy(vm);
}

static uint64_t resident_pages(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &all, &resident), 2);
    fclose(file);
    return resident;
}

/* What restoring a machine and running it a little takes in this process. */
static uint64_t pages_for(uint64_t bytes)
{
    struct zvmm_error error;
    struct zvmm *vm;
    struct zvmm_config config = config_for("dirty 4", "marker:0x1000");
    config.memory_bytes = bytes;
    config.incremental = false;
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    run(vm);
    ASSERT_GOOD(error, zvmm_snapshot(vm, CHILD, NULL, &error));
    zvmm_destroy(vm);
    config.stop_at = "marker:0x1001";
    uint64_t before = resident_pages();
    ASSERT_GOOD(error, zvmm_restore(&config, CHILD, &vm, &error));
    run(vm);
    uint64_t after = resident_pages();
    zvmm_destroy(vm);
    return after > before ? after - before : 0;
}

/* The kernel counts resident pages in lots of up to 64 a thread. */
static void test_memory_of_a_restored_machine(void **state)
{
    (void)state;
    pages_for(16 << 20);
    assert_in_range(pages_for(2048ull << 20), 0, pages_for(16 << 20) + 128);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, reset_host)
    const struct CMUnitTest tests[] = {
        CASE(test_few_pages_by_a_thread),
        CASE(test_many_pages_by_a_child),
        CASE(test_without_a_thread_by_a_child),
        CASE(test_without_memory_by_a_child),
        CASE(test_chain),
        CASE(test_after_a_failure),
        CASE(test_no_child),
        CASE(test_writer_dies),
        CASE(test_reset_between),
        CASE(test_reset_of_changing_runs),
        CASE(test_reset_of_many_pages),
        CASE(test_memory_of_a_restored_machine),
    };
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        puts("1..0 # SKIP no usable /dev/kvm");
        return 0;
    }
    if (system("rm -rf " FOLDER "; mkdir -p " FOLDER) != 0 ||
        (access("tests/vmm", F_OK) == 0 && system("tests/vmm/build-guest.sh " GUEST) != 0))
        return 1;
    return cmocka_run_group_tests_name("take", tests, NULL, NULL);
}
