/* test_proc_text.c - keys, values and words of the host's lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "proc_text.h"

static const char text[] = "cpu MHz max\t: 9\nflags\nflags\t\t: fpu svm\tvmx2 last\nflags : other\n"
                           "SwapTotal:   12 kB\nempty\t:\nend : x";

static void test_values(void **state)
{
    (void)state;
    assert_memory_equal(proc_text_value(text, "flags"), "fpu", 3);
    assert_memory_equal(proc_text_value(text, "SwapTotal"), "12 kB\n", 6);
    assert_memory_equal(proc_text_value(text, "empty"), "\n", 1);
    assert_string_equal(proc_text_value(text, "end"), "x");
    assert_null(proc_text_value(text, "cpu MHz"));
    assert_null(proc_text_value(text, "lags"));
    assert_null(proc_text_value("", "flags"));
}

static void test_words(void **state)
{
    (void)state;
    const char *flags = proc_text_value(text, "flags");
    assert_true(proc_text_has_word(flags, "fpu"));
    assert_true(proc_text_has_word(flags, "svm"));
    assert_true(proc_text_has_word(flags, "last"));
    assert_false(proc_text_has_word(flags, "vmx"));
    assert_false(proc_text_has_word(flags, "other"));
    assert_false(proc_text_has_word(proc_text_value(text, "empty"), "end"));
    assert_true(proc_text_has_word(proc_text_value(text, "end"), "x"));
}

static void test_files(void **state)
{
    (void)state;
    char list[PROC_TEXT_ROOM];
    assert_true(proc_text_read("/proc/cpuinfo", list));
    assert_non_null(proc_text_value(list, "flags"));
    assert_true(proc_text_has_word(proc_text_value(list, "flags"), "fpu"));
    assert_false(proc_text_read("/proc/no such file", list));
    assert_false(proc_text_read("/proc", list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_files),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
