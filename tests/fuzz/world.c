/*
 * world.c - the kernel of one fuzzer input.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include <zircon/errors.h>

#include "aspace.h"
#include "channel.h"
#include "deadline.h"
#include "debuglog.h"
#include "dispatch.h"
#include "event.h"
#include "heap.h"
#include "job.h"
#include "ktrace.h"
#include "resource.h"
#include "vmar.h"
#include "vmo.h"

#define FRAMES           2048u
#define SYSCALL_POWERCTL 129u
#define FAR_FUTURE       (1ll << 45) /* ns, ten hours: time does not get near its end */
#define VDSO_PAGES       2u          /* data, code */

struct world world;

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "fuzz: %s:%d: broken: %s\n", file, line, what);
    abort();
}

#define must(call) fuzz_check((call) == ZX_OK)

/* ---- Beginning ----------------------------------------------------------------------------- */

static void give(struct process *process, struct object *object, zx_rights_t rights)
{
    zx_handle_t value;

    must(handle_create(process, object, rights, &value));
}

static void map_vdso(struct process *process)
{
    zx_vaddr_t va;

    vmar_map(process->aspace->root, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, world.vdso,
             HAL_PAGE_SIZE, HAL_PAGE_SIZE, &va);
}

static void map_user_memory(struct process *process, zx_vaddr_t *va)
{
    struct vmo *vmo;

    must(vmo_create(USER_BYTES, 0, &vmo));
    must(vmar_map(process->aspace->root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, USER_BYTES,
                  va));
    object_release(&vmo->object);
}

static struct thread *new_thread(struct process *process, bool first)
{
    struct handle_ref none = {NULL, 0};
    struct thread *thread;

    if (thread_create(process, "t", &thread) != ZX_OK)
        return NULL;
    if (first)
        must(process_start(process, thread, HAL_USER_BASE, 0, none, 0));
    else
        thread_start(thread, HAL_USER_BASE, 0, 0, 0);
    give(world.process[0], &thread->object, ZX_DEFAULT_THREAD_RIGHTS);
    object_release(&thread->object);
    return thread;
}

static void new_process(int i)
{
    const zx_rights_t all_vmar =
        ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE;
    struct process *process;

    must(process_create(world.kernel.root_job, "p", &process));
    world.process[i] = process;
    map_user_memory(process, &world.user[i]);
    map_vdso(process);
    fuzz_check(process->aspace->vdso_base);
    new_thread(process, true);
    new_thread(process, false);
    give(world.process[0], &process->object, ZX_DEFAULT_PROCESS_RIGHTS);
    give(world.process[0], &process->aspace->root->object, all_vmar);
    if (i)
        give(process, &process->aspace->root->object, all_vmar);
}

static void give_channel(void)
{
    struct channel *a, *b;

    must(channel_create(&a, &b));
    give(world.process[0], &a->object, ZX_DEFAULT_CHANNEL_RIGHTS);
    give(world.process[1], &b->object, ZX_DEFAULT_CHANNEL_RIGHTS);
    object_release(&a->object);
    object_release(&b->object);
}

static void make_vdso(void)
{
    static const struct vdso_layout layout = {
        .code_start = HAL_PAGE_SIZE,
        .code_end = 2 * HAL_PAGE_SIZE,
    };

    must(vmo_create(VDSO_PAGES * HAL_PAGE_SIZE, 0, &world.vdso));
    vmo_set_vdso(world.vdso, HAL_PAGE_SIZE, 2 * HAL_PAGE_SIZE);
    syscall_set_vdso(&layout);
}

void world_setup(void)
{
    struct heap_stats heap;

    fake_reset(FRAMES, 1);
    heap_stats(&heap);
    world = (struct world){
        .heap_before = heap.used,
        .frames_before = fake_frames_in_use(),
        .spare_threads = 16,
    };
    world.kernel.next_koid = ZX_KOID_FIRST;
    world.kernel.boot = &fake_boot;
    TAILQ_INIT(&world.kernel.console_readers);
    executor_init(&world.cpu, &world.kernel);
    must(debuglog_create(4096, &world.kernel.log));
    must(job_create(NULL, &world.kernel.root_job));
    must(resource_create_root(&world.kernel.root_resource));
    make_vdso();
    for (int i = 0; i < WORLD_PROCESSES; i++)
        new_process(i);
    give(world.process[0], &world.kernel.root_job->object, ZX_DEFAULT_JOB_RIGHTS);
    give(world.process[0], &world.kernel.root_resource->object,
         ZX_DEFAULT_RESOURCE_RIGHTS | ZX_RIGHT_WRITE);
    give(world.process[0], &world.vdso->object, ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE);
    give_channel();
}

/* ---- Looking around ------------------------------------------------------------------------- */

static struct job *next_job(struct job *job)
{
    if (!TAILQ_EMPTY(&job->jobs))
        return TAILQ_FIRST(&job->jobs);
    while (job->parent && !TAILQ_NEXT(job, sibling_link))
        job = job->parent;
    return job->parent ? TAILQ_NEXT(job, sibling_link) : NULL;
}

void world_visit_processes(void (*visit)(struct process *process, void *arg), void *arg)
{
    struct process *process;

    for (struct job *job = world.kernel.root_job; job; job = next_job(job))
        TAILQ_FOREACH(process, &job->processes, job_link)
            visit(process, arg);
}

struct ready {
    struct thread *thread[64];
    unsigned count;
};

static void collect_ready(struct process *process, void *arg)
{
    struct ready *ready = arg;
    struct thread *thread;

    TAILQ_FOREACH(thread, &process->threads, process_link) {
        bool spent = thread->deadline && thread->deadline->spent;

        if (thread->queued && !spent && ready->count < 64)
            ready->thread[ready->count++] = thread;
    }
}

struct thread *world_ready_thread(unsigned n)
{
    struct ready ready = {.count = 0};

    world_visit_processes(collect_ready, &ready);
    return ready.count ? ready.thread[n % ready.count] : NULL;
}

zx_vaddr_t world_user(struct process *process)
{
    struct region *region;

    for (int i = 0; i < WORLD_PROCESSES; i++)
        if (process == world.process[i])
            return world.user[i];
    region = vmar_region_from(process->aspace->root, 0);
    while (region && !region->is_mapping)
        region = vmar_region_next(region);
    return region ? region->base : HAL_USER_BASE;
}

/* ---- The loop ------------------------------------------------------------------------------ */

void world_turn(struct thread *thread, user_action *action, void *arg)
{
    struct cpu *cpu = &world.cpu;

    executor_remove(thread);
    cpu->current = thread;
    thread->running_since = hal_now();
    executor_begin_turn(cpu, thread, thread->running_since);
    hal_page_table_activate(thread->process->aspace->table);
    if (thread_settle(thread)) {
        if (action)
            action(thread, arg);
        if (!world.exited)
            thread_settle(thread);
    }
    cpu->current = NULL;
    executor_end_turn(cpu, thread, 1);
    if (thread->state == THREAD_DEAD)
        object_release(&thread->object);
}

void world_run_all(void)
{
    struct thread *thread;

    /* Who is ready and does nothing would be ready for ever: only waits that end are of interest.
     */
    for (unsigned turns = 0; turns < 64 && (thread = world_ready_thread(turns)); turns++)
        world_turn(thread, NULL, NULL);
}

void world_advance(zx_duration_t by)
{
    fake_advance(by);
    timerq_expire(&world.cpu.timers, hal_now());
}

bool world_idle(void)
{
    zx_time_t next = timerq_next(&world.cpu.timers);

    if (next > hal_now() + FAR_FUTURE)
        return false;
    if (next > hal_now())
        fake_set_now(next);
    timerq_expire(&world.cpu.timers, hal_now());
    return true;
}

bool world_rescue(void)
{
    if (world.process[0]->state != PROCESS_RUNNING || !world.spare_threads)
        return false;
    world.spare_threads--;
    return new_thread(world.process[0], false) != NULL;
}

void world_syscall(struct thread *thread, uint32_t number, const uint64_t args[8])
{
    struct hal_regs *regs = &thread->context.regs;
    jmp_buf exit;

    if (!thread->process->aspace->vdso_base)
        map_vdso(thread->process); /* as whoever starts a program does */
    regs->rax = number;
    regs->rip = thread->process->aspace->vdso_code + 16;
    regs->rdi = args[0];
    regs->rsi = args[1];
    regs->rdx = args[2];
    regs->r10 = args[3];
    regs->r8 = args[4];
    regs->r9 = args[5];
    regs->r12 = args[6];
    regs->r13 = args[7];
    if (number != SYSCALL_POWERCTL) {
        syscall_finish(thread, syscall_handle(&thread->context));
        return;
    }
    fake_catch = &exit;
    if (setjmp(exit) == 0)
        syscall_finish(thread, syscall_handle(&thread->context));
    else
        world.exited = true;
    fake_catch = NULL;
}

/* ---- End ----------------------------------------------------------------------------------- */

static void count_processes(struct process *process, void *arg)
{
    (void)process;
    ++*(unsigned *)arg;
}

/* The dying run to their end; a thread without budget does so in its next period. */
static void kill_all(void)
{
    unsigned left = 1;

    world.exited = false;
    job_kill(world.kernel.root_job, 0);
    for (int rounds = 0; left && rounds < 1000; rounds++) {
        world_run_all();
        left = 0;
        world_visit_processes(count_processes, &left);
        if (left && !world_ready_thread(0))
            fuzz_check(world_idle());
    }
    fuzz_check(!left);
}

static void check_nothing_left(void)
{
    struct heap_stats heap;

    fuzz_check(!world.cpu.timers.first && !world.cpu.deadlines.first && !world.cpu.ready_mask);
    fuzz_check(STAILQ_EMPTY(&world.cpu.reap) && !world.cpu.reaping);
    fuzz_check(TAILQ_EMPTY(&world.kernel.console_readers));
    fuzz_check(fake_page_tables() == 0);
    heap_stats(&heap);
    fuzz_check(heap.used == world.heap_before);
    fuzz_check(fake_frames_in_use() == world.frames_before);
}

/* The kernel keeps its trace's buffer for ever. */
static void forget_trace(void)
{
    heap_free(ktrace.buffer);
    ktrace = (struct ktrace){.groups = 0};
}

void world_teardown(void)
{
    kill_all();
    forget_trace();
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        fuzz_check(world.process[i]->object.refs == 1 && !world.process[i]->object.handles);
        object_release(&world.process[i]->object);
    }
    object_release(&world.vdso->object);
    for (int i = 0; i < 4; i++)
        if (world.kernel.system_events[i])
            object_release(&world.kernel.system_events[i]->object);
    object_release(&world.kernel.root_resource->object);
    object_release(&world.kernel.root_job->object);
    debuglog_destroy(world.kernel.log);
    check_nothing_left();
}
