/*
 * Threads that do one thing with memory.
 */
#include "memory_task.h"

#include "memory.h"

#include <zircon/exception.h>
#include <zircon/thread-state.h>

zx_status_t reads_vmo(struct task *task)
{
    return zx_vmo_read(task->vmo, &task->word, task->first * PAGE, sizeof(task->word));
}

zx_status_t writes_vmo(struct task *task)
{
    return zx_vmo_write(task->vmo, &task->word, task->first * PAGE, sizeof(task->word));
}

zx_status_t commits(struct task *task)
{
    return commit(task->vmo, task->first, task->pages);
}

zx_status_t reads_memory(struct task *task)
{
    task->word = *word_of(task->at, task->first);
    return ZX_OK;
}

zx_status_t writes_memory(struct task *task)
{
    *word_of(task->at, task->first) = task->word;
    return ZX_OK;
}

zx_status_t calls_memory(struct task *task)
{
    ((void (*)(void))word_of(task->at, task->first))();
    return ZX_OK;
}

static void runs_task(uintptr_t argument, uintptr_t unused)
{
    struct task *task = (struct task *)argument;

    (void)unused;
    task->status = task->run(task);
    zx_thread_exit();
}

void task_start(struct task *task)
{
    task->status = ZX_ERR_NEXT; /* as long as it has not returned */
    task->thread = raw_make();
    ASSERT_OK(zx_task_create_exception_channel(task->thread.handle, 0, &task->exceptions));
    ASSERT_OK(raw_start(&task->thread, runs_task, (uintptr_t)task, 0));
}

bool task_blocks(struct task *task)
{
    return wait_until_blocked(task->thread.handle, ZX_THREAD_STATE_BLOCKED_PAGER);
}

zx_status_t task_end(struct task *task)
{
    zx_signals_t observed = 0;

    EXPECT_OK(zx_object_wait_one(task->exceptions, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                 soon(), &observed));
    EXPECT_EQ(observed & ZX_CHANNEL_READABLE, 0); /* it did not crash */
    raw_join(&task->thread);
    CLOSE(task->exceptions);
    return task->status;
}

uint32_t task_crash(struct task *task)
{
    uint32_t handled = ZX_EXCEPTION_STATE_HANDLED;
    zx_thread_state_general_regs_t regs;
    zx_exception_info_t info;
    zx_handle_t exception;

    ASSERT_OK(zx_object_wait_one(task->exceptions, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(task->exceptions, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
    ASSERT_OK(zx_thread_read_state(task->thread.handle, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                   sizeof(regs)));
    regs.rip = (uintptr_t)zx_thread_exit;
    ASSERT_OK(zx_thread_write_state(task->thread.handle, ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                    sizeof(regs)));
    ASSERT_OK(
        zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handled, sizeof(handled)));
    CLOSE(exception);
    raw_join(&task->thread);
    CLOSE(task->exceptions);
    return info.type;
}
