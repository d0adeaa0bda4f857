/*
 * test_reset.c - libzvmm.a's mark and reset, and snapshots through the API: a machine that goes
 * back to an earlier state behaves as it did then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "zvmm.h"

#define GUEST "obj/vmm-tests/testguest.elf"

static struct zvmm_config config_for(const char *words, int out_fd)
{
    struct zvmm_config config;
    zvmm_config_defaults(&config);
    config.guest_path = GUEST;
    config.memory_bytes = 32 << 20;
    config.cmdline = words;
    config.in_fd = -1;
    config.out_fd = out_fd;
    config.resettable = true;
    config.stop_at = "marker:0x1000";
    return config;
}

#define ASSERT_GOOD(error, expression)                                                             \
    do {                                                                                           \
        if ((expression) != 0)                                                                     \
            fail_msg("%s: %s", #expression, (error).text);                                         \
    } while (0)

static void run(struct zvmm *vm, enum zvmm_end end, int64_t code)
{
    struct zvmm_error error;
    struct zvmm_result result;
    ASSERT_GOOD(error, zvmm_run(vm, &result, &error));
    assert_int_equal(result.end, end);
    if (end == ZVMM_END_EXIT)
        assert_int_equal(result.code, code);
}

/* The guest counts in its memory: without a reset it would end with 2, then 3. */
static void test_reset(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm *vm;
    struct zvmm_config config = config_for("touch 100 3", STDOUT_FILENO);
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    run(vm, ZVMM_END_STOP, 0);
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    for (int i = 0; i < 50; i++) {
        uint64_t before = zvmm_stats(vm)->reset_pages;
        run(vm, ZVMM_END_EXIT, 1);
        ASSERT_GOOD(error, zvmm_reset(vm, &error));
        assert_in_range(zvmm_stats(vm)->reset_pages - before, 100, 130);
    }
    zvmm_destroy(vm);
}

static void test_reset_takes_writes_back(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm_result result;
    struct zvmm *vm;
    struct zvmm_config config = config_for("touch 1 1", STDOUT_FILENO);
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    ASSERT_GOOD(error, zvmm_run(vm, &result, &error));
    uint64_t at = (uint64_t)result.code, value = 41;
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    ASSERT_GOOD(error, zvmm_write(vm, at, &value, sizeof(value), &error));
    run(vm, ZVMM_END_EXIT, 42);
    ASSERT_GOOD(error, zvmm_reset(vm, &error));
    run(vm, ZVMM_END_EXIT, 1);
    assert_int_equal(zvmm_write(vm, ~0ull, &value, 8, &error), -1);
    zvmm_destroy(vm);
}

static char *contents(int fd)
{
    off_t length = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)length, 0), length);
    return text;
}

/* Hashes from the marked point on are the same each time, and so is what a restored machine says. */
static void test_same_progress(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm_result result;
    struct zvmm *vm;
    char *first = NULL;
    int out = memfd_create("out", 0);
    struct zvmm_config config = config_for("progress 20000", out);
    config.stop_at = "exits:20";
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    run(vm, ZVMM_END_STOP, 0);
    ASSERT_GOOD(error, zvmm_snapshot(vm, "obj/vmm-tests/progress.zsnap", NULL, &error));
    ASSERT_GOOD(error, zvmm_mark(vm, &error));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ftruncate(out, 0), 0);
        lseek(out, 0, SEEK_SET);
        ASSERT_GOOD(error, zvmm_run(vm, &result, &error));
        assert_int_equal(result.end, ZVMM_END_EXIT);
        char *text = contents(out);
        assert_non_null(strstr(text, "last=0x"));
        if (first != NULL) {
            assert_string_equal(first, text);
            free(text);
        } else {
            first = text;
        }
        if (i == 2) { /* the last time by another machine */
            zvmm_destroy(vm);
            config.guest_path = NULL;
            config.stop_at = NULL;
            ASSERT_GOOD(error, zvmm_restore(&config, "obj/vmm-tests/progress.zsnap", &vm, &error));
        } else if (i < 2) {
            ASSERT_GOOD(error, zvmm_reset(vm, &error));
        }
    }
    zvmm_destroy(vm);
    free(first);
    close(out);
}

static void test_no_mark(void **state)
{
    (void)state;
    struct zvmm_error error;
    struct zvmm *vm;
    struct zvmm_config config = config_for("exit 0", STDOUT_FILENO);
    ASSERT_GOOD(error, zvmm_create(&config, &vm, &error));
    assert_int_equal(zvmm_reset(vm, &error), -1);
    assert_non_null(strstr(error.text, "no mark"));
    zvmm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_reset_takes_writes_back),
        cmocka_unit_test(test_same_progress),
        cmocka_unit_test(test_no_mark),
    };
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        puts("1..0 # SKIP no usable /dev/kvm");
        return 0;
    }
    if (access("tests/vmm", F_OK) == 0 && system("tests/vmm/build-guest.sh " GUEST) != 0)
        return 1;
    return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
