/*
 * Processes: creating, starting, exiting, killing, their memory and their information.
 */
#include "child.h"

static zx_info_process_t process_info(zx_handle_t process)
{
    zx_info_process_t info;

    ASSERT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(Process, Create)
{
    zx_handle_t process, vmar;
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_process_create(zx_job_default(), "a name", 6, 0, &process, &vmar));
    EXPECT_EQ(basic_info(process).type, ZX_OBJ_TYPE_PROCESS);
    EXPECT_EQ(basic_info(process).rights, ZX_DEFAULT_PROCESS_RIGHTS);
    EXPECT_EQ(basic_info(process).related_koid, basic_info(zx_job_default()).koid);
    EXPECT_EQ(basic_info(vmar).rights,
              ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE);
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "a name"), 0);
    EXPECT_EQ(process_info(process).started, false);
    EXPECT_EQ(process_info(process).exited, false);
    EXPECT_EQ(signals_of(process), 0);
    CLOSE(vmar);
    CLOSE(process);
}

TEST(Process, CreateBadArguments)
{
    zx_handle_t process, vmar, weak;

    EXPECT_STATUS(zx_process_create(zx_job_default(), "p", 1, 1, &process, &vmar),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_create(zx_job_default(), NULL, 1, 0, &process, &vmar),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_create(zx_job_default(), UNMAPPED, 4, 0, &process, &vmar),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_create(closed_handle(), "p", 1, 0, &process, &vmar),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_create(zx_process_self(), "p", 1, 0, &process, &vmar),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_process_create(zx_job_default(), "p", 1, 0, UNMAPPED, &vmar),
                  ZX_ERR_INVALID_ARGS);
    weak = without_rights(zx_job_default(), ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_process_create(weak, "p", 1, 0, &process, &vmar), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
}

TEST(Process, LongNameIsTruncated)
{
    zx_handle_t process, vmar;
    char long_name[64], name[ZX_MAX_NAME_LEN];

    memset(long_name, 'n', sizeof(long_name));
    ASSERT_OK(
        zx_process_create(zx_job_default(), long_name, sizeof(long_name), 0, &process, &vmar));
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strlen(name), ZX_MAX_NAME_LEN - 1);
    CLOSE(vmar);
    CLOSE(process);
}

TEST(Process, RunsAndExits)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 42);

    EXPECT_EQ(child_wait(&child), 42);
    EXPECT_EQ(process_info(child.process).started, true);
    EXPECT_EQ(process_info(child.process).exited, true);
    EXPECT_EQ(signals_of(child.process), ZX_PROCESS_TERMINATED);
    EXPECT_EQ(signals_of(child.thread), ZX_THREAD_TERMINATED);
    /* Its end of the channel is closed with it. */
    EXPECT_EQ(signals_of(child.channel) & ZX_CHANNEL_PEER_CLOSED, ZX_CHANNEL_PEER_CLOSED);
    child_close(&child);
}

TEST(Process, ReturnCodeHas64Bits)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 0x8123456789abcdef);

    EXPECT_EQ(child_wait(&child), (int64_t)0x8123456789abcdef);
    child_close(&child);
}

static CHILD void echoes(zx_handle_t channel, const struct child_calls *calls)
{
    char buffer[64];
    uint32_t size, handles;

    while (calls->object_wait_one(channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                  ZX_TIME_INFINITE, NULL) == ZX_OK &&
           calls->channel_read(channel, 0, buffer, NULL, sizeof(buffer), 0, &size, &handles) ==
               ZX_OK)
        calls->channel_write(channel, 0, buffer, size, NULL, 0);
    calls->process_exit(0);
}

TEST(Process, TalksThroughItsChannel)
{
    struct child child = child_start(ZX_HANDLE_INVALID, echoes, 0);
    char buffer[64];
    uint32_t size;

    for (int i = 0; i < 10; i++) {
        ASSERT_OK(zx_channel_write(child.channel, 0, "ping", 5, NULL, 0));
        ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE, soon(), NULL));
        ASSERT_OK(zx_channel_read(child.channel, 0, buffer, NULL, sizeof(buffer), 0, &size, NULL));
        EXPECT_EQ(size, 5);
        EXPECT_EQ(strcmp(buffer, "ping"), 0);
    }
    child_close(&child);
}

TEST(Process, Kill)
{
    struct child sleeper = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);
    struct child spinner = child_start(ZX_HANDLE_INVALID, child_spins, 0);

    zx_nanosleep(zx_deadline_after(MS(5)));
    EXPECT_OK(zx_task_kill(sleeper.process));
    EXPECT_OK(zx_task_kill(spinner.process));
    EXPECT_EQ(child_wait(&sleeper), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(child_wait(&spinner), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_task_kill(sleeper.process)); /* the dead do not mind */
    child_close(&sleeper);
    child_close(&spinner);
}

TEST(Process, KillBadArguments)
{
    zx_handle_t weak;
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);

    EXPECT_STATUS(zx_task_kill(closed_handle()), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_task_kill(child.thread), ZX_ERR_WRONG_TYPE);
    weak = without_rights(child.process, ZX_RIGHT_DESTROY);
    EXPECT_STATUS(zx_task_kill(weak), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    child_close(&child);
}

TEST(Process, KillUnstarted)
{
    zx_handle_t process, vmar;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_OK(zx_task_kill(process));
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, soon(), NULL));
    EXPECT_EQ(process_info(process).return_code, ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(vmar);
    CLOSE(process);
}

TEST(Process, HandlesAreClosedAtItsDeath)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t a, b;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    ASSERT_OK(zx_channel_write(child.channel, 0, NULL, 0, &b, 1));
    EXPECT_EQ(signals_of(a), ZX_CHANNEL_WRITABLE);
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_OK(zx_object_wait_one(a, ZX_CHANNEL_PEER_CLOSED, soon(), NULL));
    CLOSE(a);
    child_close(&child);
}

TEST(ProcessStart, ConsumesTheHandle)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_process_start(prepared.child.process, zx_thread_self(), prepared.entry,
                                   prepared.stack_pointer, event, 0),
                  ZX_ERR_ACCESS_DENIED); /* a thread of another process */
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    child_run(&prepared);
    EXPECT_EQ(child_wait(&prepared.child), 0);
    EXPECT_STATUS(zx_handle_close(prepared.its_channel), ZX_ERR_BAD_HANDLE);
    child_close(&prepared.child);
}

TEST(ProcessStart, Twice)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t thread;

    ASSERT_OK(zx_thread_create(prepared.child.process, "t", 1, 0, &thread));
    child_run(&prepared);
    EXPECT_STATUS(zx_process_start(prepared.child.process, thread, prepared.entry,
                                   prepared.stack_pointer, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_BAD_STATE);
    CLOSE(thread);
    child_close(&prepared.child);
}

TEST(ProcessStart, InvalidHandleBecomesZero)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 8);

    CLOSE(prepared.its_channel);
    EXPECT_OK(zx_process_start(prepared.child.process, prepared.child.thread, prepared.entry,
                               prepared.stack_pointer, prepared.its_channel, prepared.calls));
    EXPECT_EQ(child_wait(&prepared.child), 8);
    child_close(&prepared.child);
}

TEST(ProcessStart, Rights)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t weak = without_rights(prepared.child.process, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zx_process_start(weak, prepared.child.thread, prepared.entry,
                                   prepared.stack_pointer, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(prepared.child.thread, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_process_start(prepared.child.process, weak, prepared.entry,
                                   prepared.stack_pointer, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(prepared.its_channel);
    child_close(&prepared.child);
}

static CHILD void exits_its_thread(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    calls->thread_exit();
}

/* The last thread leaves: return code 0. */
TEST(ProcessStart, ThreadExitEndsTheProcess)
{
    struct child child = child_start(ZX_HANDLE_INVALID, exits_its_thread, 0);

    EXPECT_EQ(child_wait(&child), 0);
    child_close(&child);
}

TEST(ProcessMemory, Read)
{
    static char text[] = "in our own memory";
    char buffer[sizeof(text)] = "";
    size_t actual = 0;

    EXPECT_OK(zx_process_read_memory(zx_process_self(), (uintptr_t)text, buffer, sizeof(buffer),
                                     &actual));
    EXPECT_EQ(actual, sizeof(text));
    EXPECT_EQ(strcmp(buffer, text), 0);
}

TEST(ProcessMemory, ReadOfAnother)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_sleeps, 0x1234567);
    struct child_calls calls;
    size_t actual = 0;

    child_run(&prepared);
    EXPECT_OK(zx_process_read_memory(prepared.child.process, prepared.calls, &calls, sizeof(calls),
                                     &actual));
    EXPECT_EQ(actual, sizeof(calls));
    EXPECT_EQ(calls.argument, 0x1234567);
    child_close(&prepared.child);
}

TEST(ProcessMemory, ReadBadArguments)
{
    char buffer[16];
    size_t actual;
    zx_handle_t weak;

    EXPECT_STATUS(zx_process_read_memory(zx_process_self(), (uintptr_t)buffer, NULL, 1, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(zx_process_self(), (uintptr_t)buffer, buffer, 0, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(zx_process_self(), (uintptr_t)buffer, buffer,
                                         64 * 1024 * 1024 + 1, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_process_read_memory(zx_process_self(), (uintptr_t)UNMAPPED, buffer, 1, &actual),
        ZX_ERR_NO_MEMORY);
    weak = without_rights(zx_process_self(), ZX_RIGHT_READ);
    EXPECT_STATUS(zx_process_read_memory(weak, (uintptr_t)buffer, buffer, 1, &actual),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
}

TEST(ProcessInfo, Self)
{
    zx_info_process_t info = process_info(zx_process_self());

    EXPECT_EQ(info.started, true);
    EXPECT_EQ(info.exited, false);
    EXPECT_EQ(info.debugger_attached, false);
}

TEST(ProcessInfo, TaskStats)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_info_task_stats_t stats = {0};

    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL,
                                 NULL));
    EXPECT_TRUE(stats.mem_mapped_bytes > 0);
    EXPECT_TRUE(stats.mem_private_bytes > 0);
    EXPECT_TRUE(stats.mem_private_bytes <= stats.mem_mapped_bytes);
    EXPECT_OK(
        zx_object_get_info(child.process, ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_TRUE(stats.mem_mapped_bytes > 0);
    ASSERT_OK(zx_task_kill(child.process));
    child_wait(&child);
    EXPECT_STATUS(
        zx_object_get_info(child.process, ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL),
        ZX_ERR_BAD_STATE);
    child_close(&child);
}

TEST(ProcessInfo, HandleStats)
{
    zx_info_process_handle_stats_t before, after;
    zx_handle_t event;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &before,
                                 sizeof(before), NULL, NULL));
    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &after,
                                 sizeof(after), NULL, NULL));
    EXPECT_EQ(after.handle_count[ZX_OBJ_TYPE_EVENT], before.handle_count[ZX_OBJ_TYPE_EVENT] + 1);
    EXPECT_TRUE(after.handle_count[ZX_OBJ_TYPE_PROCESS] >= 1);
    CLOSE(event);
}

/* ---- More of starting and ending ------------------------------------------------------------ */

TEST(ProcessStart, BadHandles)
{
    struct prepared_child p = child_prepare(ZX_HANDLE_INVALID, child_exits, 6);

    EXPECT_STATUS(zx_process_start(closed_handle(), p.child.thread, p.entry, 0, 0, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_start(p.child.thread, p.child.thread, p.entry, 0, 0, 0),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_process_start(p.child.process, closed_handle(), p.entry, 0, 0, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_start(p.child.process, p.child.process, p.entry, 0, 0, 0),
                  ZX_ERR_WRONG_TYPE);
    child_run(&p);
    EXPECT_EQ(child_wait(&p.child), 6);
    child_close(&p.child);
}

TEST(ProcessStart, BadEntry)
{
    struct prepared_child p = child_prepare(ZX_HANDLE_INVALID, child_exits, 6);
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(
        zx_process_start(p.child.process, p.child.thread, (uintptr_t)KERNEL_ADDRESS, 0, event, 0),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE); /* consumed all the same */
    EXPECT_EQ(process_info(p.child.process).started, false);
    child_run(&p);
    EXPECT_EQ(child_wait(&p.child), 6);
    child_close(&p.child);
}

TEST(ProcessStart, HandleNeedsTransfer)
{
    struct prepared_child p = child_prepare(ZX_HANDLE_INVALID, child_exits, 6);
    zx_handle_t event, stuck;

    ASSERT_OK(zx_event_create(0, &event));
    stuck = without_rights(event, ZX_RIGHT_TRANSFER);
    EXPECT_STATUS(
        zx_process_start(p.child.process, p.child.thread, p.entry, p.stack_pointer, stuck, p.calls),
        ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_handle_close(stuck), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(process_info(p.child.process).started, false);
    CLOSE(event);
    CLOSE(p.its_channel);
    child_close(&p.child);
}

TEST(ProcessStart, NotOnceKilled)
{
    struct prepared_child p = child_prepare(ZX_HANDLE_INVALID, child_exits, 6);

    EXPECT_OK(zx_task_kill(p.child.process));
    EXPECT_OK(zx_object_wait_one(p.child.process, ZX_PROCESS_TERMINATED, soon(), NULL));
    EXPECT_STATUS(zx_process_start(p.child.process, p.child.thread, p.entry, p.stack_pointer,
                                   p.its_channel, p.calls),
                  ZX_ERR_BAD_STATE);
    child_close(&p.child);
}

/* Only a handle holds it, and that is closed: it is as if it had never been. */
TEST(Process, NeverStartedDiesWithItsLastHandle)
{
    zx_handle_t process, vmar, again;
    zx_koid_t koid;
    zx_info_vmar_t info;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    koid = basic_info(process).koid;
    ASSERT_OK(zx_object_get_child(zx_job_default(), koid, ZX_RIGHT_SAME_RIGHTS, &again));
    CLOSE(again);
    CLOSE(process);
    EXPECT_STATUS(zx_object_get_child(zx_job_default(), koid, ZX_RIGHT_SAME_RIGHTS, &again),
                  ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_object_get_info(vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_STATUS(zx_vmar_unmap(vmar, info.base, 4096), ZX_ERR_BAD_STATE); /* no memory is left */
    CLOSE(vmar);
}

/* A running process does not need a handle. */
TEST(Process, RunsWithoutAHandle)
{
    struct child child = child_start(ZX_HANDLE_INVALID, echoes, 0);
    char buffer[4];

    CLOSE(child.process);
    CLOSE(child.thread);
    CLOSE(child.root_vmar);
    ASSERT_OK(zx_channel_write(child.channel, 0, "abc", 4, NULL, 0));
    ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(child.channel, 0, buffer, NULL, 4, 0, NULL, NULL));
    EXPECT_EQ(strcmp(buffer, "abc"), 0);
    CLOSE(child.channel); /* it ends by itself */
}

/* Who exits first decides; a kill that comes later changes nothing. */
TEST(Process, FirstReturnCodeWins)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 17);

    EXPECT_EQ(child_wait(&child), 17);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(process_info(child.process).return_code, 17);
    child_close(&child);
}

TEST(Process, EmptyName)
{
    zx_handle_t process, vmar;
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_process_create(zx_job_default(), "", 0, 0, &process, &vmar));
    memset(name, 0x55, sizeof(name));
    EXPECT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof(name)));
    for (size_t i = 0; i < sizeof(name); i++)
        EXPECT_EQ(name[i], 0);
    CLOSE(vmar);
    CLOSE(process);
}

/* Everything it waits for is let go of: nothing of it is left behind. */
TEST(Process, DeathUnmapsItsMemory)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t vmo;
    zx_vaddr_t address;
    zx_info_vmo_t info;

    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    ASSERT_OK(zx_vmar_map(child.root_vmar, ZX_VM_PERM_READ, 0, vmo, 0, 4096, &address));
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.num_mappings, 1);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.num_mappings, 0);
    EXPECT_STATUS(zx_vmar_map(child.root_vmar, ZX_VM_PERM_READ, 0, vmo, 0, 4096, &address),
                  ZX_ERR_BAD_STATE);
    CLOSE(vmo);
    child_close(&child);
}
