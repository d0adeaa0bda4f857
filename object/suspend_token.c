/*
 * suspend_token.c - suspend tokens.
 */
#include "suspend_token.h"

#include <zircon/errors.h>

#include "heap.h"
#include "process.h"
#include "thread.h"

static bool is_dying(const struct object *task)
{
    if (task->ops == &thread_ops)
        return thread_is_dying(container_of(task, struct thread, object));
    return container_of(task, struct process, object)->state >= PROCESS_DYING;
}

static void suspend(struct object *task)
{
    if (task->ops == &thread_ops)
        thread_suspend(container_of(task, struct thread, object));
    else
        process_suspend(container_of(task, struct process, object));
}

static void resume(struct suspend_token *token)
{
    struct object *task = token->task;

    if (!task)
        return;
    token->task = NULL;
    if (task->ops == &thread_ops)
        thread_resume(container_of(task, struct thread, object));
    else
        process_resume(container_of(task, struct process, object));
    object_release(task);
}

zx_status_t suspend_token_create(struct object *task, struct suspend_token **out)
{
    struct suspend_token *token;

    if (is_dying(task))
        return ZX_ERR_BAD_STATE;
    token = heap_alloc(sizeof *token);
    if (!token)
        return ZX_ERR_NO_MEMORY;
    object_init(&token->object, &suspend_token_ops, 0);
    object_ref(task);
    token->task = task;
    suspend(task);
    *out = token;
    return ZX_OK;
}

static void suspend_token_on_zero_handles(struct object *object)
{
    resume(container_of(object, struct suspend_token, object));
}

/* Resumes here as well: a token whose handle could not be made never had one. */
static void suspend_token_destroy(struct object *object)
{
    struct suspend_token *token = container_of(object, struct suspend_token, object);

    resume(token);
    heap_free(token);
}

const struct object_ops suspend_token_ops = {
    .type = ZX_OBJ_TYPE_SUSPEND_TOKEN,
    .name = "suspend token",
    .default_rights = ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS,
    .not_waitable = true,
    .on_zero_handles = suspend_token_on_zero_handles,
    .destroy = suspend_token_destroy,
};
