/*
 * Pagers: what the calls refuse, and system calls whose buffers are memory of a pager. Such a call
 * waits for the page and then does what it does once.
 */
#include "paged.h"

#include <zircon/ipc.h>
#include <zircon/port.h>

/* ---- Arguments ----------------------------------------------------------------------------- */

TEST(Pager, CreateBadArguments)
{
    zx_handle_t pager;

    EXPECT_STATUS(zx_pager_create(1, &pager), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_create(0, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Pager, CreateVmoBadArguments)
{
    struct paged p = paged_new(1);
    zx_handle_t vmo, weak = without_rights(p.port, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zx_pager_create_vmo(p.pager, ~0u, p.port, 0, PAGE, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_create_vmo(closed_handle(), 0, p.port, 0, PAGE, &vmo),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_create_vmo(p.pager, 0, closed_handle(), 0, PAGE, &vmo),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_create_vmo(p.port, 0, p.port, 0, PAGE, &vmo), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_create_vmo(p.pager, 0, p.vmo, 0, PAGE, &vmo), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_create_vmo(p.pager, 0, weak, 0, PAGE, &vmo), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_pager_create_vmo(p.pager, 0, p.port, 0, UINT64_MAX - PAGE + 2, &vmo),
                  ZX_ERR_OUT_OF_RANGE);
    CLOSE(weak);
    paged_close(&p);
}

TEST(Pager, CreateVmo)
{
    struct paged p = paged_new(1);
    zx_handle_t vmo;

    ASSERT_OK(zx_pager_create_vmo(p.pager, ZX_VMO_RESIZABLE, p.port, 0, PAGE + 1, &vmo));
    EXPECT_EQ(pages_of(vmo), 2);
    EXPECT_EQ(basic_info(vmo).rights, ZX_DEFAULT_VMO_RIGHTS);
    EXPECT_EQ(vmo_info(vmo).flags & ZX_INFO_VMO_RESIZABLE, ZX_INFO_VMO_RESIZABLE);
    CLOSE(vmo);
    EXPECT_STATUS(zx_pager_create_vmo(p.pager, 0, p.port, 0, PAGE, UNMAPPED), ZX_ERR_INVALID_ARGS);
    paged_close(&p);
}

TEST(Pager, DetachBadArguments)
{
    struct paged p = paged_new(1), other = paged_new(1);
    zx_handle_t plain = new_vmo(1);

    EXPECT_STATUS(zx_pager_detach_vmo(closed_handle(), p.vmo), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_detach_vmo(p.pager, closed_handle()), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_detach_vmo(p.vmo, p.vmo), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_detach_vmo(p.pager, p.pager), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_detach_vmo(p.pager, plain), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_detach_vmo(other.pager, p.vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(paged_is_quiet(&p));
    CLOSE(plain);
    paged_close(&other);
    paged_close(&p);
}

static zx_status_t supply_from(const struct paged *p, zx_handle_t aux)
{
    return zx_pager_supply_pages(p->pager, p->vmo, 0, PAGE, aux, 0);
}

TEST(Pager, SupplyBadHandles)
{
    struct paged p = paged_new(1), other = paged_new(1);
    zx_handle_t aux = numbered_vmo(1, 1), weak;

    EXPECT_STATUS(zx_pager_supply_pages(closed_handle(), p.vmo, 0, PAGE, aux, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, closed_handle(), 0, PAGE, aux, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(supply_from(&p, closed_handle()), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_supply_pages(p.vmo, p.vmo, 0, PAGE, aux, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.port, 0, PAGE, aux, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(supply_from(&p, p.port), ZX_ERR_WRONG_TYPE);
    /* A VMO without a pager, or of another one: seen before the source is looked at. */
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, aux, 0, PAGE, closed_handle(), 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_supply_pages(other.pager, p.vmo, 0, PAGE, closed_handle(), 0),
                  ZX_ERR_INVALID_ARGS);
    weak = without_rights(aux, ZX_RIGHT_WRITE);
    EXPECT_STATUS(supply_from(&p, weak), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(aux, ZX_RIGHT_READ);
    EXPECT_STATUS(supply_from(&p, weak), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_EQ(word_at(aux, 0), 1);
    CLOSE(aux);
    paged_close(&other);
    paged_close(&p);
}

TEST(Pager, SupplyBadRanges)
{
    struct paged p = paged_new(1);
    zx_handle_t aux = numbered_vmo(1, 1);

    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 1, PAGE, aux, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 0, 1, aux, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 0, PAGE, aux, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 0, PAGE, aux, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 0, -PAGE, aux, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, PAGE, PAGE, aux, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_pager_supply_pages(p.pager, p.vmo, 0, 0, aux, 0));
    EXPECT_EQ(committed_pages(p.vmo), 0);
    CLOSE(aux);
    paged_close(&p);
}

/* Pages can be taken only from where nobody else sees them. */
TEST(Pager, SupplyFromSharedVmos)
{
    struct paged p = paged_new(1), other = paged_new(1);
    zx_handle_t aux = numbered_vmo(1, 3), child = clone_of(aux, 0, 1), bti = new_bti(), pmt;
    zx_vaddr_t at;

    EXPECT_STATUS(supply_from(&p, child), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(supply_from(&p, aux), ZX_ERR_BAD_STATE);
    CLOSE(child);
    at = map_pages(aux, ZX_VM_PERM_READ, 0, 1);
    EXPECT_STATUS(supply_from(&p, aux), ZX_ERR_BAD_STATE);
    unmap_pages(at, 1);
    pmt = pin_pages(bti, aux, 0, 1);
    EXPECT_STATUS(supply_from(&p, aux), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_OK(paged_supply(&other, 0, 1));
    EXPECT_STATUS(supply_from(&p, other.vmo), ZX_ERR_BAD_STATE);
    EXPECT_OK(supply_from(&p, aux)); /* nothing of that is true any more */
    EXPECT_EQ(word_at(p.vmo, 0), 3);
    CLOSE(bti);
    CLOSE(aux);
    paged_close(&other);
    paged_close(&p);
}

TEST(Pager, SupplyOfWhatIsNotThere)
{
    struct paged p = paged_new(2);
    zx_handle_t aux = new_vmo(2);

    set_word(aux, 0, 1);
    EXPECT_STATUS(zx_pager_supply_pages(p.pager, p.vmo, 0, 2 * PAGE, aux, 0), ZX_ERR_BAD_STATE);
    EXPECT_EQ(committed_pages(p.vmo), 0);
    EXPECT_EQ(word_at(aux, 0), 1);
    CLOSE(aux);
    paged_close(&p);
}

TEST(Pager, OpRangeBadArguments)
{
    struct paged p = paged_new(1), other = paged_new(1);
    zx_handle_t plain = new_vmo(1);
    const uint64_t io = (uint64_t)(int64_t)ZX_ERR_IO;

    EXPECT_STATUS(zx_pager_op_range(closed_handle(), ZX_PAGER_OP_FAIL, p.vmo, 0, PAGE, io),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, closed_handle(), 0, PAGE, io),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_pager_op_range(p.vmo, ZX_PAGER_OP_FAIL, p.vmo, 0, PAGE, io),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, p.port, 0, PAGE, io),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, plain, 0, PAGE, io),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(other.pager, ZX_PAGER_OP_FAIL, p.vmo, 0, PAGE, io),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, p.vmo, 1, PAGE, io),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, p.vmo, 0, 1, io),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(p.pager, 0, p.vmo, 0, PAGE, io), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(paged_fail(&p, 0, 1, ZX_ERR_NO_MEMORY), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, p.vmo, 0, PAGE, 10),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_pager_op_range(p.pager, ZX_PAGER_OP_FAIL, p.vmo, 0, PAGE, 0x11ffffffd8),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(plain);
    paged_close(&other);
    paged_close(&p);
}

/* ---- Buffers of a pager -------------------------------------------------------------------- */

/* Runs `task` until it asks for page 0, supplies that, and waits for the end. */
static zx_status_t run_and_supply(const struct paged *p, struct task *task)
{
    task_start(task);
    EXPECT_TRUE(paged_request(p, 0, 1));
    EXPECT_TRUE(task_blocks(task));
    EXPECT_OK(paged_supply(p, 0, 1));
    return task_end(task);
}

static zx_status_t reads_message(struct task *task)
{
    return zx_channel_read(task->vmo, 0, (void *)(task->at + 64), NULL, 64, 0,
                           (uint32_t *)(task->at + 16), NULL);
}

/* The message is not lost. */
TEST(Pager, ChannelRead)
{
    struct paged p = paged_new(1);
    struct task t = {.run = reads_message, .at = p.at};
    zx_handle_t end;

    ASSERT_OK(zx_channel_create(0, &t.vmo, &end));
    ASSERT_OK(zx_channel_write(end, 0, "message", 8, NULL, 0));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(strcmp((const char *)(p.at + 64), "message"), 0);
    EXPECT_EQ(*(uint32_t *)(p.at + 16), 8);
    EXPECT_EQ(*word_of(p.at, 0), PAGED_WORD(0));
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

/* A buffer that cannot be had is a bad pointer. */
TEST(Pager, ChannelReadFails)
{
    struct paged p = paged_new(1);
    struct task t = {.run = reads_message, .at = p.at};
    zx_handle_t end;

    ASSERT_OK(zx_channel_create(0, &t.vmo, &end));
    ASSERT_OK(zx_channel_write(end, 0, "message", 8, NULL, 0));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_fail(&p, 0, 1, ZX_ERR_IO));
    EXPECT_STATUS(task_end(&t), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(paged_is_quiet(&p));
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

static zx_status_t writes_message(struct task *task)
{
    zx_handle_t handle = (zx_handle_t)task->word;

    return zx_channel_write(task->vmo, 0, (const void *)task->at, 8, &handle, 1);
}

/* Handles are sent once, though the bytes come late. */
TEST(Pager, ChannelWrite)
{
    struct paged p = paged_new(1);
    struct task t = {.run = writes_message, .at = p.at};
    zx_handle_t end, event;
    uint64_t word;

    ASSERT_OK(zx_event_create(0, &event));
    t.word = event;
    ASSERT_OK(zx_channel_create(0, &t.vmo, &end));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    ASSERT_OK(zx_channel_read(end, 0, &word, &event, 8, 1, NULL, NULL));
    EXPECT_EQ(word, PAGED_WORD(0));
    CLOSE(event);
    EXPECT_STATUS(zx_channel_read(end, 0, &word, NULL, 8, 0, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

/* If they never come, the handles are gone as with any failure of the call. */
TEST(Pager, ChannelWriteFails)
{
    struct paged p = paged_new(1);
    struct task t = {.run = writes_message, .at = p.at};
    zx_handle_t end, event;

    ASSERT_OK(zx_event_create(0, &event));
    t.word = event;
    ASSERT_OK(zx_channel_create(0, &t.vmo, &end));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_STATUS(task_end(&t), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

static zx_status_t calls_channel(struct task *task)
{
    uint32_t request[2] = {0, 5}, bytes, handles;
    zx_channel_call_args_t args = {
        .wr_bytes = request,
        .wr_num_bytes = sizeof(request),
        .rd_bytes = (void *)(task->at + 64),
        .rd_num_bytes = 64,
    };

    return zx_channel_call(task->vmo, 0, ZX_TIME_INFINITE, &args, &bytes, &handles);
}

TEST(Pager, ChannelCall)
{
    struct paged p = paged_new(1);
    struct task t = {.run = calls_channel, .at = p.at};
    uint32_t request[2];
    zx_handle_t end;

    ASSERT_OK(zx_channel_create(0, &t.vmo, &end));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1)); /* before it is sent */
    EXPECT_OK(paged_supply(&p, 0, 1));
    ASSERT_OK(zx_object_wait_one(end, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(end, 0, request, NULL, sizeof(request), 0, NULL, NULL));
    request[1] = 6;
    ASSERT_OK(zx_channel_write(end, 0, request, sizeof(request), NULL, 0));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(*(uint32_t *)(p.at + 68), 6);
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

static zx_status_t waits_for_packet(struct task *task)
{
    return zx_port_wait(task->vmo, ZX_TIME_INFINITE, (zx_port_packet_t *)(task->at + 64));
}

TEST(Pager, PortWait)
{
    struct paged p = paged_new(1);
    struct task t = {.run = waits_for_packet, .at = p.at};
    zx_port_packet_t packet = {.key = 71};

    ASSERT_OK(zx_port_create(0, &t.vmo));
    ASSERT_OK(zx_port_queue(t.vmo, &packet));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(((zx_port_packet_t *)(p.at + 64))->key, 71);
    CLOSE(t.vmo);
    paged_close(&p);
}

/* The memory is exchanged for another pager's while the call waits: a bad pointer by then. */
TEST(Pager, PortWaitLosesItsBuffer)
{
    struct paged p = paged_new(1), q = paged_new(1);
    struct task t = {.run = waits_for_packet, .at = p.at};
    zx_port_packet_t packet = {.key = 71};
    zx_info_vmar_t root;
    zx_vaddr_t at;

    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL));
    ASSERT_OK(zx_port_create(0, &t.vmo));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(wait_until_blocked(t.thread.handle, ZX_THREAD_STATE_BLOCKED_PORT));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                          p.at - root.base, q.vmo, 0, PAGE, &at));
    ASSERT_OK(zx_port_queue(t.vmo, &packet));
    EXPECT_STATUS(task_end(&t), ZX_ERR_INVALID_ARGS);
    CLOSE(t.vmo);
    paged_close(&q);
    paged_close(&p);
}

static zx_status_t waits_for_signal(struct task *task)
{
    return zx_object_wait_one(task->vmo, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE,
                              (zx_signals_t *)(task->at + 64));
}

TEST(Pager, ObjectWaitOne)
{
    struct paged p = paged_new(1);
    struct task t = {.run = waits_for_signal, .at = p.at};

    ASSERT_OK(zx_event_create(0, &t.vmo));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(wait_until_blocked(t.thread.handle, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    EXPECT_OK(zx_object_signal(t.vmo, 0, ZX_USER_SIGNAL_0));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(*(zx_signals_t *)(p.at + 64), ZX_USER_SIGNAL_0);
    CLOSE(t.vmo);
    paged_close(&p);
}

static zx_status_t writes_socket(struct task *task)
{
    return zx_socket_write(task->vmo, 0, "once", 4, (size_t *)(task->at + 64));
}

/* Only the count goes to the pager's memory; the bytes are written once all the same. */
TEST(Pager, SocketWrite)
{
    struct paged p = paged_new(1);
    struct task t = {.run = writes_socket, .at = p.at};
    char bytes[16];
    zx_handle_t end;
    size_t actual;

    ASSERT_OK(zx_socket_create(0, &t.vmo, &end));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(*(size_t *)(p.at + 64), 4);
    EXPECT_OK(zx_socket_read(end, 0, bytes, sizeof(bytes), &actual));
    EXPECT_EQ(actual, 4);
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

static zx_status_t reads_fifo(struct task *task)
{
    return zx_fifo_read(task->vmo, 8, (void *)(task->at + 64), 4, (size_t *)(task->at + 8));
}

TEST(Pager, FifoRead)
{
    struct paged p = paged_new(1);
    struct task t = {.run = reads_fifo, .at = p.at};
    uint64_t words[2] = {11, 12};
    zx_handle_t end;

    ASSERT_OK(zx_fifo_create(4, 8, 0, &t.vmo, &end));
    ASSERT_OK(zx_fifo_write(end, 8, words, 2, NULL));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(*(size_t *)(p.at + 8), 2);
    EXPECT_EQ(*(uint64_t *)(p.at + 72), 12);
    CLOSE(t.vmo);
    CLOSE(end);
    paged_close(&p);
}

static zx_status_t appends_to_stream(struct task *task)
{
    zx_iovec_t vector = {.buffer = (void *)(uintptr_t) "once", .capacity = 4};

    return zx_stream_writev(task->vmo, ZX_STREAM_APPEND, &vector, 1, (size_t *)(task->at + 64));
}

TEST(Pager, StreamAppend)
{
    struct paged p = paged_new(1);
    struct task t = {.run = appends_to_stream, .at = p.at};
    zx_handle_t vmo;
    uint64_t content;

    ASSERT_OK(zx_vmo_create(0, ZX_VMO_RESIZABLE, &vmo));
    ASSERT_OK(zx_stream_create(ZX_STREAM_MODE_WRITE, vmo, 0, &t.vmo));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &content, sizeof(content)));
    EXPECT_EQ(content, 4);
    CLOSE(t.vmo);
    CLOSE(vmo);
    paged_close(&p);
}

static zx_status_t replaces_handle(struct task *task)
{
    return zx_handle_replace(task->vmo, ZX_RIGHT_SAME_RIGHTS, (zx_handle_t *)(task->at + 64));
}

TEST(Pager, HandleReplace)
{
    struct paged p = paged_new(1);
    struct task t = {.run = replaces_handle, .at = p.at};

    ASSERT_OK(zx_event_create(0, &t.vmo));
    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(basic_info(*(zx_handle_t *)(p.at + 64)).type, ZX_OBJ_TYPE_EVENT);
    CLOSE(*(zx_handle_t *)(p.at + 64));
    paged_close(&p);
}

static zx_status_t creates_event(struct task *task)
{
    return zx_event_create(0, (zx_handle_t *)(task->at + 64));
}

static uint32_t events_here(void)
{
    zx_info_process_handle_stats_t stats;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &stats,
                                 sizeof(stats), NULL, NULL));
    return stats.handle_count[ZX_OBJ_TYPE_EVENT];
}

/* Whether it comes or not, no second event is left over. */
TEST(Pager, HandleReturned)
{
    struct paged p = paged_new(1), q = paged_new(1);
    struct task t = {.run = creates_event, .at = p.at}, u = {.run = creates_event, .at = q.at};
    uint32_t events = events_here();

    EXPECT_STATUS(run_and_supply(&p, &t), ZX_OK);
    EXPECT_EQ(events_here(), events + 1);
    CLOSE(*(zx_handle_t *)(p.at + 64));
    task_start(&u);
    EXPECT_TRUE(paged_request(&q, 0, 1));
    EXPECT_OK(paged_fail(&q, 0, 1, ZX_ERR_IO));
    EXPECT_STATUS(task_end(&u), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(events_here(), events);
    paged_close(&q);
    paged_close(&p);
}

static zx_status_t closes_handles(struct task *task)
{
    return zx_handle_close_many((const zx_handle_t *)task->at, 80);
}

/* The array lies across a page that is there and one that is not: nothing is closed twice. */
TEST(Pager, HandleCloseMany)
{
    struct paged p = paged_new(2);
    struct task t = {.run = closes_handles, .at = p.at + PAGE - 70 * sizeof(zx_handle_t)};
    uint32_t events = events_here();
    zx_handle_t handles[80], aux = new_vmo(2);

    for (int i = 0; i < 80; i++)
        ASSERT_OK(zx_event_create(0, &handles[i]));
    ASSERT_OK(zx_vmo_write(aux, handles, PAGE - 70 * sizeof(zx_handle_t), sizeof(handles)));
    EXPECT_OK(zx_pager_supply_pages(p.pager, p.vmo, 0, PAGE, aux, 0));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_EQ(events_here(), events + 80);
    EXPECT_OK(zx_pager_supply_pages(p.pager, p.vmo, PAGE, PAGE, aux, PAGE));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(events_here(), events);
    CLOSE(aux);
    paged_close(&p);
}

static zx_status_t reads_vmo_to_memory(struct task *task)
{
    return zx_vmo_read(task->vmo, (void *)task->at, 0, 2 * PAGE);
}

/* From one pager's VMO into the memory of another. */
TEST(Pager, FromPagerToPager)
{
    struct paged p = paged_new(2), q = paged_new(2);
    struct task t = {.run = reads_vmo_to_memory, .vmo = p.vmo, .at = q.at};

    task_start(&t);
    for (uint64_t i = 0; i < 2; i++) {
        EXPECT_TRUE(paged_request(&p, i, 1));
        EXPECT_OK(paged_supply(&p, i, 1));
        EXPECT_TRUE(paged_request(&q, i, 1));
        EXPECT_OK(paged_supply(&q, i, 1));
    }
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(*word_of(q.at, 1), PAGED_WORD(1));
    paged_close(&q);
    paged_close(&p);
}
