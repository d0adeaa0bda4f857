/*
 * tables.c - linux-bench's rows, its clock and its common helpers.
 */
#include "linux.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const struct row *const row_tables[] = {
    fault_rows, call_rows, create_rows, channel_rows, vmo_rows,  map_rows, clone_rows,
    copy_rows,  task_rows, switch_rows, scale_rows,   user_rows, NULL,
};

/* Measured once, over 20 ms. */
double bench_ticks_per_second(void)
{
    static double frequency;
    struct timespec start, now;
    uint64_t ticks;
    double seconds = 0;

    if (frequency > 0)
        return frequency;
    clock_gettime(CLOCK_MONOTONIC, &start);
    ticks = bench_ticks();
    while (seconds < 0.02) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        seconds = (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
    }
    return frequency = (double)(bench_ticks() - ticks) / seconds;
}

/* Rows with two threads are about taking turns on one processor. */
__attribute__((constructor)) static void stay_on_this_cpu(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* Private memory, without huge pages. */
char *buffer_map(struct run *run, size_t size)
{
    char *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (buffer == MAP_FAILED) {
        run_fail(run, "mmap", strerror(errno));
        return NULL;
    }
    madvise(buffer, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += 512)
        buffer[i] = (char)(i / 512 + 1);
    return buffer;
}

void buffer_unmap(char *buffer, size_t size)
{
    munmap(buffer, size);
}

int memory_file(struct run *run, uint64_t size)
{
    int fd = memfd_create("bench", MFD_CLOEXEC);

    OK(run, ftruncate(fd, (off_t)size));
    OK(run, fallocate(fd, 0, 0, (off_t)size));
    return fd;
}

void socket_pair(struct run *run, int type, int ends[2])
{
    int room = 1 << 20;

    OK(run, socketpair(AF_UNIX, type, 0, ends));
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}
