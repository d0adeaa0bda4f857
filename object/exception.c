/*
 * exception.c - exceptions and exception channels.
 */
#include "exception.h"

#include <zircon/errors.h>
#include <zircon/log.h>

#include "channel.h"
#include "executor.h"
#include "format.h"
#include "heap.h"
#include "job.h"
#include "kcounter.h"
#include "string.h"
#include "thread.h"

KCOUNTER(exceptions_raised, "exception.raised");
KCOUNTER(exceptions_unhandled, "exception.unhandled");

/* ---- Channels ------------------------------------------------------------------------------ */

zx_status_t exception_channel_bind(struct exception_channel *binding, zx_rights_t thread_rights,
                                   zx_rights_t process_rights, struct channel **out)
{
    struct channel *ours;
    zx_status_t status;

    if (exception_channel_is_live(binding))
        return ZX_ERR_ALREADY_BOUND;
    status = channel_create(&ours, out);
    if (status != ZX_OK)
        return status;
    exception_channel_close(binding);
    binding->channel = ours;
    binding->thread_rights = thread_rights;
    binding->process_rights = process_rights;
    return ZX_OK;
}

bool exception_channel_is_live(const struct exception_channel *binding)
{
    return binding->channel && binding->channel->peer;
}

void exception_channel_close(struct exception_channel *binding)
{
    struct channel *channel = binding->channel;

    if (!channel)
        return;
    binding->channel = NULL;
    channel_close(channel);
    object_release(&channel->object);
}

/* ---- Sending ------------------------------------------------------------------------------- */

/* Gives the exception to the reader of a channel. False: nobody reads it, or memory is out. */
static bool send(struct exception *exception, const struct exception_channel *binding)
{
    const struct thread *thread = exception->thread;
    zx_exception_info_t info = {
        .pid = thread->process->object.koid,
        .tid = thread->object.koid,
        .type = exception->cause.type,
    };
    struct channel_message *message;

    if (!exception_channel_is_live(binding))
        return false;
    message = channel_message_alloc(sizeof info, 1);
    if (!message)
        return false;
    memcpy(channel_message_bytes(message), &info, sizeof info);
    exception->handled = false;
    exception->thread_rights = binding->thread_rights;
    exception->process_rights = binding->process_rights;
    object_handle_added(&exception->object);
    message->handles[0] = (struct handle_ref){&exception->object, ZX_DEFAULT_EXCEPTION_RIGHTS};
    if (channel_write(binding->channel, message) == ZX_OK)
        return true;
    channel_message_free(message);
    return false;
}

/* Moves on to whom the rules name after the present holder (section 6). NULL: there is none. */
static const struct exception_channel *next_channel(struct exception *exception)
{
    struct thread *thread = exception->thread;

    switch (exception->channel_type) {
    case ZX_EXCEPTION_CHANNEL_TYPE_NONE:
        exception->channel_type = ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER;
        return &thread->process->debugger_channel;
    case ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER:
        exception->channel_type = ZX_EXCEPTION_CHANNEL_TYPE_THREAD;
        return &thread->exception_channel;
    case ZX_EXCEPTION_CHANNEL_TYPE_THREAD:
        exception->channel_type = ZX_EXCEPTION_CHANNEL_TYPE_PROCESS;
        return &thread->process->exception_channel;
    case ZX_EXCEPTION_CHANNEL_TYPE_PROCESS:
        exception->channel_type = ZX_EXCEPTION_CHANNEL_TYPE_JOB;
        exception->job = thread->process->job;
        break;
    default:
        exception->job = exception->job->parent;
        break;
    }
    return exception->job ? &exception->job->exception_channel : NULL;
}

/* Offers the exception to the next one who listens. */
static bool offer(struct exception *exception)
{
    const struct exception_channel *binding;

    while ((binding = next_channel(exception))) {
        if (send(exception, binding))
            return true;
    }
    return false;
}

/* ---- Stopping ------------------------------------------------------------------------------ */

static const char *type_name(uint32_t type)
{
    switch (type) {
    case ZX_EXCP_HW_BREAKPOINT:
        return "hardware breakpoint";
    case ZX_EXCP_SW_BREAKPOINT:
        return "breakpoint";
    case ZX_EXCP_UNDEFINED_INSTRUCTION:
        return "undefined instruction";
    case ZX_EXCP_FATAL_PAGE_FAULT:
        return "page fault";
    case ZX_EXCP_UNALIGNED_ACCESS:
        return "unaligned access";
    case ZX_EXCP_POLICY_ERROR:
        return "policy error";
    case ZX_EXCP_THREAD_STARTING:
        return "thread starting";
    case ZX_EXCP_THREAD_EXITING:
        return "thread exiting";
    case ZX_EXCP_PROCESS_STARTING:
        return "process starting";
    default:
        return "general exception";
    }
}

static void describe_cause(const struct exception_cause *cause, char *text, size_t size)
{
    const zx_x86_64_exc_data_t *arch = &cause->arch;

    if (cause->type == ZX_EXCP_FATAL_PAGE_FAULT)
        format(text, size, " at 0x%lx (%s, %s)", arch->cr2,
               arch->err_code & 16  ? "execute"
               : arch->err_code & 2 ? "write"
                                    : "read",
               cause->why);
    else if (ZX_EXCP_IS_ARCH(cause->type))
        format(text, size, ", vector %lu, error code 0x%lx", arch->vector, arch->err_code);
    else
        format(text, size, ": %s", cause->why);
}

static void log_registers(const struct hal_regs *r)
{
    klog(ZX_LOG_ERROR, "  rip %016lx rsp %016lx rbp %016lx rfl %08lx", r->rip, r->rsp, r->rbp,
         r->rflags);
    klog(ZX_LOG_ERROR, "  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx,
         r->rdx);
    klog(ZX_LOG_ERROR, "  rsi %016lx rdi %016lx  r8 %016lx  r9 %016lx", r->rsi, r->rdi, r->r8,
         r->r9);
    klog(ZX_LOG_ERROR, "  r10 %016lx r11 %016lx r12 %016lx r13 %016lx", r->r10, r->r11, r->r12,
         r->r13);
    klog(ZX_LOG_ERROR, "  r14 %016lx r15 %016lx  fs %016lx  gs %016lx", r->r14, r->r15, r->fs_base,
         r->gs_base);
}

/* The end of the line: say what happened and end the process. */
static void unhandled(struct thread *thread, const struct exception_cause *cause)
{
    struct process *process = thread->process;
    char detail[96];

    describe_cause(cause, detail, sizeof detail);
    klog(ZX_LOG_ERROR, "process '%s' (%lu) thread '%s' (%lu): %s%s; process killed", process->name,
         process->object.koid, thread->name, thread->object.koid, type_name(cause->type), detail);
    log_registers(&thread->context.regs);
    process_kill(process, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

static void stop(struct thread *thread, struct exception *exception)
{
    thread->exception = exception;
    wait_begin(thread, &wait_kind_exception, ZX_TIME_INFINITE);
    if (exception->object.handles == 0) /* it was closed as soon as it was sent */
        wait_end(thread, ZX_ERR_NEXT);
}

/* The one who had it has answered, or the thread was killed. */
static int64_t exception_finish(struct thread *thread, zx_status_t status)
{
    struct exception *exception = thread->exception;

    if (status == ZX_ERR_NEXT && !exception->single) {
        if (offer(exception)) {
            stop(thread, exception);
            return status;
        }
        unhandled(thread, &exception->cause);
    }
    thread->exception = NULL;
    object_release(&exception->object);
    return status;
}

static void exception_describe(const struct thread *thread, char *text, size_t size)
{
    format(text, size, "%s", type_name(thread->exception->cause.type));
}

const struct wait_kind wait_kind_exception = {
    .name = "exception",
    .info_state = ZX_THREAD_STATE_BLOCKED_EXCEPTION,
    .finish = exception_finish,
    .describe = exception_describe,
    .not_interruptible = true,
    .restarts = true,
};

/* ---- Raising ------------------------------------------------------------------------------- */

static struct exception *create(struct thread *thread, const struct exception_cause *cause)
{
    struct exception *exception = heap_zalloc(sizeof *exception);

    if (!exception)
        return NULL;
    object_init(&exception->object, &exception_ops, 0);
    object_ref(&thread->object);
    exception->thread = thread;
    exception->cause = *cause;
    return exception;
}

void exception_raise(struct thread *thread, const struct exception_cause *cause)
{
    struct exception *exception = create(thread, cause);

    kcounter_add(&exceptions_raised, 1);
    if (exception && offer(exception)) {
        stop(thread, exception);
        return;
    }
    if (exception)
        object_release(&exception->object);
    kcounter_add(&exceptions_unhandled, 1);
    unhandled(thread, cause);
}

/* The debugger of the nearest job that has one. */
static const struct exception_channel *job_debugger(const struct job *job)
{
    while (job && !exception_channel_is_live(&job->debugger_channel))
        job = job->parent;
    return job ? &job->debugger_channel : NULL;
}

void exception_announce(struct thread *thread, uint32_t type)
{
    bool to_job = type == ZX_EXCP_PROCESS_STARTING;
    const struct exception_channel *binding =
        to_job ? job_debugger(thread->process->job) : &thread->process->debugger_channel;
    struct exception_cause cause = {.type = type};
    struct exception *exception;

    if (!binding || !exception_channel_is_live(binding))
        return;
    exception = create(thread, &cause);
    if (!exception)
        return;
    exception->single = true;
    exception->channel_type =
        to_job ? ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER : ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER;
    if (send(exception, binding))
        stop(thread, exception);
    else
        object_release(&exception->object);
}

/* ---- Information --------------------------------------------------------------------------- */

static bool is_in_exception(const struct thread *thread)
{
    return thread->wait.kind == &wait_kind_exception && !thread->wait.ended;
}

zx_status_t exception_report(const struct thread *thread, zx_exception_report_t *out)
{
    const struct exception *exception = thread->exception;

    if (!is_in_exception(thread))
        return ZX_ERR_BAD_STATE;
    memset(out, 0, sizeof *out);
    out->header.size = sizeof *out;
    out->header.type = exception->cause.type;
    out->context.arch.u.x86_64 = exception->cause.arch;
    return ZX_OK;
}

uint32_t exception_channel_type(const struct thread *thread)
{
    return is_in_exception(thread) ? thread->exception->channel_type
                                   : ZX_EXCEPTION_CHANNEL_TYPE_NONE;
}

/* ---- Object -------------------------------------------------------------------------------- */

/* The holder has answered. */
static void exception_on_zero_handles(struct object *object)
{
    struct exception *exception = container_of(object, struct exception, object);
    struct thread *thread = exception->thread;

    if (thread->exception == exception && is_in_exception(thread))
        wait_end(thread, exception->handled ? ZX_OK : ZX_ERR_NEXT);
}

static void exception_destroy(struct object *object)
{
    struct exception *exception = container_of(object, struct exception, object);

    object_release(&exception->thread->object);
    heap_free(exception);
}

static zx_status_t exception_get_property(struct object *object, uint32_t property, uint64_t *value)
{
    if (property != ZX_PROP_EXCEPTION_STATE)
        return ZX_ERR_WRONG_TYPE;
    *value = container_of(object, struct exception, object)->handled ? ZX_EXCEPTION_STATE_HANDLED
                                                                     : ZX_EXCEPTION_STATE_TRY_NEXT;
    return ZX_OK;
}

static zx_status_t exception_set_property(struct object *object, uint32_t property, uint64_t value)
{
    if (property != ZX_PROP_EXCEPTION_STATE)
        return ZX_ERR_WRONG_TYPE;
    if (value != ZX_EXCEPTION_STATE_HANDLED && value != ZX_EXCEPTION_STATE_TRY_NEXT)
        return ZX_ERR_INVALID_ARGS;
    container_of(object, struct exception, object)->handled = value == ZX_EXCEPTION_STATE_HANDLED;
    return ZX_OK;
}

const struct object_ops exception_ops = {
    .type = ZX_OBJ_TYPE_EXCEPTION,
    .name = "exception",
    .default_rights = ZX_DEFAULT_EXCEPTION_RIGHTS,
    .not_waitable = true,
    .on_zero_handles = exception_on_zero_handles,
    .destroy = exception_destroy,
    .get_property = exception_get_property,
    .set_property = exception_set_property,
};
