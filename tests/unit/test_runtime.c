/*
 * test_runtime.c - heap, formatter, names and deadline queue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elf_note.h"
#include "fake-hal.h"
#include "format.h"
#include "heap.h"
#include "list.h"
#include "name.h"
#include "random.h"
#include "timerq.h"

/* ---- Heap ---------------------------------------------------------------------------------- */

static int heap_setup(void **state)
{
    (void)state;
    fake_reset(0, 1);
    return 0;
}

static void test_heap_blocks_do_not_overlap(void **state)
{
    enum { N = 3000 };
    static unsigned char *block[N];
    static size_t size[N];
    struct heap_stats before, after;

    (void)state;
    heap_stats(&before);
    for (int i = 0; i < N; i++) {
        size[i] = 1 + (size_t)(i * 37 % 5000);
        block[i] = heap_alloc(size[i]);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 16, 0);
        memset(block[i], i & 0xff, size[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t j = 0; j < size[i]; j++)
            assert_int_equal(block[i][j], i & 0xff);
    for (int i = 0; i < N; i += 2)
        heap_free(block[i]);
    for (int i = 0; i < N; i += 2)
        block[i] = heap_zalloc(size[i]);
    for (int i = 0; i < N; i += 2)
        for (size_t j = 0; j < size[i]; j++)
            assert_int_equal(block[i][j], 0);
    for (int i = 0; i < N; i++)
        heap_free(block[i]);
    heap_stats(&after);
    assert_int_equal(after.used, before.used);
}

static void test_heap_refuses(void **state)
{
    void *block;

    (void)state;
    assert_null(heap_alloc(0));
    heap_free(NULL);
    heap_fail_nth(2);
    block = heap_alloc(10);
    assert_non_null(block);
    assert_null(heap_alloc(10));
    heap_free(block);
    assert_non_null(block = heap_alloc(10));
    heap_free(block);
    assert_null(heap_alloc(1ull << 50));
    assert_null(heap_alloc(SIZE_MAX));
}

/* Freed large blocks are kept for reuse, count as held but not as used, and are no loss. */
static void test_heap_keeps_large_blocks(void **state)
{
    struct heap_stats before, after;
    void *block = heap_alloc(65536), *again;

    (void)state;
    heap_stats(&before);
    for (int i = 0; i < 100; i++) {
        heap_free(block);
        again = heap_alloc(65536);
        assert_ptr_equal(again, block);
    }
    heap_stats(&after);
    assert_int_equal(after.used, before.used);
    assert_int_equal(after.held, before.held);
    heap_free(block);
    for (int i = 0; i < 50; i++)
        heap_free(heap_alloc(4096 * (1 + (size_t)i % 20)));
    heap_stats(&after);
    assert_int_equal(after.used, before.used - 65536 - 48);
    assert_true(after.held <= before.held + 8 * 17 * 4096);
}

/* ---- Formatter ----------------------------------------------------------------------------- */

static void check_format(const char *expected, const char *pattern, ...)
{
    char text[128];
    va_list args;
    size_t n;

    va_start(args, pattern);
    n = vformat(text, sizeof text, pattern, args);
    va_end(args);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

static void test_format(void **state)
{
    char text[4] = "abc";

    (void)state;
    check_format("-5 7 ffffffff", "%d %u %x", -5, 7u, -1);
    check_format("9223372036854775807 -9223372036854775808", "%ld %ld", INT64_MAX, INT64_MIN);
    check_format("[  42][42  ][0042][+42]", "[%4d][%-4d][%04d][%+d]", 42, 42, 42, 42);
    check_format("00000000deadbeef", "%016lx", 0xdeadbeefl);
    check_format("ab a%z", "%.2s %c%%%c", "abc", 'a', 'z');
    check_format("  abc|abc  |", "%5s|%-5s|", "abc", "abc");
    check_format("(null)", "%s", (char *)NULL);
    check_format("255 -1", "%hhu %hd", 255, -1);
    assert_int_equal(format(text, sizeof text, "%s", "toolong"), 3);
    assert_string_equal(text, "too");
    assert_int_equal(format(text, 0, "%s", "x"), 0);
}

static void test_name(void **state)
{
    char name[8];

    (void)state;
    memset(name, 'x', sizeof name);
    name_set(name, sizeof name, "abcdefghij", 10);
    assert_memory_equal(name, "abcdefg\0", 8);
    name_set(name, sizeof name, "ab\0cd", 5);
    assert_memory_equal(name, "ab\0\0\0\0\0\0", 8);
    name_set(name, sizeof name, NULL, 0);
    assert_memory_equal(name, "\0\0\0\0\0\0\0\0", 8);
}

/* ---- Deadline queue ------------------------------------------------------------------------ */

struct probe {
    struct timer_entry timer;
    int order;
};

static int fired_count;
static struct probe *last_fired;

static void on_fire(struct timer_entry *entry, zx_time_t now)
{
    struct probe *probe = container_of(entry, struct probe, timer);

    assert_true(entry->deadline <= now);
    assert_false(entry->armed);
    probe->order = fired_count++;
    last_fired = probe;
}

static void test_timerq_order(void **state)
{
    enum { N = 500 };
    static struct probe probes[N];
    struct timerq queue;
    zx_time_t last = 0;

    (void)state;
    fired_count = 0;
    timerq_init(&queue);
    assert_int_equal(timerq_next(&queue), ZX_TIME_INFINITE);
    srand(1);
    for (int i = 0; i < N; i++) {
        probes[i] = (struct probe){.timer.fire = on_fire, .order = -1};
        timerq_arm(&queue, &probes[i].timer, rand() % 100);
    }
    for (int i = 0; i < N; i += 3)
        assert_true(timerq_cancel(&queue, &probes[i].timer));
    assert_false(timerq_cancel(&queue, &probes[0].timer));
    for (zx_time_t now = 0; now < 100; now += 7) {
        timerq_expire(&queue, now);
        assert_true(timerq_next(&queue) > now);
        if (last_fired)
            assert_true(last_fired->timer.deadline >= last);
        last = last_fired ? last_fired->timer.deadline : 0;
    }
    timerq_expire(&queue, 1000);
    for (int i = 0; i < N; i++)
        assert_true((i % 3 == 0) == (probes[i].order < 0));
    for (int i = 1; i < N; i++)
        for (int j = 0; j < i; j++)
            if (i % 3 && j % 3 && probes[i].timer.deadline == probes[j].timer.deadline)
                assert_true(probes[j].order < probes[i].order);
}

static void test_timerq_infinite_is_never_queued(void **state)
{
    struct probe probe = {.timer.fire = on_fire};
    struct timerq queue;

    (void)state;
    timerq_init(&queue);
    timerq_arm(&queue, &probe.timer, ZX_TIME_INFINITE);
    assert_false(probe.timer.armed);
    assert_int_equal(timerq_next(&queue), ZX_TIME_INFINITE);
    assert_false(timerq_cancel(&queue, &probe.timer));
}

/* Below `entry`: parents and ranks right, none earlier, the shorter way down on the right. */
static size_t count_entries(const struct timer_entry *entry, const struct timer_entry *parent)
{
    if (!entry)
        return 0;
    uint8_t left = entry->left ? entry->left->rank : 0;
    uint8_t right = entry->right ? entry->right->rank : 0;

    assert_true(entry->armed);
    assert_ptr_equal(entry->parent, parent);
    assert_true(left >= right);
    assert_int_equal(entry->rank, right + 1);
    if (parent)
        assert_true(parent->deadline < entry->deadline ||
                    (parent->deadline == entry->deadline && parent->sequence < entry->sequence));
    return 1 + count_entries(entry->left, entry) + count_entries(entry->right, entry);
}

/* Armed and cancelled at random, in rising, falling and mixed order, it stays a leftist heap. */
static void test_timerq_stays_a_heap(void **state)
{
    enum { N = 300, STEPS = 20000 };
    static struct probe probes[N];
    struct timerq queue;
    size_t armed = 0;

    (void)state;
    timerq_init(&queue);
    srand(2);
    for (int i = 0; i < N; i++)
        probes[i] = (struct probe){.timer.fire = on_fire};
    for (int step = 0; step < STEPS; step++) {
        struct timer_entry *entry = &probes[rand() % N].timer;
        zx_time_t orders[] = {step, STEPS - step, rand() % 50};

        if (timerq_cancel(&queue, entry)) {
            armed--;
        } else {
            timerq_arm(&queue, entry, orders[step / 1000 % 3]);
            armed++;
        }
        assert_int_equal(count_entries(queue.first, NULL), armed);
    }
    timerq_expire(&queue, STEPS);
    assert_null(queue.first);
}

/* ---- Random numbers ------------------------------------------------------------------------ */

/* RFC 8439, A.1, test vectors 1 and 2: key 0, blocks 0 and 1. */
static void test_random_vectors(void **state)
{
    static const uint8_t seed[RANDOM_SEED_BYTES], first[] = {0x76, 0xb8, 0xe0, 0xad},
                                                  second[] = {0x9f, 0x07, 0xe7, 0xbe};
    struct random random;
    uint8_t bytes[128];

    (void)state;
    random_seed(&random, seed);
    random_bytes(&random, bytes, 50);
    random_bytes(&random, bytes + 50, sizeof bytes - 50); /* of both blocks */
    assert_memory_equal(bytes, first, sizeof first);
    assert_memory_equal(bytes + 64, second, sizeof second);
}

static void test_random_keeps_nothing(void **state)
{
    static const uint8_t seed[RANDOM_SEED_BYTES] = {1}, zero[50];
    struct random random;
    uint8_t bytes[50];

    (void)state;
    random_seed(&random, seed);
    random_bytes(&random, bytes, sizeof bytes);
    assert_memory_not_equal(bytes, zero, sizeof bytes);
    assert_memory_equal(random.block, zero, sizeof zero);
}

/* ---- Notes of ELF files -------------------------------------------------------------------- */

/* Of "a", type 1, no content; of "zvmm", type 1, 5 bytes; of "zvmm", type 2, 4 bytes. */
static const uint32_t notes[] = {2,          0, 1, 'a', 5, 5,          1, 0x6d6d767a, 0,
                                 0x11223344, 5, 5, 4,   2, 0x6d6d767a, 0, 0x55667788};

static void test_elf_note(void **state)
{
    const uint8_t *start = (const uint8_t *)notes;
    uint32_t length = 0;

    (void)state;
    assert_null(elf_note_find(start, 0, "zvmm", 1, &length));
    assert_ptr_equal(elf_note_find(start, sizeof notes, "zvmm", 1, &length), start + 36);
    assert_int_equal(length, 5);
    assert_ptr_equal(elf_note_find(start, sizeof notes, "zvmm", 2, &length), start + 64);
    assert_int_equal(length, 4);
    assert_null(elf_note_find(start, sizeof notes, "zvm", 1, &length));
    assert_null(elf_note_find(start, sizeof notes, "zvmm", 3, &length));
}

/* Nothing behind the end is read, whatever the sizes say. */
static void test_elf_note_damaged(void **state)
{
    uint32_t length, bad[] = {5, 0xffffffff, 1, 0x6d6d767a, 0, 0};

    (void)state;
    for (uint64_t size = 0; size < sizeof notes; size++) {
        uint8_t *copy = malloc(size ? size : 1);

        memcpy(copy, notes, size);
        assert_null(elf_note_find(copy, size, "zvmm", 2, &length));
        free(copy);
    }
    assert_null(elf_note_find((const uint8_t *)bad, sizeof bad, "zvmm", 1, &length));
    bad[0] = 0xffffffff;
    assert_null(elf_note_find((const uint8_t *)bad, sizeof bad, "zvmm", 1, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_heap_blocks_do_not_overlap, heap_setup),
        cmocka_unit_test_setup(test_heap_refuses, heap_setup),
        cmocka_unit_test_setup(test_heap_keeps_large_blocks, heap_setup),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_timerq_order),
        cmocka_unit_test(test_timerq_stays_a_heap),
        cmocka_unit_test(test_timerq_infinite_is_never_queued),
        cmocka_unit_test(test_random_vectors),
        cmocka_unit_test(test_random_keeps_nothing),
        cmocka_unit_test(test_elf_note),
        cmocka_unit_test(test_elf_note_damaged),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
