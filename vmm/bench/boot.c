/*
 * boot.c - one boot of something under test.
 *
 * The process waits for a byte before it begins, so that its thread is watched from its first
 * instruction on. It is watched by polling, two hundred times a second, from another processor.
 */
#include "bench/boot.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench/facts.h"
#include "bench/machine.h"
#include "bench/steal.h"
#include "bench/switches.h"
#include "hypercall.h"
#include "options.h"
#include "vm.h"

enum {
    MOST_WORDS = 256,
    POLL_MS = 5,
    SILENCE_MS = 180000,
};

/* ---- The process under test ----------------------------------------------------------------- */

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* The command line of the subject; `scratch` holds numbers. */
static void build_words(const struct boot_order *order, const char *words[MOST_WORDS],
                        char scratch[16])
{
    const struct subject *subject = order->subject;
    size_t n = 0;
    snprintf(scratch, 16, "%u", order->seed);
    if (subject->kind == SUBJECT_GUEST)
        words[n++] = "zvmm";
    words[n++] = subject->path;
    if (subject->kind != SUBJECT_LINUX) {
        const char *const options[] = {"--bootfs", subject->bootfs, "--memory", subject->memory,
                                       "--seed",   scratch,         "--",       "zbench"};
        memcpy(words + n, options, sizeof(options));
        n += sizeof(options) / sizeof(options[0]);
    }
    for (char *const *word = order->words; *word != NULL && n + 1 < MOST_WORDS; word++)
        words[n++] = *word;
    words[n] = NULL;
}

/* What the process that runs the guest tells the one that watches it. */
struct reporter {
    struct facts_ring *ring;
    const struct pmu_provider *pmu; /* NULL: none */
    void *pmu_state;
};

static void note_left(void *context)
{
    struct reporter *reporter = context;
    facts_note_exit(reporter->ring);
}

static void note_marker(void *context, uint32_t id, uint64_t value)
{
    struct reporter *reporter = context;
    struct pmu_reading reading;
    (void)value;
    if (id >= ZV_MARKER_USER && reporter->pmu->read(reporter->pmu_state, &reading))
        facts_note_reading(reporter->ring, &reading);
}

/*
 * All of guest memory is there, and stays, before the guest begins. In huge pages, if the host has
 * any: then fewer frames decide what fits into a cache.
 */
static void lock_memory(const struct zvmm *vm)
{
    madvise(vm->memory.base, vm->memory.bytes, MADV_HUGEPAGE);
    madvise(vm->memory.base, vm->memory.bytes, MADV_POPULATE_WRITE);
    mlockall(MCL_CURRENT);
}

static void run_guest(const struct subject *subject, const char *const *words,
                      struct facts_ring *ring)
{
    static struct reporter reporter;
    static struct options options;
    struct zvmm_error error;
    struct zvmm_result result;
    struct zvmm *vm;
    int count = 0;
    while (words[count] != NULL)
        count++;
    if (options_parse(&options, count, (char *const *)words, &error) != 0)
        error_fatal(&error);
    options.config.own_process = false;
    options.config.panic_snapshot = false;
    options.config.in_fd = -1;
    reporter = (struct reporter){.ring = ring, .pmu = subject->pmu};
    bool counting = subject->pmu != NULL && subject->pmu->open(&reporter.pmu_state);
    options.config.observer = (struct zvmm_observer){
        .left = note_left, .marker = counting ? note_marker : NULL, .context = &reporter};
    if (zvmm_create(&options.config, &vm, &error) != 0)
        error_fatal(&error);
    ring->tsc_offset = vm->clock.offset;
    lock_memory(vm);
    if (zvmm_run(vm, &result, &error) != 0)
        error_fatal(&error);
    _exit(zvmm_exit_status(&result));
}

/* Between fork and the end. `go` gives a byte when the watch has begun. */
static void be_subject(const struct boot_order *order, struct facts_ring *ring, int out, int go)
{
    static char *const no_environment[] = {NULL};
    const char *words[MOST_WORDS];
    char scratch[16], byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(order->cpu);
    if (dup2(out, STDOUT_FILENO) < 0 || read(go, &byte, 1) != 1)
        _exit(ZVMM_EXIT_HOST);
    build_words(order, words, scratch);
    if (order->subject->kind == SUBJECT_MACHINE)
        _exit(machine_main(order->subject, order->words));
    if (order->subject->kind == SUBJECT_GUEST)
        run_guest(order->subject, words, ring);
    /* Where the host puts a program is luck that two sessions must share. So is how long the
     * environment is: the stack begins below it, and some place in a page may be a slow one. */
    personality(ADDR_NO_RANDOMIZE);
    execve(words[0], (char *const *)words, no_environment);
    fprintf(stderr, "zvmm: bench: %s: %s; build it (make bench-programs) or name another\n",
            words[0], strerror(errno));
    _exit(ZVMM_EXIT_HOST);
}

/* ---- The watch ------------------------------------------------------------------------------ */

struct watch {
    const struct boot_order *order;
    struct boot *boot;
    struct facts_ring *ring;
    struct switches switches;
    struct steal steal;
    pid_t child;
    int out;
    size_t room, rows;
};

/* Keep what was printed; count the rows that are complete. */
static int keep_text(struct watch *watch, const char *data, size_t length)
{
    struct boot *boot = watch->boot;
    if (boot->length + length + 1 > watch->room) {
        size_t room = (boot->length + length + 1) * 2;
        char *larger = realloc(boot->text, room);
        if (larger == NULL)
            return -1;
        boot->text = larger;
        watch->room = room;
    }
    memcpy(boot->text + boot->length, data, length);
    boot->length += length;
    boot->text[boot->length] = '\0';
    return 0;
}

static void report_progress(struct watch *watch, size_t from)
{
    const struct boot_order *order = watch->order;
    if (order->progress == NULL)
        return;
    for (const char *at = watch->boot->text + from; (at = strstr(at, "window ")) != NULL; at++)
        order->progress(order->context, ++watch->rows);
}

static void poll_facts(struct watch *watch)
{
    struct boot *boot = watch->boot;
    switches_drain(&watch->switches);
    facts_drain(watch->ring, &boot->facts);
    steal_poll(&watch->steal, __rdtsc(), &boot->facts);
}

/* Until the program has closed its output. */
static int watch_output(struct watch *watch, struct zvmm_error *error)
{
    struct pollfd fds = {.fd = watch->out, .events = POLLIN};
    const char *name = watch->order->subject->name;
    char data[65536];
    int silent = 0;
    for (;;) {
        int ready = poll(&fds, 1, POLL_MS);
        poll_facts(watch);
        if (ready <= 0) {
            silent += POLL_MS;
            if (silent > SILENCE_MS)
                return error_set(error,
                                 "bench: %s: silent for %d s; a row hangs: choose rows with "
                                 "--filter",
                                 name, SILENCE_MS / 1000);
            continue;
        }
        ssize_t got = read(watch->out, data, sizeof(data));
        if (got <= 0)
            return 0;
        size_t before = watch->boot->length;
        silent = 0;
        if (keep_text(watch, data, (size_t)got) != 0)
            return error_set(error, "bench: %s: out of memory for its output", name);
        report_progress(watch, before);
    }
}

static void keep_readings(struct watch *watch)
{
    uint64_t count = atomic_load(&watch->ring->reading_count);
    struct pmu_reading *copy = calloc(count + 1, sizeof(*copy));
    if (copy == NULL)
        return;
    memcpy(copy, watch->ring->readings, count * sizeof(*copy));
    watch->boot->readings = copy;
    watch->boot->reading_count = count;
}

static int collect(struct watch *watch, int go, struct zvmm_error *error)
{
    int status;
    switches_open(&watch->switches, watch->child);
    watch->boot->blind_reason = watch->switches.reason;
    steal_begin(&watch->steal, "/proc/stat", watch->order->cpu, __rdtsc());
    int result = 0;
    if (write(go, "", 1) != 1)
        result = error_set(error, "bench: cannot start the process under test");
    if (result == 0)
        result = watch_output(watch, error);
    if (result != 0)
        kill(watch->child, SIGKILL);
    while (waitpid(watch->child, &status, 0) < 0 && errno == EINTR)
        ;
    watch->boot->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    poll_facts(watch);
    switches_finish(&watch->switches, &watch->boot->facts);
    watch->boot->tsc_offset = watch->ring->tsc_offset;
    keep_readings(watch);
    return result;
}

int boot_run(const struct boot_order *order, struct boot *boot, struct zvmm_error *error)
{
    int out[2], go[2], result = -1;
    struct watch watch = {.order = order, .boot = boot};
    *boot = (struct boot){0};
    watch.ring = facts_create();
    if (watch.ring == NULL || keep_text(&watch, "", 0) != 0)
        return error_set(error, "bench: out of memory");
    if (pipe(out) != 0 || pipe(go) != 0)
        return error_set(error, "bench: pipe: %s", strerror(errno));
    fflush(NULL);
    watch.out = out[0];
    watch.child = fork();
    if (watch.child == 0) {
        close(out[0]);
        close(go[1]);
        be_subject(order, watch.ring, out[1], go[0]);
    }
    close(out[1]);
    close(go[0]);
    if (watch.child < 0)
        error_set(error, "bench: fork: %s", strerror(errno));
    else
        result = collect(&watch, go[1], error);
    close(out[0]);
    close(go[1]);
    facts_destroy(watch.ring);
    return result;
}

int boot_failure(const struct subject *subject, const struct boot *boot, struct zvmm_error *error)
{
    size_t length = strcspn(boot->text, "\r\n");
    return error_set(error, "bench: %s (%s) ended with status %d%s%.*s", subject->name,
                     subject->path, boot->status, length != 0 ? ": " : "",
                     (int)(length < 200 ? length : 200), boot->text);
}

void boot_clear(struct boot *boot)
{
    free(boot->text);
    free(boot->readings);
    vouch_clear(&boot->facts);
    *boot = (struct boot){0};
}
