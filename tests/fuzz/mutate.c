/*
 * mutate.c - libFuzzer's hooks for inputs that are made of records: a mutation adds, removes, moves
 * or changes whole steps, so that what comes before and behind them keeps its meaning.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "syscalls.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
                                 uint8_t *out, size_t max_size, unsigned seed);

/* Calls that have a function, by number. */
static const uint8_t calls[] = {
#define SYSCALL(number, ...) number,
#include <zircon/syscalls.def>
};

static bool has_function(uint8_t number)
{
#define SYSCALL(number_, name, ...)                                                                \
    case number_:                                                                                  \
        return sys_##name != NULL;
    switch (number) {
#include <zircon/syscalls.def>
    default:
        return false;
    }
}

static unsigned pick(unsigned n)
{
    return (unsigned)rand() % n;
}

/* A call, often one of the same family as `near`: those have numbers not far from each other. */
static uint8_t random_call(uint8_t near)
{
    unsigned number;

    do {
        number = pick(2) ? near + pick(15) - 7 : calls[pick(sizeof calls)];
    } while (number > UINT8_MAX || !has_function((uint8_t)number));
    return (uint8_t)number;
}

/* Mostly zeros: the choices with which a call is likely to succeed. */
static void random_record(uint8_t record[RECORD_BYTES], uint8_t near)
{
    unsigned wild = 2 + pick(20);

    record[0] = random_call(near);
    if (pick(8) == 0)
        record[0] = (uint8_t)(STEP_FIRST + pick(256 - STEP_FIRST));
    record[1] = (uint8_t)pick(8);
    for (int i = 2; i < RECORD_BYTES; i++)
        record[i] = pick(wild) ? 0 : (uint8_t)(pick(2) ? pick(8) : pick(256));
}

/*
 * What it takes to get far with some kinds of object, which chance alone seldom brings together:
 * call numbers, and choices where they are not zeros. 0x100 and up: a STEP_*.
 */
struct ingredient {
    uint16_t what;
    uint8_t choice[8];
};

#define STEP(kind) (0x100 + (kind))
#define END        0xffff

static const struct ingredient recipes[][8] = {
    /* a process of one's own: process_create, thread_create, vmar_map, process_start */
    {{98, {0}}, {135, {0}}, {149, {0}}, {99, {0}}, {STEP(STEP_SETTLE), {0}}, {END, {0}}},
    /* an exception and its handler: exception channel, trap, channel_read, get_thread, close */
    {{132, {0}},
     {STEP(STEP_EXCEPTION), {3}},
     {4, {0}},
     {27, {0}},
     {28, {0}},
     {71, {0, 16}},
     {42, {0}},
     {END, {0}}},
    /* a pager: pager_create, port_create, create_vmo, vmo_read, vmo_create, port_wait, supply */
    {{75, {0}},
     {93, {0}},
     {76, {0, 0, 0, 0, 130}},
     {154, {0}},
     {95, {0}},
     {153, {0}},
     {78, {0, 1, 0, 129, 0}},
     {END, {0}}},
    /* ... that fails: pager_create, port_create, create_vmo, vmo_write, op_range */
    {{75, {0}},
     {93, {0}},
     {76, {0, 0, 0, 0, 130}},
     {155, {0}},
     {166, {0, 1, 0, 0, 129, 213}},
     {STEP(STEP_RUN_ALL), {0}},
     {END, {0}}},
    /* pinned pages: iommu, bti, vmo, pin, close or unpin, release */
    {{53, {112, 0, 0, 0, 2}},
     {0, {0}},
     {153, {0}},
     {1, {0, 1, 0, 0, 129}},
     {42, {0}},
     {92, {0}},
     {2, {0}},
     {END, {0}}},
    /* a call and its answer: channel_create, call, channel_read, channel_write, finish */
    {{3, {0}},
     {8, {1}},
     {4, {0}},
     {6, {0, 0, 0, 1, 8}},
     {STEP(STEP_RUN_ALL), {0}},
     {9, {0}},
     {END, {0}}},
    /* memory: vmo_create, clone, map, fault, write, set_size, op_range, unmap */
    {{153, {0, 2}},
     {159, {0, 1}},
     {149, {0}},
     {STEP(STEP_FAULT), {2, 3}},
     {155, {0}},
     {157, {0}},
     {158, {0, 1}},
     {END, {0}}},
    /* ... in a region of its own: vmar_allocate, vmo_create, map, unmap, destroy */
    {{147, {0}}, {153, {0}}, {149, {0}}, {151, {0}}, {150, {0}}, {148, {0}}, {END, {0}}},
    /* sockets, FIFOs: create, wait_async, write, read */
    {{105, {0}}, {93, {0}}, {67, {0}}, {106, {0}}, {107, {0}}, {95, {0}}, {END, {0}}},
    {{29, {9, 9}}, {65, {0}}, {31, {0, 9}}, {30, {0, 9}}, {END, {0}}},
    /* a futex: wait, requeue, wake */
    {{34, {0}}, {34, {0}}, {36, {0, 0, 0, 1, 1, 192}}, {35, {1, 1}}, {END, {0}}},
    {{34, {0, 0, 98}},
     {STEP(STEP_SETTLE), {0}},
     {35, {0, 1}},
     {STEP(STEP_KILL_THREAD), {0}},
     {END, {0}}},
    /* suspension: task_suspend, read_state, write_state, close */
    {{130, {0}}, {STEP(STEP_RUN_ALL), {0}}, {137, {0}}, {138, {0}}, {42, {0}}, {END, {0}}},
    /* clocks: create, get_details, update */
    {{13, {0}}, {15, {0, 212}}, {16, {0, 213}}, {END, {0}}},
    /* scheduling: thread_create, profile_create, set_profile */
    {{135, {0}}, {102, {0, 0, 0, 12, 1}}, {74, {1}}, {END, {0}}},
    /* interrupts: create, wait, trigger; create, port_create, bind, trigger, ack */
    {{46, {0, 0, 16}},
     {48, {0}},
     {51, {0}},
     {46, {0, 0, 16}},
     {93, {1}},
     {47, {0}},
     {51, {0}},
     {END, {0}}},
    /* the log: create, write, read */
    {{22, {112, 224, 30, 30}}, {23, {0}}, {24, {0}}, {END, {0}}},
};

static unsigned cook(uint8_t records[][RECORD_BYTES])
{
    const struct ingredient *recipe = recipes[pick(sizeof recipes / sizeof recipes[0])];
    uint8_t thread = (uint8_t)(pick(4) ? 0 : pick(4)); /* 0 stays in process 0 if one parks */
    unsigned n = 0;

    for (; recipe[n].what != END; n++) {
        memset(records[n], 0, RECORD_BYTES);
        records[n][0] = (uint8_t)recipe[n].what; /* STEP_* are what is left of 0x100 and up */
        records[n][1] = pick(8) ? thread : (uint8_t)pick(8);
        memcpy(records[n] + 2, recipe[n].choice, sizeof recipe[n].choice);
    }
    return n;
}

/* The number of the record at which something is done; `n` of them. */
static uint8_t *at(uint8_t *data, unsigned record)
{
    return data + record * RECORD_BYTES;
}

static unsigned insert(uint8_t *data, unsigned n, unsigned max)
{
    unsigned where = pick(n + 1), count = 1 + pick(n && pick(8) ? 4 : 32);

    if (n + count > max)
        return n;
    memmove(at(data, where + count), at(data, where), (n - where) * RECORD_BYTES);
    for (unsigned i = where; i < where + count; i++)
        random_record(at(data, i), i ? at(data, i - 1)[0] : 0);
    return n + count;
}

static unsigned insert_recipe(uint8_t *data, unsigned n, unsigned max)
{
    uint8_t records[8][RECORD_BYTES];
    unsigned where = pick(n + 1), count = cook(records);

    if (n + count > max)
        return n;
    memmove(at(data, where + count), at(data, where), (n - where) * RECORD_BYTES);
    memcpy(at(data, where), records, count * RECORD_BYTES);
    return n + count;
}

static unsigned repeat(uint8_t *data, unsigned n, unsigned max)
{
    unsigned from = pick(n), to = pick(n + 1);
    uint8_t record[RECORD_BYTES];

    if (n == max)
        return n;
    memcpy(record, at(data, from), RECORD_BYTES);
    memmove(at(data, to + 1), at(data, to), (n - to) * RECORD_BYTES);
    memcpy(at(data, to), record, RECORD_BYTES);
    return n + 1;
}

static unsigned delete (uint8_t *data, unsigned n)
{
    unsigned where = pick(n), count = 1 + pick(n - where < 4 ? n - where : 4);

    memmove(at(data, where), at(data, where + count), (n - where - count) * RECORD_BYTES);
    return n - count;
}

static void change(uint8_t *data, unsigned n)
{
    uint8_t *record = at(data, pick(n));

    switch (pick(4)) {
    case 0:
        record[1] = (uint8_t)pick(8);
        break;
    case 1:
        record[2 + pick(RECORD_BYTES - 2)] = (uint8_t)pick(256);
        break;
    case 2:
        record[2 + pick(10)] = (uint8_t)pick(8);
        break;
    default:
        LLVMFuzzerMutate(record + 2, RECORD_BYTES - 2, RECORD_BYTES - 2);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    unsigned n = (unsigned)(size / RECORD_BYTES), max = (unsigned)(max_size / RECORD_BYTES);

    srand(seed);
    if (n == 0)
        return insert(data, 0, max) * RECORD_BYTES;
    switch (pick(8)) {
    case 0:
    case 1:
        n = insert(data, n, max);
        break;
    case 2:
        n = insert_recipe(data, n, max);
        break;
    case 3:
        n = repeat(data, n, max);
        break;
    case 4:
        n = n > 1 ? delete (data, n) : n;
        break;
    default:
        change(data, n);
        break;
    }
    return n * RECORD_BYTES;
}

/* The first steps of one and the last of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    size_t head, tail;

    srand(seed);
    head = pick((unsigned)(size_a / RECORD_BYTES) + 1) * RECORD_BYTES;
    tail = pick((unsigned)(size_b / RECORD_BYTES) + 1) * RECORD_BYTES;
    if (head + tail > max_size)
        tail = (max_size - head) / RECORD_BYTES * RECORD_BYTES;
    memcpy(out, a, head);
    memcpy(out + head, b + size_b / RECORD_BYTES * RECORD_BYTES - tail, tail);
    return head + tail;
}
