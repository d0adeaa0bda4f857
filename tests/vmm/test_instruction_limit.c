/*
 * test_instruction_limit.c - preemption at an exact instruction, with a made-up counter: it is late
 * by as much as it likes, up to its margin, and the machine is a program that runs and enters the
 * kernel at instructions that the test names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replay/instruction-limit.h"

enum { PERIOD = 1000, MARGIN = 50 };

/* A machine: where its program is, and where it enters the kernel. */
static struct fake {
    uint64_t count;       /* instructions of user code */
    uint64_t alarm;       /* the counter interrupts after this one, 0: not armed */
    uint64_t late;        /* so many later */
    uint64_t entries[8];  /* the program enters the kernel after these */
    uint64_t clock;       /* moves at each entry */
    unsigned arms, steps; /* what it was asked for */
    bool broken;          /* reading fails */
} fake;

static bool fake_open(const struct kvm *kvm, void **state)
{
    assert_null(kvm);
    *state = &fake;
    return true;
}

static bool absent_open(const struct kvm *kvm, void **state)
{
    (void)kvm;
    (void)state;
    return false;
}

static bool fake_read(void *state, uint64_t *count)
{
    const struct fake *it = state;
    *count = it->count;
    return !it->broken;
}

static bool fake_arm(void *state, uint64_t more)
{
    struct fake *it = state;
    it->alarm = it->count + more;
    it->arms++;
    return true;
}

static void fake_stepped(void *state)
{
    (void)state;
}

static void fake_close(void *state)
{
    assert_ptr_equal(state, &fake);
}

static const struct counter_provider provider = {.name = "fake",
                                                 .period = PERIOD,
                                                 .margin = MARGIN,
                                                 .open = fake_open,
                                                 .read = fake_read,
                                                 .arm = fake_arm,
                                                 .stepped = fake_stepped,
                                                 .close = fake_close};

static void execute_one(void)
{
    fake.count++;
    for (unsigned i = 0; i < sizeof(fake.entries) / sizeof(fake.entries[0]); i++)
        fake.clock += fake.entries[i] == fake.count ? 10000 : 0;
}

/* One stay in the guest: a step, or until the counter's interrupt comes. */
static void enter(enum limit_answer answer)
{
    if (answer == LIMIT_STEP) {
        execute_one();
        fake.steps++;
        return;
    }
    assert_int_not_equal(fake.alarm, 0);
    while (fake.count < fake.alarm + fake.late)
        execute_one();
}

/* Run up to `end` instructions; where user code was preempted, and how often. */
static unsigned run(struct instruction_limit *limit, uint64_t end, uint64_t preempted[8])
{
    unsigned times = 0;
    while (fake.count < end) {
        enum limit_answer answer = instruction_limit_look(limit, fake.clock);
        if (answer == LIMIT_PREEMPT) {
            assert_in_range(times, 0, 7);
            preempted[times++] = fake.count;
            fake.clock += 10000; /* the interrupt is an entry */
            answer = instruction_limit_look(limit, fake.clock);
        }
        enter(answer);
    }
    return times;
}

static void begin(struct instruction_limit *limit, struct fake machine)
{
    fake = machine;
    assert_true(instruction_limit_open(limit, &provider, NULL, 0));
}

/* A loop: preempted at every second multiple, as the preemption itself moves the clock. */
static void test_loop(void **state)
{
    (void)state;
    struct instruction_limit limit;
    uint64_t at[8];
    begin(&limit, (struct fake){.late = 7});
    assert_int_equal(run(&limit, 5500, at), 3);
    assert_int_equal(at[0], 1000);
    assert_int_equal(at[1], 3000);
    assert_int_equal(at[2], 5000);
    assert_int_equal(limit.missed, 0);
    instruction_limit_close(&limit);
    assert_null(limit.provider);
}

/* How late the counter is makes no difference, up to the margin. */
static void test_lateness(void **state)
{
    (void)state;
    for (uint64_t late = 0; late <= MARGIN; late++) {
        struct instruction_limit limit;
        uint64_t at[8];
        begin(&limit, (struct fake){.late = late, .entries = {1500, 2990, 3001}});
        assert_int_equal(run(&limit, 5500, at), 2);
        assert_int_equal(at[0], 1000);
        assert_int_equal(at[1], 5000);
        assert_int_equal(limit.missed, 0);
        assert_int_equal(fake.arms, 6);
        assert_int_equal(fake.steps, 5 * (MARGIN - late));
    }
}

/* An entry at the very multiple, and one instruction before or after, count to the right side. */
static void test_entries_at_the_edge(void **state)
{
    (void)state;
    static const struct {
        uint64_t entry;
        unsigned preempted;
        uint64_t first;
    } rows[] = {{999, 1, 2000}, {1000, 1, 2000}, {1001, 1, 1000}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct instruction_limit limit;
        uint64_t at[8];
        begin(&limit, (struct fake){.late = 3, .entries = {rows[i].entry}});
        assert_int_equal(run(&limit, 2500, at), rows[i].preempted);
        assert_int_equal(at[0], rows[i].first);
    }
}

/* A counter that comes after the multiple is said to have. */
static void test_too_late(void **state)
{
    (void)state;
    struct instruction_limit limit;
    uint64_t at[8];
    begin(&limit, (struct fake){.late = MARGIN + 20});
    assert_int_equal(run(&limit, 1500, at), 1);
    assert_int_equal(at[0], 1020);
    assert_int_equal(limit.missed, 1);
    assert_int_equal(limit.next, 2000);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct instruction_limit limit;
    begin(&limit, (struct fake){.broken = true});
    assert_int_equal(instruction_limit_look(&limit, 0), LIMIT_RUN);
    assert_int_equal(limit.missed, 1);
}

/* A counter that cannot interrupt: every instruction is stepped. */
static void test_stepping(void **state)
{
    (void)state;
    struct counter_provider steps = provider;
    struct instruction_limit limit;
    uint64_t at[8];
    steps.margin = COUNTER_NEVER;
    fake = (struct fake){.clock = 0};
    assert_true(instruction_limit_open(&limit, &steps, NULL, 300));
    assert_int_equal(run(&limit, 1000, at), 2);
    assert_int_equal(at[0], 300);
    assert_int_equal(at[1], 900);
    assert_int_equal(fake.steps, 1000);
    assert_int_equal(fake.arms, 0);
}

/* A run that goes on from a snapshot is preempted where the uninterrupted one is. */
static void test_resume(void **state)
{
    (void)state;
    struct instruction_limit limit;
    uint64_t whole[8], rest[8], count;
    begin(&limit, (struct fake){.late = 5, .entries = {1400}});
    assert_int_equal(run(&limit, 5500, whole), 3);
    begin(&limit, (struct fake){.late = 5, .entries = {1400}});
    run(&limit, 2345, rest);
    assert_true(instruction_limit_count(&limit, &count));
    uint64_t clock = limit.clock;
    begin(&limit, (struct fake){.late = 5, .clock = fake.clock});
    instruction_limit_resume(&limit, count, clock);
    assert_int_equal(run(&limit, 5500 - count, rest), 2);
    assert_int_equal(rest[0] + count, whole[1]);
    assert_int_equal(rest[1] + count, whole[2]);
}

static void test_absent(void **state)
{
    (void)state;
    struct counter_provider absent = provider;
    struct instruction_limit limit;
    absent.open = absent_open;
    assert_false(instruction_limit_open(&limit, &absent, NULL, 0));
    assert_null(limit.provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_lateness),
        cmocka_unit_test(test_entries_at_the_edge),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_stepping),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
