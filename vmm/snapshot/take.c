/* take.c - taking a snapshot of a machine that goes on. */
#include "snapshot/take.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot/still.h"
#include "vm.h"

#define WRITER_NAME "zvmm-snapshot"

/* What the writer says, in memory shared with it. */
struct report {
    bool done;
    struct zvmm_error error;
};

struct take {
    struct zvmm *vm;
    char *path, *parent, *label; /* owned */
    struct composition composition;
    struct still still;
    struct report *report;
    pid_t child; /* 0: the thread writes */

    /* The thread waits for the pages that take_begin() sets aside. */
    struct aside *aside; /* NULL: there is no thread; owned */
    pthread_t thread;
    sem_t set_aside;
    bool cancelled;
};

/* ---- The writer -------------------------------------------------------------------------------
 */

static int write_and_report(struct take *take)
{
    int result = still_compose(&take->composition, &take->report->error);
    take->report->done = true;
    return result;
}

static void *write_from_thread(void *argument)
{
    struct take *take = argument;
    while (sem_wait(&take->set_aside) != 0)
        continue;
    if (!take->cancelled)
        write_and_report(take);
    return NULL;
}

static void write_from_child(struct take *take)
{
    prctl(PR_SET_NAME, WRITER_NAME);
    _exit(write_and_report(take) == 0 ? 0 : ZVMM_EXIT_HOST);
}

/* No signal is for the writer. */
static int start_thread(struct take *take)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&take->thread, NULL, write_from_thread, take);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        pthread_setname_np(take->thread, WRITER_NAME);
    return failed;
}

/* Only what is the difference from a parent may be little. Without memory or a thread for it there
 * is the child. */
static void prepare_thread(struct take *take)
{
    take->aside = aside_new();
    if (take->aside == NULL)
        return;
    sem_init(&take->set_aside, 0, 0);
    if (start_thread(take) == 0)
        return;
    sem_destroy(&take->set_aside);
    aside_free(take->aside);
    take->aside = NULL;
}

static void end_thread(struct take *take, bool cancel)
{
    if (take->aside == NULL)
        return;
    if (cancel) {
        take->cancelled = true;
        sem_post(&take->set_aside);
    }
    pthread_join(take->thread, NULL);
    sem_destroy(&take->set_aside);
    aside_free(take->aside);
    take->aside = NULL;
}

/* ---- Before ------------------------------------------------------------------------------------
 */

static int open_parent(struct take *take, struct zvmm_error *error)
{
    const struct zvmm *vm = take->vm;
    struct snapshot_file **parent = &take->composition.parent;
    if (take->parent[0] == '\0')
        return 0;
    if (snapshot_open(parent, take->parent, error) != 0)
        return -1;
    if (snapshot_header(*parent)->memory_bytes != vm->memory.bytes)
        return error_set(error,
                         "%s: is a snapshot of %llu MiB and cannot be the parent of one of "
                         "%llu MiB",
                         take->parent,
                         (unsigned long long)(snapshot_header(*parent)->memory_bytes >> 20),
                         (unsigned long long)(vm->memory.bytes >> 20));
    return 0;
}

static void free_parts(struct take *take)
{
    if (take->report != NULL)
        munmap(take->report, sizeof(*take->report));
    snapshot_close(take->composition.parent);
    free(take->path);
    free(take->parent);
    free(take->label);
    munmap(take, sizeof(*take));
}

void take_free(struct take *take)
{
    if (take == NULL)
        return;
    end_thread(take, true);
    free_parts(take);
}

static int copy_request(struct take *take, const struct take_request *request)
{
    take->path = strdup(request->path);
    take->parent = strdup(request->parent != NULL ? request->parent : "");
    take->label = strdup(request->label != NULL ? request->label : "");
    void *report = mmap(NULL, sizeof(*take->report), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    take->report = report != MAP_FAILED ? report : NULL;
    take->composition = (struct composition){.vm = take->vm,
                                             .still = &take->still,
                                             .path = take->path,
                                             .label = take->label,
                                             .parent_path = take->parent,
                                             .sync = !request->quick};
    uint8_t *uuid = take->composition.uuid;
    return take->path == NULL || take->parent == NULL || take->label == NULL ||
                   take->report == NULL || getrandom(uuid, 16, 0) != 16
               ? -1
               : 0;
}

/* Populated, as page faults would count as the guest's pause. */
static struct take *new_take(struct zvmm *vm, const struct take_request *request,
                             struct zvmm_error *error)
{
    struct take *take = mmap(NULL, sizeof(*take), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (take == MAP_FAILED) {
        error_set(error, "snapshot: out of memory");
        return NULL;
    }
    take->vm = vm;
    if (copy_request(take, request) != 0)
        error_set(error, "snapshot: out of memory");
    else if (open_parent(take, error) == 0)
        return take;
    free_parts(take);
    return NULL;
}

int take_new(struct zvmm *vm, const struct take_request *request, struct take **out,
             struct zvmm_error *error)
{
    struct take *take = new_take(vm, request, error);
    if (take == NULL)
        return -1;
    if (take->composition.parent != NULL)
        prepare_thread(take);
    *out = take;
    return 0;
}

/* ---- While the machine stands still ------------------------------------------------------------
 */

/* Whether the pages that can differ from the parent are known; they are then in since_base. */
static int look_for_changes(struct take *take, struct zvmm_error *error)
{
    struct zvmm *vm = take->vm;
    const struct snapshot_file *parent = take->composition.parent;
    take->composition.known =
        parent != NULL && track_knows(&vm->track, snapshot_header(parent)->uuid);
    if (!take->composition.known || track_collect(vm) == 0)
        return 0;
    *error = vm->error;
    return -1;
}

/* The next snapshot may be the difference from this one. */
static int keep_track(struct take *take, struct zvmm_error *error)
{
    struct zvmm *vm = take->vm;
    vm->config.incremental |= take->composition.parent != NULL;
    if (!vm->config.incremental || vm->config.gdb != NULL || vm->determinism != NULL)
        return 0;
    return track_begin_base(vm, take->composition.uuid, error);
}

static int start_child(struct take *take, struct zvmm_error *error)
{
    take->child = fork();
    if (take->child == 0)
        write_from_child(take);
    if (take->child > 0)
        return 0;
    return error_set(error,
                     "snapshot: cannot fork: %s; raise the limit of processes or free memory",
                     strerror(errno));
}

static int set_aside(struct take *take, struct zvmm_error *error)
{
    const struct written *written = &take->vm->track.since_base;
    if (!take->composition.known || take->aside == NULL || written->count > ASIDE_PAGES)
        return start_child(take, error);
    aside_copy(take->aside, &written->set, &take->vm->memory);
    take->composition.aside = take->aside;
    return 0;
}

int take_begin(struct take *take, struct zvmm_error *error)
{
    struct zvmm *vm = take->vm;
    uint64_t begin = clock_monotonic_ns();
    if (still_read(&take->still, vm, error) != 0 || look_for_changes(take, error) != 0 ||
        set_aside(take, error) != 0) {
        take_free(take);
        return -1;
    }
    bool tracked = keep_track(take, error) == 0;
    if (take->composition.aside != NULL)
        sem_post(&take->set_aside);
    vm->stats.snapshots++;
    vm->stats.snapshot_pause_ns = clock_monotonic_ns() - begin;
    if (tracked)
        return 0;
    struct zvmm_error ignored;
    take_end(take, &ignored);
    return -1;
}

int take_now(struct zvmm *vm, const struct take_request *request, struct zvmm_error *error)
{
    uint64_t begin = clock_monotonic_ns();
    struct take *take = new_take(vm, request, error);
    if (take == NULL)
        return -1;
    int result = still_read(&take->still, vm, error);
    if (result == 0)
        result = look_for_changes(take, error);
    if (result == 0)
        result = still_compose(&take->composition, error);
    if (result == 0)
        result = keep_track(take, error);
    free_parts(take);
    vm->stats.snapshots += result == 0;
    vm->stats.snapshot_pause_ns = clock_monotonic_ns() - begin;
    return result;
}

/* ---- Behind ------------------------------------------------------------------------------------
 */

int take_end(struct take *take, struct zvmm_error *error)
{
    int status = 0, result = 0;
    while (take->child != 0 && waitpid(take->child, &status, 0) < 0 && errno == EINTR)
        continue;
    end_thread(take, take->child != 0);
    if (!take->report->done)
        result =
            error_set(error, "%s: the process that writes the snapshot was killed (status %#x)",
                      take->path, status);
    else if (take->report->error.text[0] != '\0') {
        *error = take->report->error;
        result = -1;
    }
    free_parts(take);
    return result;
}
