/*
 * console.c - standard output, buffered for at most 10 ms, and standard input, read by a thread of
 * its own.
 *
 * The thread starts when the kernel first asks for input, so a program that only prints leaves the
 * terminal alone. It reads ahead, which is what makes Ctrl-A x work while user code is busy.
 */
#include <hal.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <zircon/errors.h>

#include "machine.h"
#include "terminal.h"
#include "timer.h"
#include "trap.h"
#include "x86.h"

#define ESCAPE         0x01 /* Ctrl-A */
#define OUT_BYTES      16384u
#define IN_BYTES       4096u /* a power of two */
#define FLUSH_AFTER_NS 10000000u

static struct {
    char text[OUT_BYTES];
    size_t length;
} out;

static struct {
    bool started; /* the thread exists */
    pthread_t thread;

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t room;
    char data[IN_BYTES];
    uint32_t head, tail; /* free-running */
    bool ended;
} in = {.lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};

/* ---- Output ---------------------------------------------------------------------------------- */

static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);

        if (written >= 0) {
            text += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            out.length = 0;
            machine_fail("console output: %s; send it somewhere that takes it", strerror(errno));
        }
    }
}

void hal_console_flush(void)
{
    size_t length = out.length;

    if (length == 0)
        return;
    out.length = 0;
    timer_set_flush(TIMER_NEVER);
    write_all(out.text, length);
}

void hal_console_write(const char *text, size_t length)
{
    if (length > OUT_BYTES - out.length)
        hal_console_flush();
    if (length > OUT_BYTES / 2) {
        hal_console_flush();
        write_all(text, length);
        return;
    }
    if (out.length == 0 && length > 0)
        timer_set_flush(x86_rdtsc() +
                        machine.boot.ticks_per_second / (1000000000u / FLUSH_AFTER_NS));
    memcpy(out.text + out.length, text, length);
    out.length += length;
}

/* ---- Input ----------------------------------------------------------------------------------- */

static void announce(void)
{
    timer_raise(HAL_EVENT_CONSOLE);
    trap_kick();
}

/* Adds bytes to the buffer, waiting for room. */
static void push(const char *data, size_t length, bool ended)
{
    pthread_mutex_lock(&in.lock);
    for (size_t i = 0; i < length; i++) {
        while (in.head - in.tail == IN_BYTES)
            pthread_cond_wait(&in.room, &in.lock);
        in.data[in.head++ % IN_BYTES] = data[i];
    }
    in.ended = ended;
    pthread_mutex_unlock(&in.lock);
    announce();
}

/*
 * Takes the escapes out of terminal input in place: Ctrl-A x quits, Ctrl-A Ctrl-A is one Ctrl-A,
 * before anything else it is dropped. *escaped carries over from one read to the next.
 */
static size_t filter_escapes(char *data, size_t length, bool *escaped)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        if (!*escaped && data[i] == ESCAPE) {
            *escaped = true;
            continue;
        }
        if (*escaped && (data[i] == 'x' || data[i] == 'X'))
            trap_quit();
        else
            data[kept++] = data[i];
        *escaped = false;
    }
    return kept;
}

static void *input_thread(void *argument)
{
    bool is_terminal = terminal_raw(STDIN_FILENO), escaped = false;
    char data[512];

    (void)argument;
    for (;;) {
        ssize_t got = read(STDIN_FILENO, data, sizeof data);
        size_t length;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN}, 1, -1);
            continue;
        }
        if (got <= 0)
            break;
        length = is_terminal ? filter_escapes(data, (size_t)got, &escaped) : (size_t)got;
        if (length > 0)
            push(data, length, false);
    }
    push(NULL, 0, true);
    return NULL;
}

/* All signals are blocked in the thread: they are the processor's. */
static void start(void)
{
    sigset_t all, before;
    int error;

    in.started = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&in.thread, NULL, input_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return;
    machine_remark("console: no thread for input: %s", strerror(error));
    push(NULL, 0, true);
}

zx_status_t hal_console_read(char *buffer, size_t length, size_t *actual)
{
    uint32_t count;
    bool ended;

    if (!in.started)
        start();
    pthread_mutex_lock(&in.lock);
    count = in.head - in.tail;
    if (count > length)
        count = (uint32_t)length;
    for (uint32_t i = 0; i < count; i++)
        buffer[i] = in.data[in.tail++ % IN_BYTES];
    ended = in.ended && in.head == in.tail;
    if (count > 0)
        pthread_cond_signal(&in.room);
    pthread_mutex_unlock(&in.lock);
    *actual = count;
    return count == 0 && length > 0 && ended ? ZX_ERR_PEER_CLOSED : ZX_OK;
}
