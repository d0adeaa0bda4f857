/* test_host.c - which processor zvmm bench takes, and what it says of the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/host.c"
#include "made_host.h"

/* `percent` of it busy. */
static struct load load(unsigned percent)
{
    return (struct load){.after = {.busy = percent, .idle = 100 - percent}, .allowed = true};
}

static void test_first_that_is_idle(void **state)
{
    (void)state;
    assert_int_equal(choose((struct load[]){load(0), load(0)}, 2), 0);
    /* A moment's work moves no session elsewhere; a program that stays does. */
    assert_int_equal(choose((struct load[]){load(40), load(0)}, 2), 0);
    assert_int_equal(choose((struct load[]){load(98), load(40), load(0)}, 3), 1);
    assert_int_equal(choose((struct load[]){load(90), load(70), load(80)}, 3), 1);
}

static void test_stolen_time_is_busy(void **state)
{
    struct load stolen = {.after = {.steal = 60, .idle = 40}, .allowed = true};
    (void)state;
    assert_int_equal(choose((struct load[]){stolen, load(10)}, 2), 1);
}

static void test_only_what_is_allowed(void **state)
{
    struct load forbidden = {.allowed = false};
    (void)state;
    assert_int_equal(choose((struct load[]){forbidden, load(90)}, 2), 1);
    assert_in_range(choose(&forbidden, 1), 0, sysconf(_SC_NPROCESSORS_CONF) - 1);
}

/* ---- A machine made of files ---------------------------------------------------------------- */

static int make_machine(void **state)
{
    if (made_host_setup(state) != 0)
        return -1;
    made_host_put("proc/cpuinfo",
                  "model name\t: Abacus 3000\ncpu MHz\t\t: 1234.5\nflags\t\t: fpu hypervisor\n");
    made_host_put("proc/stat", "cpu0 1 0 1 100 0 0 0 0 0 0\ncpu1 1 0 1 100 0 0 0 0 0 0\n");
    made_host_put("proc/loadavg", "0.75 0.50 0.25 1/100 1000\n");
    made_host_put("proc/meminfo", "MemTotal: 1 kB\nSwapTotal: 4096 kB\n");
    made_host_put("sys/devices/system/cpu/smt/active", "1\n");
    made_host_put("sys/devices/system/cpu/cpufreq/boost", "1\n");
    return 0;
}

static bool remarked(const struct host *host, const char *words)
{
    for (size_t i = 0; i < host->remark_count; i++)
        if (strstr(host->remarks[i], words) != NULL)
            return true;
    return false;
}

static void test_machine(void **state)
{
    struct host host;
    (void)state;
    host_look(&host, made_host, -1);
    assert_non_null(strstr(host.machine, "Abacus 3000"));
    assert_true(host.mhz > 1234 && host.mhz < 1235);
    assert_true(remarked(&host, "load average is 0.8") || remarked(&host, "load average is 0.7"));
    assert_true(remarked(&host, "there is swap"));
    assert_true(remarked(&host, "two threads share a core"));
    assert_true(remarked(&host, "turbo is on"));
    assert_true(remarked(&host, "itself a virtual machine"));
    assert_false(remarked(&host, "busy with other work"));
    assert_false(remarked(&host, "loses time"));
}

static void test_chosen_by_hand(void **state)
{
    struct host host;
    (void)state;
    host_look(&host, made_host, 1);
    assert_int_equal(host.cpu, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_that_is_idle),   cmocka_unit_test(test_stolen_time_is_busy),
        cmocka_unit_test(test_only_what_is_allowed), cmocka_unit_test(test_machine),
        cmocka_unit_test(test_chosen_by_hand),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_machine, made_host_teardown);
}
