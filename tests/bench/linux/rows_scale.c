/*
 * rows_scale.c - Linux: timerfds with many pending, an epoll set with many eventfds (one-shot, so
 * that they are armed again as a port's sources are), threads asleep on eventfds of their own.
 */
#include "linux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cold.h"

#define FUTURE 3600 /* seconds */

static int *files_of(struct run *run, uint64_t count)
{
    struct rlimit limit;
    int *files = malloc((count + 1) * sizeof(*files));

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count + 64;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_max = limit.rlim_cur;
    if (!files)
        run_fail(run, "malloc", strerror(errno));
    else if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        run_skip(run, "so many files cannot be open here (ulimit -n)");
    for (uint64_t i = 0; files && i < count; i++)
        files[i] = -1;
    return files;
}

static void files_free(int *files, uint64_t count)
{
    for (uint64_t i = 0; files && i < count && files[i] >= 0; i++)
        close(files[i]);
    free(files);
}

static void timer_set(struct run *run, int fd, long microseconds)
{
    struct itimerspec when = {
        .it_value = {FUTURE + microseconds / 1000000, microseconds % 1000000 * 1000 + 1}};

    OK(run, timerfd_settime(fd, 0, &when, NULL));
}

void timer_set_cancel(struct run *run, const struct row *row)
{
    static const struct itimerspec never;
    uint64_t others = row->count - 1, turn = 0;
    int *timers = files_of(run, others), one = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    for (uint64_t i = 0; i < others && run_preparing(run); i++) {
        timers[i] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        timer_set(run, timers[i], (long)(i * 7919 % others));
    }
    RUN_TURNS(run) {
        long microseconds = (long)(turn++ * 104729 % row->count);

        run_restart(run);
        timer_set(run, one, microseconds);
        run_step(run);
        OK(run, timerfd_settime(one, 0, &never, NULL));
    }
    close(one);
    files_free(timers, others);
}

void port_fan_in(struct run *run, const struct row *row)
{
    int *events = files_of(run, row->count), set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT}, got;
    uint64_t turn = 0, value = 1;

    for (uint64_t i = 0; i < row->count && run_preparing(run); i++) {
        events[i] = eventfd(0, EFD_CLOEXEC);
        OK(run, epoll_ctl(set, EPOLL_CTL_ADD, events[i], &wanted));
    }
    RUN_TURNS(run) {
        int fd = events[turn++ * 7919 % row->count];

        run_restart(run);
        OK(run, write(fd, &value, sizeof(value)));
        run_step(run);
        OK(run, epoll_wait(set, &got, 1, -1));
        run_step(run);
        OK(run, read(fd, &value, sizeof(value)));
        OK(run, epoll_ctl(set, EPOLL_CTL_MOD, fd, &wanted));
    }
    close(set);
    files_free(events, row->count);
}

static struct {
    int *events, done;
    _Atomic(bool) end;
} dormitory;

static void *sleeper(void *argument)
{
    int fd = dormitory.events[(uintptr_t)argument];
    uint64_t value;

    while (read(fd, &value, sizeof(value)) > 0 && !atomic_load(&dormitory.end))
        if (write(dormitory.done, &value, sizeof(value)) < 0)
            break;
    return NULL;
}

static uint64_t start_sleepers(struct run *run, pthread_t *threads, uint64_t count)
{
    pthread_attr_t attributes;
    uint64_t started = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 * KIB);
    for (; started < count && run_preparing(run); started++) {
        dormitory.events[started] = eventfd(0, EFD_CLOEXEC);
        if (pthread_create(&threads[started], &attributes, sleeper, (void *)started) != 0) {
            run_skip(run, "so many threads cannot be here (kernel.threads-max, ulimit -u)");
            break;
        }
    }
    pthread_attr_destroy(&attributes);
    return started;
}

void wake_sleeper(struct run *run, const struct row *row)
{
    pthread_t *threads = calloc(row->count, sizeof(*threads));
    uint64_t started, turn = 0, value = 1;
    struct cold cold = {0};

    dormitory.events = files_of(run, row->count);
    dormitory.done = eventfd(0, EFD_CLOEXEC);
    dormitory.end = false;
    started = start_sleepers(run, threads, row->count);
    if (row->flags & COLD)
        cold = cold_prepare(run);
    RUN_TURNS(run) {
        if (turn % row->count == 0)
            cold_make(run, &cold);
        OK(run, write(dormitory.events[turn++ * 7919 % row->count], &value, sizeof(value)));
        OK(run, read(dormitory.done, &value, sizeof(value)));
    }
    cold_free(&cold);
    dormitory.end = true;
    for (uint64_t i = 0; i < started; i++) {
        OK(run, write(dormitory.events[i], &value, sizeof(value)));
        pthread_join(threads[i], NULL);
    }
    close(dormitory.done);
    files_free(dormitory.events, row->count);
    free(threads);
}
