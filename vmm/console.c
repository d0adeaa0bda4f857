/*
 * console.c - the guest's console: output ring and writes, input by a thread of its own.
 *
 * The input thread starts when the guest first shows interest in input, so a program that only
 * prints costs no thread and leaves the terminal alone. It reads ahead, which is what makes
 * Ctrl-A x work while the guest is busy.
 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "signals.h"
#include "terminal.h"
#include "vm.h"

#define ESCAPE 0x01 /* Ctrl-A */

void console_init(struct console *console, int in_fd, int out_fd)
{
    memset(console, 0, sizeof(*console));
    console->in_fd = in_fd;
    console->out_fd = out_fd;
    console->wake_fd = -1;
    pthread_mutex_init(&console->lock, NULL);
    pthread_cond_init(&console->room, NULL);
}

/* ---- Output --------------------------------------------------------------------------------- */

bool console_write(struct zvmm *vm, const void *data, uint64_t length)
{
    const uint8_t *from = data;
    int fd = vm->console.out_fd;
    vm->stats.console_bytes += length;
    while (length != 0) {
        ssize_t written = write(fd, from, length);
        if (written >= 0) {
            from += written;
            length -= (uint64_t)written;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            error_set(&vm->error, "console output: %s; send it somewhere that takes it",
                      strerror(errno));
            vm->failed = true;
            return false;
        }
        /* A stopped terminal must not make zvmm deaf to the wish to stop. */
        if (length != 0 && (signals_stop() != 0 || atomic_load(&vm->quit)))
            return true;
    }
    return true;
}

static bool in_hypercall(const struct kvm_run *run)
{
    return run->exit_reason == KVM_EXIT_IO && run->io.port == ZV_CALL_PORT;
}

bool console_drain(struct zvmm *vm)
{
    struct zv_shared_page *shared = vm->shared;
    uint32_t head =
        atomic_load_explicit((_Atomic uint32_t *)&shared->out_head, memory_order_acquire);
    uint32_t count = head - vm->console.out_tail;
    if (count == 0 && vm->determinism == NULL)
        return true;
    /* More than the ring holds: the guest overran it, what is left is the last ring full. */
    if (count > ZV_CONSOLE_RING)
        count = ZV_CONSOLE_RING;
    uint32_t start = (head - count) % ZV_CONSOLE_RING;
    uint32_t first = ZV_CONSOLE_RING - start < count ? ZV_CONSOLE_RING - start : count;
    bool good = console_write(vm, shared->out + start, first) &&
                console_write(vm, shared->out, count - first);
    vm->console.out_tail = head;
    /* The guest must not see when other exits happened. */
    if (vm->determinism != NULL && !in_hypercall(vm->kvm.run))
        return good;
    atomic_store_explicit((_Atomic uint32_t *)&shared->out_tail, head, memory_order_release);
    return good;
}

/* ---- Input ---------------------------------------------------------------------------------- */

static void announce(struct zvmm *vm)
{
    interrupt_raise(vm, INTERRUPT_EVENT, ZV_EVENT_CONSOLE_INPUT);
}

static bool wanted(struct zvmm *vm)
{
    return atomic_load((_Atomic uint32_t *)&vm->shared->in_wanted) != 0;
}

/* Add bytes to the buffer, waiting for room. */
static void push(struct zvmm *vm, const uint8_t *data, size_t length, bool ended)
{
    struct console *console = &vm->console;
    pthread_mutex_lock(&console->lock);
    for (size_t i = 0; i < length && !console->closing; i++) {
        while (console->in_head - console->in_tail == CONSOLE_INPUT_BYTES && !console->closing)
            pthread_cond_wait(&console->room, &console->lock);
        console->in[console->in_head++ % CONSOLE_INPUT_BYTES] = data[i];
    }
    console->in_ended = ended;
    console->announced = wanted(vm);
    bool tell = console->announced;
    pthread_mutex_unlock(&console->lock);
    if (tell)
        announce(vm);
}

/*
 * Take the escapes out of terminal input in place: Ctrl-A x asks to quit, Ctrl-A Ctrl-A is one
 * Ctrl-A, before anything else it is dropped. *escaped carries over from one read to the next.
 */
static size_t filter_escapes(struct zvmm *vm, uint8_t *data, size_t length, bool *escaped)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (!*escaped && data[i] == ESCAPE) {
            *escaped = true;
            continue;
        }
        if (*escaped && (data[i] == 'x' || data[i] == 'X')) {
            atomic_store(&vm->quit, true);
            interrupt_kick(vm);
        } else {
            data[kept++] = data[i];
        }
        *escaped = false;
    }
    return kept;
}

static void *input_thread(void *argument)
{
    struct zvmm *vm = argument;
    struct console *console = &vm->console;
    bool is_terminal = vm->config.own_process && terminal_raw(console->in_fd);
    bool escaped = false;
    uint8_t data[512];
    struct pollfd fds[] = {{.fd = console->in_fd, .events = POLLIN},
                           {.fd = console->wake_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            return NULL;
        if (fds[0].revents == 0)
            continue;
        ssize_t got = read(console->in_fd, data, sizeof(data));
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            break;
        size_t length = (size_t)got;
        if (is_terminal)
            length = filter_escapes(vm, data, length, &escaped);
        if (length != 0)
            push(vm, data, length, false);
    }
    push(vm, NULL, 0, true);
    return NULL;
}

/*
 * Start the input thread; without one, input has ended. Signals are blocked in it, they are the
 * vCPU's thread's, except those that stop a process in the background when it reads the terminal,
 * and the kick, for end_thread().
 */
static void start(struct zvmm *vm)
{
    struct console *console = &vm->console;
    sigset_t all, before;
    console->started = true;
    console->wake_fd = console->in_fd >= 0 ? eventfd(0, EFD_CLOEXEC) : -1;
    if (console->wake_fd >= 0) {
        sigfillset(&all);
        sigdelset(&all, SIGTTIN);
        sigdelset(&all, SIGTTOU);
        sigdelset(&all, KICK_SIGNAL);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int result = pthread_create(&console->thread, NULL, input_thread, vm);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (result == 0)
            return;
        vm_remark(vm, "console: no thread for input: %s", strerror(result));
        close(console->wake_fd);
        console->wake_fd = -1;
    }
    push(vm, NULL, 0, true);
}

int64_t console_read(struct zvmm *vm, uint8_t *to, uint64_t length)
{
    struct console *console = &vm->console;
    if (!console->started && !console->quiet)
        start(vm);
    pthread_mutex_lock(&console->lock);
    uint64_t count = console->in_head - console->in_tail;
    bool ended = console->in_ended;
    if (count > length)
        count = length;
    for (uint64_t i = 0; i < count; i++)
        to[i] = console->in[console->in_tail++ % CONSOLE_INPUT_BYTES];
    if (count != 0) {
        console->announced = false; /* what is left is worth another event */
        pthread_cond_signal(&console->room);
    }
    if (console->quiet && console->in_head == console->in_tail) {
        console->quiet = false;
        atomic_store((_Atomic uint32_t *)&vm->shared->in_wanted, 0); /* the guest has set it */
    }
    pthread_mutex_unlock(&console->lock);
    return count == 0 && length != 0 && ended ? ZV_EEOF : (int64_t)count;
}

int console_type(struct console *console, const char *text, size_t length)
{
    if (length > CONSOLE_INPUT_BYTES)
        return -1;
    memcpy(console->in, text, length);
    console->in_head = (uint32_t)length;
    console->in_tail = 0;
    console->quiet = true;
    return 0;
}

void console_poll(struct zvmm *vm)
{
    struct console *console = &vm->console;
    if (!wanted(vm) || console->quiet)
        return;
    if (!console->started)
        start(vm);
    pthread_mutex_lock(&console->lock);
    bool tell = !console->announced && (console->in_ended || console->in_head != console->in_tail);
    if (tell)
        console->announced = true;
    pthread_mutex_unlock(&console->lock);
    if (tell)
        announce(vm);
}

/*
 * Wait for the thread, which has been told to end. It may be stuck in read(), if somebody else took
 * the input that poll() had seen: then the kick signal gets it out.
 */
static void end_thread(struct console *console)
{
    struct timespec limit;
    do {
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_nsec += 10000000;
        limit.tv_sec += limit.tv_nsec / 1000000000;
        limit.tv_nsec %= 1000000000;
        if (pthread_timedjoin_np(console->thread, NULL, &limit) != ETIMEDOUT)
            return;
    } while (pthread_kill(console->thread, KICK_SIGNAL) == 0);
}

void console_close(struct console *console)
{
    if (console->wake_fd >= 0) {
        uint64_t one = 1;
        pthread_mutex_lock(&console->lock);
        console->closing = true;
        pthread_cond_signal(&console->room);
        pthread_mutex_unlock(&console->lock);
        if (write(console->wake_fd, &one, sizeof(one)) == sizeof(one))
            end_thread(console);
        close(console->wake_fd);
        console->wake_fd = -1;
    }
    console->started = console->closing = false; /* the machine may run again */
    terminal_restore();
}
