/* test_memory.c - guest-physical translation and the memory map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "layout.h"
#include "memory.h"

#define RAM (16ull << 20)

static void test_translation(void **state)
{
    (void)state;
    struct memory memory;
    struct zvmm_error error;
    assert_int_equal(memory_create(&memory, RAM, &error), 0);
    const struct {
        uint64_t at, length;
        int good;
    } cases[] = {
        {0, 0, 1},           {0, 1, 1},         {0, RAM, 1},       {RAM - 1, 1, 1},
        {RAM, 0, 1},         {RAM, 1, 0},       {0, RAM + 1, 0},   {RAM - 1, 2, 0},
        {RAM + 1, 0, 0},     {~0ull, 1, 0},     {~0ull, 0, 0},     {1, ~0ull, 0},
        {RAM - 8, ~0ull, 0}, {~0ull, ~0ull, 0}, {8, ~0ull - 7, 0}, {1ull << 63, 1ull << 63, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *host = memory_at(&memory, gpa(cases[i].at), cases[i].length);
        if (cases[i].good)
            assert_ptr_equal(host, memory.base + cases[i].at);
        else
            assert_null(host);
    }
    memory_destroy(&memory);
    assert_null(memory.base);
}

static void assert_range(const struct layout *layout, uint32_t index, uint64_t base,
                         uint64_t length, uint32_t type)
{
    assert_true(index < layout->count);
    assert_int_equal(layout->ranges[index].base, base);
    assert_int_equal(layout->ranges[index].length, length);
    assert_int_equal(layout->ranges[index].type, type);
}

static void test_claims(void **state)
{
    (void)state;
    struct layout layout;
    layout_init(&layout, RAM);
    assert_range(&layout, 0, 0, RAM, ZV_MEM_FREE);
    assert_int_equal(layout_claim(&layout, 0x100000, 0x2000, ZV_MEM_KERNEL), 0);
    assert_int_equal(layout_claim(&layout, 0x102000, 0x1000, ZV_MEM_KERNEL), 0);
    assert_int_equal(layout.count, 3);
    assert_range(&layout, 1, 0x100000, 0x3000, ZV_MEM_KERNEL);
    /* Not free, partly not free, outside, nothing. */
    assert_int_equal(layout_claim(&layout, 0x101000, 0x1000, ZV_MEM_BOOT), -1);
    assert_int_equal(layout_claim(&layout, 0xff000, 0x2000, ZV_MEM_BOOT), -1);
    assert_int_equal(layout_claim(&layout, RAM - 0x1000, 0x2000, ZV_MEM_BOOT), -1);
    assert_int_equal(layout_claim(&layout, RAM, 0x1000, ZV_MEM_BOOT), -1);
    assert_int_equal(layout_claim(&layout, 0x1000, ~0xfffull, ZV_MEM_BOOT), -1);
    assert_int_equal(layout_claim(&layout, 0x1000, 0, ZV_MEM_BOOT), -1);
    assert_int_equal(layout.count, 3);
    /* Whole free ranges, first and last. */
    assert_int_equal(layout_claim(&layout, 0, 0x100000, ZV_MEM_BOOT), 0);
    assert_int_equal(layout_claim(&layout, 0x103000, RAM - 0x103000, ZV_MEM_MODULE), 0);
    assert_int_equal(layout.count, 3);
    assert_range(&layout, 0, 0, 0x100000, ZV_MEM_BOOT);
    assert_range(&layout, 2, 0x103000, RAM - 0x103000, ZV_MEM_MODULE);
    assert_int_equal(layout_find(&layout, 0x1000, false), UINT64_MAX);
}

static void test_find(void **state)
{
    (void)state;
    struct layout layout;
    layout_init(&layout, 8ull << 30);
    assert_int_equal(layout.count, 2);
    assert_range(&layout, 0, 0, LAYOUT_HOLE_BASE, ZV_MEM_FREE);
    assert_range(&layout, 1, 4ull << 30, 4ull << 30, ZV_MEM_FREE);
    assert_int_equal(layout_find(&layout, 0x2000, true), LAYOUT_HOLE_BASE - 0x2000);
    assert_int_equal(layout_find(&layout, 0x2000, false), 0);
    assert_int_equal(layout_claim(&layout, 0, LAYOUT_HOLE_BASE, ZV_MEM_BOOT), 0);
    assert_int_equal(layout_find(&layout, 0x2000, true), (8ull << 30) - 0x2000);
    assert_int_equal(layout_find(&layout, 5ull << 30, true), UINT64_MAX);
    layout_init(&layout, LAYOUT_HOLE_END); /* exactly 4 GiB: nothing above the hole */
    assert_int_equal(layout.count, 1);
}

/* The table cannot overflow: claims fail before it would. */
static void test_full_table(void **state)
{
    (void)state;
    struct layout layout;
    layout_init(&layout, RAM);
    int good = 0;
    for (uint64_t i = 0; i < 64; i++)
        good += layout_claim(&layout, 0x1000 + i * 0x2000, 0x1000, ZV_MEM_MODULE) == 0;
    assert_true(good > 10 && good < 32);
    assert_true(layout.count <= ZV_BOOT_RANGES);
    uint64_t end = 0;
    for (uint32_t i = 0; i < layout.count; i++) {
        assert_int_equal(layout.ranges[i].base, end);
        end += layout.ranges[i].length;
    }
    assert_int_equal(end, RAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_full_table),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
