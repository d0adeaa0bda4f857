/* test_resume.c - a deterministic run's part of a snapshot file, which may say anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay/determinism-state.h"
#include "replay/determinism.h"
#include "snapshot/file.h"
#include "snapshot/write.h"
#include "vm.h"

enum { RAM = 2 << 20 };

/* "one\n" at 100 ns, "two\n" at 200 ns, of which 6 bytes have been read. */
static const char bytes[] = "one\ntwo\n";
static const struct zsnap_input_text texts[] = {{100, 0, 4}, {200, 4, 4}};
static const struct zsnap_determinism good = {.events = 77,
                                              .input_taken = 6,
                                              .input_end = 300,
                                              .preemptions = 2,
                                              .preempt = ZVMM_PREEMPT_STEP,
                                              .period = 1000,
                                              .instructions = 4321,
                                              .looked_at = 55};

/* A file with these sections; whether its run can go on. `error` says why not. */
static bool resumes(const struct snapshot_part *parts, uint32_t count, struct zvmm *vm,
                    struct zvmm_error *error)
{
    char path[] = "/tmp/test-resume.XXXXXX";
    struct snapshot_file *file;
    struct snapshot_image image = {.parts = parts, .num_parts = count};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    image.header.memory_bytes = RAM;
    memset(vm, 0, sizeof(*vm));
    assert_int_equal(snapshot_write(path, &image, error), 0);
    assert_int_equal(snapshot_open(&file, path, error), 0);
    unlink(path);
    bool result = determinism_resume(vm, file, error) == 0;
    snapshot_close(file);
    return result;
}

static void test_good(void **state)
{
    (void)state;
    struct zvmm vm;
    struct zvmm_error error;
    const struct snapshot_part parts[] = {{ZSNAP_DETERMINISM, &good, sizeof(good)},
                                          {ZSNAP_INPUT, bytes, 8},
                                          {ZSNAP_INPUT_TEXTS, texts, sizeof(texts)}};
    struct zsnap_determinism saved;
    uint8_t text[8];
    assert_true(resumes(parts, 3, &vm, &error));
    assert_true(vm.config.deterministic);
    assert_int_equal(vm.config.preempt, ZVMM_PREEMPT_STEP);
    assert_int_equal(vm.config.preempt_period, 1000);
    assert_int_equal(vm.determinism->events, 77);
    assert_int_equal(vm.determinism->instructions, 4321);
    const struct input_script *input = determinism_save(&vm, &saved);
    assert_int_equal(saved.input_taken, 6);
    assert_int_equal(input_script_bytes(input), 8);
    assert_int_equal(input_script_read(input, saved.input_taken, 200, text, sizeof(text)), 2);
    assert_memory_equal(text, "o\n", 2);
    determinism_destroy(&vm);
}

/* No input script at all. */
static void test_no_input(void **state)
{
    (void)state;
    struct zvmm vm;
    struct zvmm_error error;
    struct zsnap_determinism none = good;
    none.input_taken = 0;
    const struct snapshot_part part = {ZSNAP_DETERMINISM, &none, sizeof(none)};
    assert_true(resumes(&part, 1, &vm, &error));
    assert_int_equal(input_script_bytes(&vm.determinism->input), 0);
    determinism_destroy(&vm);
}

static void refuse(const struct zsnap_determinism *saved, uint64_t saved_bytes,
                   const struct zsnap_input_text *list, uint64_t list_bytes, const char *why)
{
    struct zvmm vm;
    struct zvmm_error error;
    const struct snapshot_part parts[] = {{ZSNAP_INPUT, bytes, 8},
                                          {ZSNAP_INPUT_TEXTS, list, list_bytes},
                                          {ZSNAP_DETERMINISM, saved, saved_bytes}};
    assert_false(resumes(parts, saved != NULL ? 3 : 2, &vm, &error));
    assert_non_null(strstr(error.text, why));
    determinism_destroy(&vm);
}

static void test_state(void **state)
{
    (void)state;
    struct zsnap_determinism bad = good;
    refuse(NULL, 0, texts, sizeof(texts), "does not say where");
    refuse(&good, sizeof(good) - 8, texts, sizeof(texts), "does not say where");
    bad.input_taken = 9;
    refuse(&bad, sizeof(bad), texts, sizeof(texts), "impossible");
    bad = good;
    bad.input_end = 199;
    refuse(&bad, sizeof(bad), texts, sizeof(texts), "out of order");
    bad = good;
    bad.preempt = 99;
    refuse(&bad, sizeof(bad), texts, sizeof(texts), "rule of preemption");
    bad = good;
    bad.instructions = UINT64_MAX;
    refuse(&bad, sizeof(bad), texts, sizeof(texts), "rule of preemption");
}

static void test_texts(void **state)
{
    (void)state;
    const struct zsnap_input_text rows[][2] = {
        {{100, 0, 4}, {99, 4, 4}},           /* time goes back */
        {{100, 1, 3}, {200, 4, 4}},          /* a byte in front of all */
        {{100, 0, 4}, {200, 5, 3}},          /* a hole */
        {{100, 0, 4}, {200, 4, 5}},          /* behind the end */
        {{100, 0, 4}, {200, 4, 3}},          /* not all */
        {{100, 0, UINT32_MAX}, {200, 3, 4}}, /* wraps around */
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refuse(&good, sizeof(good), rows[i], sizeof(rows[i]), "out of order");
    refuse(&good, sizeof(good), texts, sizeof(texts) - 1, "impossible");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
