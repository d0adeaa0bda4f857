/*
 * check.c - the fuzzer's invariants.
 *
 * One walk from the root job, the root resource, the handle tables and the messages collects every
 * object that can be reached, how many handles to it there are and how many references are known
 * of. Then each object and each thread is looked at alone.
 */
#include "check.h"

#include <string.h>

#include <zircon/errors.h>
#include <zircon/ipc.h>

#include "aspace.h"
#include "bti.h"
#include "channel.h"
#include "event.h"
#include "exception.h"
#include "fifo.h"
#include "futex.h"
#include "interrupt.h"
#include "job.h"
#include "port.h"
#include "resource.h"
#include "socket.h"
#include "vmar.h"
#include "vmo.h"
#include "world.h"

/* ---- What was found ------------------------------------------------------------------------ */

struct found {
    const void *key; /* an object or a handle's slot */
    unsigned round;
    bool met;           /* an object that is in `objects` */
    unsigned handles;   /* an object's; of a slot: its registrations */
    unsigned observers; /* registered with the object */
    unsigned refs;      /* references that the walk has met, handles and observers apart */
};

#define TABLE 16384u

static struct found table[TABLE];
static struct object *objects[TABLE / 2];
static unsigned num_objects, round_number, num_aspaces;

static struct found *find(const void *key)
{
    size_t at = ((uintptr_t)key >> 4) * 0x9e3779b9u % TABLE;

    while (table[at].round == round_number && table[at].key != key)
        at = (at + 1) % TABLE;
    if (table[at].round != round_number)
        table[at] = (struct found){.key = key, .round = round_number};
    return &table[at];
}

static void meet(struct object *object)
{
    struct found *found = find(object);

    if (found->met)
        return;
    found->met = true;
    fuzz_check(num_objects < TABLE / 2);
    objects[num_objects++] = object;
}

static void meet_ref(struct object *object)
{
    meet(object);
    find(object)->refs++;
}

static void meet_handle(const struct handle_ref *ref)
{
    if (!ref->object)
        return;
    meet(ref->object);
    find(ref->object)->handles++;
}

/* ---- The walk ------------------------------------------------------------------------------ */

static void walk_message(const struct channel_message *message)
{
    for (uint32_t i = 0; i < message->num_handles; i++)
        meet_handle(&message->handles[i]);
}

static void walk_binding(const struct exception_channel *binding)
{
    if (binding->channel)
        meet_ref(&binding->channel->object);
}

static bool walk_slot(zx_handle_t value, struct handle *handle, void *arg)
{
    struct handle_ref ref = {handle->object, handle->rights};

    (void)value;
    (void)arg;
    meet_handle(&ref);
    return true;
}

static void walk_process(struct process *process)
{
    struct thread *thread;

    num_aspaces += process->aspace != NULL;
    walk_binding(&process->exception_channel);
    walk_binding(&process->debugger_channel);
    meet_ref(&process->job->object);
    TAILQ_FOREACH(thread, &process->threads, process_link)
        meet_ref(&thread->object);
    handle_table_visit(&process->handles, walk_slot, NULL);
}

static void walk_job(struct job *job)
{
    struct process *process;
    struct job *child;

    walk_binding(&job->exception_channel);
    walk_binding(&job->debugger_channel);
    if (job->parent)
        meet_ref(&job->parent->object);
    TAILQ_FOREACH(process, &job->processes, job_link)
        meet(&process->object);
    TAILQ_FOREACH(child, &job->jobs, sibling_link)
        meet(&child->object);
}

static void walk_thread(struct thread *thread)
{
    meet_ref(&thread->process->object);
    walk_binding(&thread->exception_channel);
    if (thread->exception)
        meet_ref(&thread->exception->object);
    if (thread->wait.call.state == CALL_WAITING || thread->wait.call.state == CALL_INTERRUPTED)
        meet_ref(&thread->wait.call.channel->object);
    if (thread->wait.call.state == CALL_ENDED && thread->wait.call.result == ZX_OK)
        walk_message(thread->wait.call.reply);
}

static void walk_channel(struct channel *channel)
{
    struct channel_message *message;

    STAILQ_FOREACH(message, &channel->messages, link)
        walk_message(message);
    if (channel->peer)
        meet(&channel->peer->object);
}

static void walk_observers(struct object *object)
{
    struct observer *observer;

    TAILQ_FOREACH(observer, &object->observers, link) {
        find(object)->observers++;
        if (observer->handle)
            find(observer->handle)->handles++;
        fuzz_check(observer->fire && observer->object == object);
        /* A wait on what is true already would be a lost wake-up. */
        fuzz_check(!(object->signals & observer->trigger));
        fuzz_check(!observer->handle || observer->handle->object == object);
    }
}

static void walk_object(struct object *object)
{
    if (object->ops == &job_ops)
        walk_job(container_of(object, struct job, object));
    else if (object->ops == &process_ops)
        walk_process(container_of(object, struct process, object));
    else if (object->ops == &thread_ops)
        walk_thread(container_of(object, struct thread, object));
    else if (object->ops == &channel_ops)
        walk_channel(container_of(object, struct channel, object));
    else if (object->ops == &exception_ops)
        meet_ref(&container_of(object, struct exception, object)->thread->object);
    walk_observers(object);
}

static void walk_all(void)
{
    round_number++;
    num_objects = num_aspaces = 0;
    meet_ref(&world.kernel.root_job->object);
    meet_ref(&world.kernel.root_resource->object);
    meet_ref(&world.vdso->object);
    for (int i = 0; i < WORLD_PROCESSES; i++)
        meet_ref(&world.process[i]->object);
    for (int i = 0; i < 4; i++)
        if (world.kernel.system_events[i])
            meet_ref(&world.kernel.system_events[i]->object);
    for (unsigned i = 0; i < num_objects; i++)
        walk_object(objects[i]);
}

/* ---- Threads ------------------------------------------------------------------------------- */

static bool is(const struct wait *wait, const char *kind)
{
    return strcmp(wait->kind->name, kind) == 0;
}

static void check_futex(struct thread *thread)
{
    struct futex *futex = thread->wait.u.futex.futex;
    struct thread *waiter;
    unsigned waiters = 0;
    bool listed = false;

    fuzz_check(futex_find(thread->process, futex->address) == futex);
    TAILQ_FOREACH(waiter, &futex->waiters, wait.u.futex.link) {
        waiters++;
        listed |= waiter == thread;
        fuzz_check(waiter->wait.u.futex.futex == futex && waiter->process == thread->process);
    }
    fuzz_check(listed && waiters == futex->num_waiters);
    fuzz_check(!futex->owner || futex->owner->process == thread->process);
}

static void check_port_wait(const struct thread *thread)
{
    struct port *port = thread->wait.u.port.port;
    struct thread *waiter;
    bool listed = false;

    fuzz_check(TAILQ_EMPTY(&port->packets) && TAILQ_EMPTY(&port->interrupts));
    TAILQ_FOREACH(waiter, &port->waiters, wait.u.port.link)
        listed |= waiter == thread;
    fuzz_check(listed);
}

static void check_call(const struct thread *thread)
{
    struct thread *caller;
    bool listed = false;

    fuzz_check(thread->wait.call.state == CALL_WAITING);
    fuzz_check(thread->wait.call.channel->peer);
    TAILQ_FOREACH(caller, &thread->wait.call.channel->calls, wait.call.link)
        listed |= caller == thread;
    fuzz_check(listed);
}

/* A blocked thread can be found by whoever is to wake it. */
static void check_blocked(struct thread *thread)
{
    const struct wait *wait = &thread->wait;

    fuzz_check(wait->kind && !wait->ended && !thread->queued);
    fuzz_check(!(thread->flags & THREAD_KILLED));
    fuzz_check(!thread->suspend_count || wait->kind->not_interruptible);
    fuzz_check(!wait->timer.armed || wait->timer.deadline > hal_now());
    if (is(wait, "object_wait_one"))
        fuzz_check(wait->u.one.observer.object);
    else if (is(wait, "object_wait_many"))
        for (uint32_t i = 0; i < wait->u.many.count; i++)
            fuzz_check(wait->u.many.items[i].observer.object);
    else if (is(wait, "port_wait"))
        check_port_wait(thread);
    else if (is(wait, "futex_wait"))
        check_futex(thread);
    else if (is(wait, "channel_call"))
        check_call(thread);
    else if (is(wait, "interrupt_wait"))
        fuzz_check(wait->u.interrupt.interrupt->waiter == thread);
    else if (is(wait, "page request"))
        fuzz_check(wait->page.source);
    else if (is(wait, "suspended"))
        fuzz_check(thread->suspend_count);
    else if (is(wait, "exception"))
        fuzz_check(thread->exception && thread->exception->object.handles);
}

static void check_thread(struct thread *thread)
{
    zx_signals_t signals = thread->object.signals;

    switch (thread->state) {
    case THREAD_NEW:
        fuzz_check(!thread->wait.kind && !thread->queued);
        break;
    case THREAD_RUNNABLE:
        fuzz_check(thread->queued && (!thread->wait.kind || thread->wait.ended));
        break;
    case THREAD_BLOCKED:
        check_blocked(thread);
        break;
    case THREAD_DYING:
        fuzz_check(!"a dying thread between turns");
        break;
    case THREAD_DEAD:
        fuzz_check(!thread->queued && !thread->wait.kind && !thread->owned_futexes);
        break;
    }
    fuzz_check(!(signals & ZX_THREAD_TERMINATED) == (thread->state != THREAD_DEAD));
    fuzz_check(!(signals & ZX_THREAD_RUNNING) || !(signals & ZX_THREAD_SUSPENDED));
    fuzz_check(!(thread->flags & THREAD_SUSPEND) == !thread->suspend_count);
}

/* ---- Other objects -------------------------------------------------------------------------- */

#define check_signal(object_, signal, condition)                                                   \
    fuzz_check(!((object_)->object.signals & (signal)) == !(condition))

static void check_channel(const struct channel *channel)
{
    const struct channel_message *message;
    unsigned messages = 0;

    STAILQ_FOREACH(message, &channel->messages, link) {
        messages++;
        for (uint32_t i = 0; i < message->num_handles; i++) {
            struct object *object = message->handles[i].object;

            if (object && object->ops == &channel_ops)
                fuzz_check(container_of(object, struct channel, object)->holder == channel);
        }
    }
    fuzz_check(messages == channel->num_messages);
    fuzz_check(!channel->peer || channel->peer->peer == channel);
    check_signal(channel, ZX_CHANNEL_READABLE, messages);
    check_signal(channel, ZX_CHANNEL_WRITABLE, channel->peer);
    check_signal(channel, ZX_CHANNEL_PEER_CLOSED, !channel->peer);
}

static void check_socket(const struct socket *socket)
{
    fuzz_check(!socket->peer || socket->peer->peer == socket);
    fuzz_check(socket->size <= ZX_SOCKET_BUFFER_MAX);
    check_signal(socket, ZX_SOCKET_READABLE, socket->size);
    check_signal(socket, ZX_SOCKET_PEER_CLOSED, !socket->peer);
}

static void check_fifo(const struct fifo *fifo)
{
    fuzz_check(!fifo->peer || fifo->peer->peer == fifo);
    fuzz_check(fifo->head - fifo->tail <= fifo->elem_count);
    check_signal(fifo, ZX_FIFO_READABLE, fifo->head != fifo->tail);
    check_signal(fifo, ZX_FIFO_PEER_CLOSED, !fifo->peer);
}

static void check_port(const struct port *port)
{
    const struct port_packet *packet;
    unsigned user = 0;

    TAILQ_FOREACH(packet, &port->packets, link) {
        fuzz_check(packet->port == port);
        user += packet->data.type == ZX_PKT_TYPE_USER;
    }
    fuzz_check(user == port->num_user && user <= ZX_PORT_PACKET_LIMIT);
}

/* No more pages are mapped than there is room for in the mappings. */
static void check_mappings(struct process *process)
{
    size_t pages = 0;

    for (struct region *region = vmar_region_from(process->aspace->root, 0); region;
         region = vmar_region_next(region))
        pages += region->size / HAL_PAGE_SIZE;
    fuzz_check(fake_mapped_pages(process->aspace->table) <= pages);
}

static void check_process(struct process *process)
{
    check_signal(process, ZX_PROCESS_TERMINATED, process->state == PROCESS_DEAD);
    fuzz_check(!process->aspace == (process->state == PROCESS_DEAD));
    fuzz_check(process->state != PROCESS_RUNNING || !TAILQ_EMPTY(&process->threads));
    fuzz_check(process->state != PROCESS_DEAD || process->handles.count == 0);
    if (process->aspace)
        check_mappings(process);
}

static void check_job(const struct job *job)
{
    check_signal(job, ZX_JOB_NO_JOBS, TAILQ_EMPTY(&job->jobs));
    check_signal(job, ZX_JOB_NO_PROCESSES, TAILQ_EMPTY(&job->processes));
    check_signal(job, ZX_JOB_TERMINATED, job->state == JOB_DEAD);
    fuzz_check(job->state != JOB_KILLING || !TAILQ_EMPTY(&job->jobs) ||
               !TAILQ_EMPTY(&job->processes));
}

/* Nobody but handles, observers and what the walk has met refers to objects of these types. */
static bool refs_are_known(const struct object *object)
{
    static const struct object_ops *const known[] = {&event_ops, &fifo_ops, &socket_ops,
                                                     &channel_ops};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (object->ops == known[i])
            return true;
    return false;
}

static void check_object(struct object *object)
{
    const struct found *found = find(object);
    unsigned refs = found->handles + found->observers + found->refs;

    fuzz_check(object->handles == found->handles);
    fuzz_check(object->refs >= refs && object->refs > 0);
    fuzz_check(!refs_are_known(object) || object->refs == refs);
    fuzz_check(!object->reap);
    if (object->ops == &job_ops)
        check_job(container_of(object, struct job, object));
    else if (object->ops == &process_ops)
        check_process(container_of(object, struct process, object));
    else if (object->ops == &thread_ops)
        check_thread(container_of(object, struct thread, object));
    else if (object->ops == &channel_ops)
        check_channel(container_of(object, struct channel, object));
    else if (object->ops == &socket_ops)
        check_socket(container_of(object, struct socket, object));
    else if (object->ops == &fifo_ops)
        check_fifo(container_of(object, struct fifo, object));
    else if (object->ops == &port_ops)
        check_port(container_of(object, struct port, object));
}

static bool check_slot(zx_handle_t value, struct handle *handle, void *arg)
{
    (void)value;
    (void)arg;
    fuzz_check(handle->observers == find(handle)->handles);
    return true;
}

static void check_handles(struct process *process, void *arg)
{
    handle_table_visit(&process->handles, check_slot, arg);
}

void check_world(void)
{
    walk_all();
    for (unsigned i = 0; i < num_objects; i++)
        check_object(objects[i]);
    world_visit_processes(check_handles, NULL);
    fuzz_check(fake_page_tables() == num_aspaces);
    fuzz_check(!world.cpu.current && !world.cpu.reaping && STAILQ_EMPTY(&world.cpu.reap));
}
