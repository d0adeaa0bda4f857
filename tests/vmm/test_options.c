/* test_options.c - the command line, its numbers, and the exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hypercall.h"
#include "options.h"

static struct options options;
static struct zvmm_error error;

#define PARSE(...) parse((char *[]){"zvmm", __VA_ARGS__, NULL})

static int parse(char *argv[])
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    error.text[0] = '\0';
    return options_parse(&options, argc, argv, &error);
}

static void refused(int result, const char *reason)
{
    assert_int_equal(result, -1);
    if (strstr(error.text, reason) == NULL)
        fail_msg("expected '%s' in '%s'", reason, error.text);
    assert_null(strchr(error.text, '\n'));
}

static void test_sizes(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t bytes; /* -1: not a size */
    } cases[] = {
        {"0", 0},
        {"4096", 4096},
        {"16M", 16ll << 20},
        {"16m", 16ll << 20},
        {"2k", 2048},
        {"2K", 2048},
        {"3G", 3ll << 30},
        {"3g", 3ll << 30},
        {"", -1},
        {"M", -1},
        {"-1M", -1},
        {"+1M", -1},
        {" 1M", -1},
        {"1 M", -1},
        {"1MB", -1},
        {"1MM", -1},
        {"1T", -1},
        {"0x10", -1},
        {"1.5G", -1},
        {"18446744073709551616", -1},
        {"18014398509481984K", -1},
        {"17179869184G", -1},
        {"99999999999999999999999", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = 0;
        int result = options_parse_size(cases[i].text, &bytes);
        if (result != (cases[i].bytes < 0 ? -1 : 0) ||
            (result == 0 && bytes != (uint64_t)cases[i].bytes))
            fail_msg("size '%s'", cases[i].text);
    }
}

static void test_seeds(void **state)
{
    (void)state;
    uint8_t seed[32], zero[32] = {0};
    assert_int_equal(options_parse_seed("0", seed), 0);
    assert_memory_equal(seed, zero, 32);
    assert_int_equal(options_parse_seed("258", seed), 0);
    assert_true(seed[0] == 2 && seed[1] == 1 && seed[2] == 0);
    assert_int_equal(options_parse_seed("0x102", seed), 0);
    assert_true(seed[0] == 2 && seed[1] == 1 && seed[2] == 0);
    assert_int_equal(options_parse_seed("0xff00000000000000"
                                        "0000000000000000"
                                        "0000000000000000"
                                        "0000000000000001",
                                        seed),
                     0);
    assert_true(seed[0] == 1 && seed[30] == 0 && seed[31] == 0xff);
    const char *const bad[] = {
        "",    "x",
        "0x",  "-1",
        "1 ",  "18446744073709551616",
        "0xg", "0x00000000000000000000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(options_parse_seed(bad[i], seed), -1);
}

static void test_quirks(void **state)
{
    (void)state;
    uint32_t quirks;
    assert_int_equal(options_parse_quirks("none", &quirks), 0);
    assert_int_equal(quirks, 0);
    assert_int_equal(options_parse_quirks("slow-ring0,no-pcid", &quirks), 0);
    assert_int_equal(quirks, ZV_QUIRK_SLOW_RING0 | ZV_QUIRK_NO_PCID);
    assert_int_equal(options_parse_quirks("syscall-broken,no-xsave,no-int3", &quirks), 0);
    assert_int_equal(quirks, ZV_QUIRK_SYSCALL_BROKEN | ZV_QUIRK_NO_XSAVE | ZV_QUIRK_NO_INT3_RING0);
    assert_int_equal(options_parse_quirks("", &quirks), -1);
    assert_int_equal(options_parse_quirks("slow", &quirks), -1);
    assert_int_equal(options_parse_quirks("slow-ring0,", &quirks), -1);
    assert_int_equal(options_parse_quirks("none,slow-ring0", &quirks), -1);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(PARSE("guest.elf"), 0);
    assert_int_equal(options.action, OPTIONS_RUN);
    assert_string_equal(options.config.guest_path, "guest.elf");
    assert_string_equal(options.config.cmdline, "");
    assert_string_equal(options.config.kvm_path, "/dev/kvm");
    assert_int_equal(options.config.memory_bytes, 128 << 20);
    assert_int_equal(options.config.pin_cpu, -1);
    assert_false(options.config.has_seed || options.config.has_quirks || options.stats);
}

static void test_orders(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--memory", "16M", "g", "--stats", "--cmdline=a b", "--cmdline", "c"),
                     0);
    assert_int_equal(options.config.memory_bytes, 16 << 20);
    assert_true(options.stats);
    assert_string_equal(options.config.cmdline, "a b c");
    assert_int_equal(PARSE("g", "--"), 0);
    assert_string_equal(options.config.cmdline, "");
    assert_int_equal(PARSE("g", "--cmdline", "--", "--", "ls"), 0);
    assert_string_equal(options.config.cmdline, "-- userboot=bin/ls");
}

static void test_programs(void **state)
{
    (void)state;
    assert_int_equal(PARSE("g", "--", "ls", "-l", "--help", "--"), 0);
    assert_string_equal(options.config.cmdline,
                        "userboot=bin/ls userboot.arg=-l userboot.arg=--help userboot.arg=--");
    assert_int_equal(options.action, OPTIONS_RUN);
    assert_int_equal(PARSE("g", "--", "test/core", "a b", "100%", "\t\x7f", "", "\xc3\xa4"), 0);
    assert_string_equal(options.config.cmdline,
                        "userboot=test/core userboot.arg=a%20b userboot.arg=100%25 "
                        "userboot.arg=%09%7F userboot.arg= userboot.arg=\xc3\xa4");
    refused(PARSE("g", "--", ""), "PROGRAM is empty");
    refused(PARSE("g", "--", "a b"), "contains a space");
}

static void test_long_command_line(void **state)
{
    (void)state;
    char text[OPTIONS_CMDLINE_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[OPTIONS_CMDLINE_MAX] = '\0';
    assert_int_equal(PARSE("g", "--cmdline", text), 0);
    assert_int_equal(strlen(options.config.cmdline), OPTIONS_CMDLINE_MAX);
    refused(PARSE("g", "--cmdline", text, "--", "ls"), "longer than 4095");
    text[OPTIONS_CMDLINE_MAX] = 'x';
    text[OPTIONS_CMDLINE_MAX + 1] = '\0';
    refused(PARSE("g", "--cmdline", text), "longer than 4095");
    memset(text, ' ', 2000);
    text[2000] = '\0';
    refused(PARSE("g", "--", "ls", text), "longer than 4095"); /* three bytes each */
}

static void test_bad(void **state)
{
    (void)state;
    refused(parse((char *[]){"zvmm", NULL}), "no guest kernel");
    refused(PARSE("--", "ls"), "no guest kernel");
    refused(PARSE("a", "b"), "one word too many");
    refused(PARSE("--frobnicate", "a"), "unknown option");
    refused(PARSE("-v", "a"), "unknown option");
    refused(PARSE("--mem", "16M", "a"), "unknown option");
    refused(PARSE("a", "--memory"), "needs a value");
    refused(PARSE("a", "--memory", "lots"), "is not a size");
    refused(PARSE("a", "--memory=1M"), "out of range");
    refused(PARSE("a", "--memory=257G"), "out of range");
    refused(PARSE("a", "--stats=yes"), "takes no value");
    refused(PARSE("a", "--pin", "x"), "not a CPU");
    refused(PARSE("a", "--pin", "-1"), "not a CPU");
    refused(PARSE("a", "--seed", "pepper"), "not a seed");
    refused(PARSE("a", "--quirks", "odd"), "not a list of quirks");
}

static void test_help(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help"), 0);
    assert_int_equal(options.action, OPTIONS_HELP);
    assert_int_equal(PARSE("--version"), 0);
    assert_int_equal(options.action, OPTIONS_VERSION);
}

static void test_exit_status(void **state)
{
    (void)state;
    const struct {
        enum zvmm_end end;
        int64_t code;
        int status;
    } cases[] = {
        {ZVMM_END_EXIT, 0, 0},           {ZVMM_END_EXIT, 255, 255},
        {ZVMM_END_EXIT, 256, 255},       {ZVMM_END_EXIT, -1, 255},
        {ZVMM_END_EXIT, -1023, 255},     {ZVMM_END_EXIT, -1024, 128},
        {ZVMM_END_EXIT, -1028, 132},     {ZVMM_END_EXIT, -1029, 133},
        {ZVMM_END_EXIT, -1030, 255},     {ZVMM_END_EXIT, INT64_MIN, 255},
        {ZVMM_END_EXIT, INT64_MAX, 255}, {ZVMM_END_EXIT, 1ll << 32, 255},
        {ZVMM_END_GUEST, 0, 126},        {ZVMM_END_SIGNAL, 2, 130},
        {ZVMM_END_SIGNAL, 15, 143},      {ZVMM_END_QUIT, 0, 130},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zvmm_result result = {.end = cases[i].end, .code = cases[i].code};
        assert_int_equal(zvmm_exit_status(&result), cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_long_command_line),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_exit_status),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
