/* test_cgroup.c - memory limits of control groups, in folders made for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/cgroup.h"
#include "made_host.h"

static void test_no_groups(void **state)
{
    (void)state;
    assert_true(cgroup_memory_limit(made_host) == UINT64_MAX);
    made_host_put("proc/self/cgroup", "");
    assert_true(cgroup_memory_limit(made_host) == UINT64_MAX);
    made_host_put("proc/self/cgroup", "nothing\n4:memory\n:::::\n");
    assert_true(cgroup_memory_limit(made_host) == UINT64_MAX);
}

static void test_version_2(void **state)
{
    (void)state;
    made_host_put("proc/self/cgroup", "0::/user/session\n");
    made_host_put("sys/fs/cgroup/user/session/memory.max", "max\n");
    assert_true(cgroup_memory_limit(made_host) == UINT64_MAX);
    made_host_put("sys/fs/cgroup/user/memory.max", "1073741824\n");
    assert_int_equal(cgroup_memory_limit(made_host), 1 << 30);
    made_host_put("sys/fs/cgroup/user/session/memory.max", "2147483648\n");
    assert_int_equal(cgroup_memory_limit(made_host), 1 << 30);
    made_host_put("sys/fs/cgroup/user/session/memory.max", "4096\n");
    assert_int_equal(cgroup_memory_limit(made_host), 4096);
}

static void test_version_1(void **state)
{
    (void)state;
    made_host_put("proc/self/cgroup",
                  "8:pids:/\n4:cpu,memory:/job/a\n3:memory_of_another:/job/b\n0::/\n");
    made_host_put("sys/fs/cgroup/memory/job/a/memory.limit_in_bytes", "9223372036854771712\n");
    made_host_put("sys/fs/cgroup/memory/job/b/memory.limit_in_bytes", "1\n");
    assert_int_equal(cgroup_memory_limit(made_host), 9223372036854771712u);
    made_host_put("sys/fs/cgroup/memory/job/a/memory.limit_in_bytes", "65536\n");
    assert_int_equal(cgroup_memory_limit(made_host), 65536);
}

/* A container sees its own group as the root, and its name from outside. */
static void test_name_of_outside(void **state)
{
    (void)state;
    made_host_put("proc/self/cgroup", "0::/pods/one\n");
    made_host_put("sys/fs/cgroup/memory.max", "536870912\n");
    assert_int_equal(cgroup_memory_limit(made_host), 1 << 29);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, made_host_setup, made_host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_groups),
        TEST(test_version_2),
        TEST(test_version_1),
        TEST(test_name_of_outside),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
