/*
 * Virtual interrupts.
 */
#include "raw_thread.h"

#include <stdatomic.h>

static zx_handle_t make_interrupt(void)
{
    zx_handle_t interrupt;

    ASSERT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &interrupt));
    return interrupt;
}

static zx_handle_t make_port(void)
{
    zx_handle_t port;

    ASSERT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &port));
    return port;
}

/* A thread that waits for an interrupt once and leaves what it got. */
static struct {
    _Atomic zx_status_t status;
    zx_time_t timestamp;
} got;

static void waits(uintptr_t interrupt, uintptr_t unused)
{
    (void)unused;
    got.timestamp = -1;
    got.status = zx_interrupt_wait((zx_handle_t)interrupt, &got.timestamp);
    zx_thread_exit();
}

static struct raw_thread start_waiter(zx_handle_t interrupt)
{
    struct raw_thread t = raw_run(waits, interrupt, 0);

    ASSERT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_INTERRUPT));
    return t;
}

static void expect_packet(zx_handle_t port, uint64_t key, zx_time_t timestamp)
{
    zx_port_packet_t packet;

    memset(&packet, 0x55, sizeof(packet));
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, key);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_INTERRUPT);
    EXPECT_STATUS(packet.status, ZX_OK);
    EXPECT_EQ(packet.interrupt.timestamp, timestamp);
}

static void expect_no_packet(zx_handle_t port)
{
    zx_port_packet_t packet;

    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
}

TEST(Interrupt, Create)
{
    zx_handle_t interrupt = make_interrupt(), other;

    EXPECT_EQ(basic_info(interrupt).type, ZX_OBJ_TYPE_INTERRUPT);
    EXPECT_EQ(basic_info(interrupt).rights, ZX_DEFAULT_INTERRUPT_RIGHTS);
    EXPECT_STATUS(zx_interrupt_create(ZX_HANDLE_INVALID, 0,
                                      ZX_INTERRUPT_VIRTUAL | ZX_INTERRUPT_REMAP_IRQ, &other),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(interrupt);
}

/* Real lines need a resource, and this machine has none. */
TEST(Interrupt, NoRealLines)
{
    zx_handle_t interrupt, mmio;

    EXPECT_STATUS(zx_interrupt_create(ZX_HANDLE_INVALID, 5, 0, &interrupt), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_create(zx_process_self(), 5, 0, &interrupt), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_MMIO, 0, 4096, "", 0, &mmio));
    EXPECT_STATUS(zx_interrupt_create(mmio, 5, 0, &interrupt), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_create(root_resource(), 0x10000, 0, &interrupt),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(mmio);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

TEST(Interrupt, TriggeredBeforeTheWait)
{
    zx_handle_t interrupt = make_interrupt();
    zx_time_t timestamp = 0;

    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1000));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 2000)); /* the first one counts */
    EXPECT_OK(zx_interrupt_wait(interrupt, &timestamp));
    EXPECT_EQ(timestamp, 1000);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 3000));
    EXPECT_OK(zx_interrupt_wait(interrupt, NULL));
    CLOSE(interrupt);
}

TEST(Interrupt, WakesItsWaiter)
{
    zx_handle_t interrupt = make_interrupt();

    /* The second wait acknowledges the first interrupt. */
    for (zx_time_t time = 10; time < 13; time++) {
        struct raw_thread t = start_waiter(interrupt);
        EXPECT_OK(zx_interrupt_trigger(interrupt, 0, time));
        raw_join(&t);
        EXPECT_OK(got.status);
        EXPECT_EQ(got.timestamp, time);
    }
    CLOSE(interrupt);
}

TEST(Interrupt, OneWaiterOnly)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();
    struct raw_thread t = start_waiter(interrupt);

    EXPECT_STATUS(zx_interrupt_wait(interrupt, NULL), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 0, ZX_INTERRUPT_BIND), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    raw_join(&t);
    EXPECT_OK(got.status);
    CLOSE(port);
    CLOSE(interrupt);
}

TEST(Interrupt, DestroyEndsTheWait)
{
    zx_handle_t interrupt = make_interrupt();
    struct raw_thread t = start_waiter(interrupt);

    EXPECT_OK(zx_interrupt_destroy(interrupt));
    raw_join(&t);
    EXPECT_STATUS(got.status, ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_wait(interrupt, NULL), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_trigger(interrupt, 0, 1), ZX_ERR_CANCELED);
    EXPECT_OK(zx_interrupt_destroy(interrupt)); /* again */
    CLOSE(interrupt);
}

TEST(Interrupt, LastHandleEndsTheWait)
{
    zx_handle_t interrupt = make_interrupt();
    struct raw_thread t = start_waiter(interrupt);

    CLOSE(interrupt);
    raw_join(&t);
    EXPECT_STATUS(got.status, ZX_ERR_CANCELED);
}

/* A suspended waiter goes on waiting afterwards. */
TEST(Interrupt, WaitSurvivesASuspend)
{
    zx_handle_t interrupt = make_interrupt(), token;
    struct raw_thread t = start_waiter(interrupt);

    token = raw_suspend(&t);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 77)); /* it is not lost meanwhile */
    raw_resume(&t, token);
    raw_join(&t);
    EXPECT_OK(got.status);
    EXPECT_EQ(got.timestamp, 77);
    CLOSE(interrupt);
}

/* ---- Ports --------------------------------------------------------------------------------- */

TEST(Interrupt, Bind)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port(), other = make_port(), plain;

    ASSERT_OK(zx_port_create(0, &plain));
    EXPECT_STATUS(zx_interrupt_bind(interrupt, plain, 1, ZX_INTERRUPT_BIND), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_UNBIND), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_STATUS(zx_interrupt_bind(interrupt, other, 1, ZX_INTERRUPT_BIND), ZX_ERR_ALREADY_BOUND);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, other, 1, ZX_INTERRUPT_UNBIND), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_interrupt_wait(interrupt, NULL), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_UNBIND));
    EXPECT_OK(zx_interrupt_bind(interrupt, other, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_destroy(interrupt));
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND), ZX_ERR_CANCELED);
    CLOSE(plain);
    CLOSE(other);
    CLOSE(port);
    CLOSE(interrupt);
}

TEST(Interrupt, PacketsAndAcknowledgement)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();

    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_BAD_STATE);
    ASSERT_OK(zx_interrupt_bind(interrupt, port, 42, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_ack(interrupt)); /* nothing to acknowledge */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    expect_packet(port, 42, 5);
    /* Another one has to wait until the first is acknowledged. */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 6));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 7));
    expect_no_packet(port);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    expect_packet(port, 42, 6);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    expect_no_packet(port);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 8));
    expect_packet(port, 42, 8);
    CLOSE(port);
    CLOSE(interrupt);
}

TEST(Interrupt, PacketsGoFirst)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_interrupt_bind(interrupt, port, 42, ZX_INTERRUPT_BIND));
    ASSERT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    expect_packet(port, 42, 5);
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 1);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_USER);
    CLOSE(port);
    CLOSE(interrupt);
}

/* Who unbinds or destroys it takes back a packet that nobody has read. */
TEST(Interrupt, UnreadPacketsAreTakenBack)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();

    ASSERT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_UNBIND));
    expect_no_packet(port);
    CLOSE(interrupt);
    interrupt = make_interrupt();
    ASSERT_OK(zx_interrupt_bind(interrupt, port, 2, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    EXPECT_OK(zx_interrupt_destroy(interrupt));
    expect_no_packet(port);
    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_CANCELED);
    CLOSE(interrupt);
    interrupt = make_interrupt();
    ASSERT_OK(zx_interrupt_bind(interrupt, port, 3, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    CLOSE(interrupt); /* the same */
    expect_no_packet(port);
    CLOSE(port);
}

/* Its packet is read and not acknowledged: the driver hears that somebody handles it still. */
TEST(Interrupt, DestroyBeforeTheAcknowledgement)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();

    ASSERT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    expect_packet(port, 1, 5);
    EXPECT_STATUS(zx_interrupt_destroy(interrupt), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_interrupt_trigger(interrupt, 0, 6), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_CANCELED);
    CLOSE(port);
    CLOSE(interrupt);
}

/* A port that is gone does not disturb the interrupt. */
TEST(Interrupt, OutlivesItsPort)
{
    zx_handle_t interrupt = make_interrupt(), port = make_port();

    ASSERT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    CLOSE(port);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 6));
    EXPECT_OK(zx_interrupt_ack(interrupt));
    CLOSE(interrupt);
}
