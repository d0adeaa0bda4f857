/*
 * test_wait_random.c - threads that wait in every way on a few objects, at random, while others
 * signal, close, queue, suspend, kill and let time pass. After each step no thread may be blocked
 * on what is there already (a lost wake-up), and at the end nothing may be left (the fixture
 * looks).
 */
#include "helpers.h"

#include <zircon/ipc.h>

#include "futex.h"
#include "port.h"

enum { OUT = 0, ITEMS = 0x100, PACKET = 0x300, FUTEX = 0x400, SCRATCH = 0x800 };
enum { THREADS = 8, EVENTS = 4, PORTS = 2, FUTEXES = 3 };

static struct thread *thread[THREADS];
static zx_handle_t event[EVENTS], port[PORTS];

static uint32_t pick(uint32_t n)
{
    return (uint32_t)rand() % n;
}

static zx_signals_t some_signals(void)
{
    return (1u + pick(15)) << 24;
}

static zx_time_t some_deadline(void)
{
    return pick(2) ? ZX_TIME_INFINITE : hal_now() + pick(30);
}

static zx_handle_t new_port(void)
{
    assert_status(sys_port_create(SELF, 0, U(OUT)), ZX_OK);
    return fixture_handle_at(OUT);
}

static void wait_many(struct thread *t)
{
    uint32_t n = pick(5);

    for (uint32_t i = 0; i < n; i++) {
        zx_wait_item_t item = {event[pick(EVENTS)], some_signals(), 0};

        fixture_poke(ITEMS + i * sizeof item, &item, sizeof item);
    }
    AS(t, sys_object_wait_many(t, U(ITEMS), n, some_deadline()));
}

/* A thread that may run makes a call that may block. */
static void step_thread(struct thread *t)
{
    if (t->state != THREAD_RUNNABLE || t->wait.kind)
        return;
    switch (pick(4)) {
    case 0:
        AS(t, sys_object_wait_one(t, event[pick(EVENTS)], some_signals(), some_deadline(),
                                  U(SCRATCH)));
        break;
    case 1:
        wait_many(t);
        break;
    case 2:
        AS(t, sys_port_wait(t, port[pick(PORTS)], some_deadline(), U(SCRATCH)));
        break;
    case 3:
        AS(t, sys_futex_wait(t, U(FUTEX + pick(FUTEXES) * 4), 0, 0, some_deadline()));
        break;
    }
}

static void step_objects(void)
{
    zx_port_packet_t packet = {.key = pick(4)};
    uint32_t e = pick(EVENTS), p = pick(PORTS), f = pick(FUTEXES);

    switch (pick(9)) {
    case 0:
    case 1:
        sys_object_signal(SELF, event[e], some_signals(), some_signals());
        break;
    case 2:
        sys_object_wait_async(SELF, event[e], port[p], pick(3), some_signals(), pick(2));
        break;
    case 3:
        fixture_poke(PACKET, &packet, sizeof packet);
        sys_port_queue(SELF, port[p], U(PACKET));
        break;
    case 4:
        sys_port_cancel(SELF, port[p], event[e], pick(3));
        break;
    case 5:
        sys_futex_wake(SELF, U(FUTEX + f * 4), pick(3));
        break;
    case 6:
        sys_futex_requeue(SELF, U(FUTEX + f * 4), pick(2), 0, U(FUTEX + (f + 1) % FUTEXES * 4),
                          pick(3), 0);
        break;
    case 7:
        fixture_advance(pick(20));
        break;
    case 8:
        if (pick(4) == 0) {
            close_handle(event[e]);
            event[e] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
        }
        break;
    }
}

static void step_life(void)
{
    uint32_t i = pick(THREADS);
    struct thread *t = thread[i];

    if (pick(3) == 0) {
        end_thread(t);
        thread[i] = fixture_thread();
    } else if (t->suspend_count) {
        thread_resume(t);
    } else {
        thread_suspend(t);
    }
}

/* No thread sleeps on something that is true. */
static void check(void)
{
    for (int i = 0; i < THREADS; i++) {
        const struct thread *t = thread[i];
        const struct wait *w = &t->wait;

        if (t->state != THREAD_BLOCKED)
            continue;
        assert_true(!w->timer.armed || w->timer.deadline > hal_now());
        if (strcmp(w->kind->name, "object_wait_one") == 0)
            assert_false(w->u.one.observer.object->signals & w->u.one.observer.trigger);
        if (strcmp(w->kind->name, "object_wait_many") == 0)
            for (uint32_t k = 0; k < w->u.many.count; k++)
                assert_false(w->u.many.items[k].observer.object->signals &
                             w->u.many.items[k].observer.trigger);
        if (strcmp(w->kind->name, "port_wait") == 0)
            assert_true(TAILQ_EMPTY(&w->u.port.port->packets));
    }
}

static void test_random(void **state)
{
    (void)state;
    srand(3);
    for (int i = 0; i < THREADS; i++)
        thread[i] = fixture_thread();
    for (int i = 0; i < EVENTS; i++)
        event[i] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    for (int i = 0; i < PORTS; i++)
        port[i] = new_port();
    for (int step = 0; step < 60000; step++) {
        uint32_t what = pick(20);

        if (what < 10)
            step_thread(thread[pick(THREADS)]);
        else if (what < 19)
            step_objects();
        else
            step_life();
        if (pick(3) == 0)
            fixture_settle_all();
        check();
    }
    for (int i = 0; i < THREADS; i++)
        end_thread(thread[i]);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(handle_find(fix.process, event[i])->object->handles, 1);
    for (int i = 0; i < FUTEXES; i++)
        assert_true(!futex_find(fix.process, U(FUTEX + (size_t)i * 4).va));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random)};

    return cmocka_run_group_tests_name("wait_random", tests, NULL, NULL);
}
