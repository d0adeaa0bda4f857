/*
 * started.c - shows what a C program finds after its start: start.t compares the library's own start
 * with vmm/quick-start.c. Prints nothing that differs from run to run.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

static __thread int own = 17;
static __thread char zero[100];
static int constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed++;
}

__attribute__((destructor)) static void destruct(void)
{
    fputs("destructor\n", stdout);
}

static void at_exit(void)
{
    fputs("atexit\n", stdout);
}

static void *run_thread(void *argument)
{
    *(int *)argument = own + zero[99];
    own = 0;
    return argument;
}

static uintptr_t canary(void)
{
    uintptr_t value;
    __asm__("mov %%fs:0x28, %0" : "=r"(value));
    return value;
}

static bool is_copied(size_t bytes)
{
    uint8_t *from = malloc(bytes), *to = malloc(bytes);
    if (from == NULL || to == NULL)
        return false;
    for (size_t i = 0; i < bytes; i++)
        from[i] = (uint8_t)(i * 7 + i / 256);
    memset(to, 1, bytes);
    memcpy(to, from, bytes);
    bool good = memcmp(from, to, bytes) == 0;
    memmove(to + 1, to, bytes - 1);
    good = good && memcmp(from, to + 1, bytes - 1) == 0;
    free(from);
    free(to);
    return good;
}

int main(int argc, char *argv[])
{
    pthread_t thread;
    struct timespec now;
    int in_thread = 0;
    for (int i = 1; i < argc; i++)
        printf("argument %s\n", argv[i]);
    printf("name %s, variable %s, constructed %d\n", program_invocation_short_name,
           getenv("VARIABLE"), constructed);
    pthread_create(&thread, NULL, run_thread, &in_thread);
    pthread_join(thread, NULL);
    printf("thread's own %d, main's %d\n", in_thread, own);
    printf("canary %d %d, page %ld\n", canary() != 0, (int)(canary() & 0xff),
           sysconf(_SC_PAGESIZE));
    for (size_t bytes = 1; bytes <= 4 << 20; bytes *= 2)
        printf("%zu bytes copied %d\n", bytes, is_copied(bytes));
    printf("clock %d, random %d, %s, %.3f\n", clock_gettime(CLOCK_MONOTONIC, &now),
           getauxval(AT_RANDOM) != 0, strerror(ENOENT), strtod("1.5", NULL));
    atexit(at_exit);
    return argc;
}
