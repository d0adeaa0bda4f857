/*
 * timerq.c - the deadline queue: C. A. Crane's leftist heap, with parents so that any entry can go.
 */
#include "timerq.h"

#include <stddef.h>

#include "format.h"

static bool before(const struct timer_entry *a, const struct timer_entry *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

static uint8_t rank_of(const struct timer_entry *entry)
{
    return entry ? entry->rank : 0;
}

/* The shorter way down has to be on the right. Returns whether the entry's own became another. */
static bool balance(struct timer_entry *entry)
{
    struct timer_entry *left = entry->left;
    uint8_t old = entry->rank;

    if (rank_of(left) < rank_of(entry->right)) {
        entry->left = entry->right;
        entry->right = left;
    }
    entry->rank = (uint8_t)(rank_of(entry->right) + 1);
    return entry->rank != old;
}

/* From `entry` up as far as ranks change: each is higher than the last, so log2(n + 1) at most. */
static void balance_up(struct timer_entry *entry)
{
    while (entry && balance(entry))
        entry = entry->parent;
}

/* Puts `entry`, NULL for none, into *place, which belongs to `parent`. */
static void put(struct timer_entry **place, struct timer_entry *parent, struct timer_entry *entry)
{
    *place = entry;
    if (entry)
        entry->parent = parent;
}

/* Merges the heaps a and b, either may be NULL, into *place, which belongs to `parent`. */
static void merge(struct timer_entry **place, struct timer_entry *parent, struct timer_entry *a,
                  struct timer_entry *b)
{
    struct timer_entry *bottom = parent;

    while (a && b) {
        struct timer_entry *first = before(a, b) ? a : b, *rest = first->right;

        b = first == a ? b : a;
        a = rest;
        put(place, bottom, first);
        bottom = first;
        place = &first->right;
    }
    put(place, bottom, a ? a : b);
    for (; bottom != parent; bottom = bottom->parent)
        balance(bottom);
    balance_up(parent);
}

void timerq_init(struct timerq *queue)
{
    *queue = (struct timerq){.first = NULL};
}

void timerq_arm(struct timerq *queue, struct timer_entry *entry, zx_time_t deadline)
{
    struct timer_entry **place = &queue->first, *parent = NULL;

    assert(!entry->armed);
    entry->deadline = deadline;
    if (deadline == ZX_TIME_INFINITE)
        return;
    while (*place && (*place)->deadline <= deadline) {
        parent = *place;
        place = &parent->right;
    }
    entry->sequence = queue->sequence++;
    entry->rank = 1;
    entry->armed = true;
    entry->right = NULL;
    put(&entry->left, entry, *place);
    put(place, parent, entry);
    balance_up(parent);
}

/* The pointer to an armed entry. */
static struct timer_entry **place_of(struct timerq *queue, const struct timer_entry *entry)
{
    struct timer_entry *parent = entry->parent;

    if (!parent)
        return &queue->first;
    return parent->left == entry ? &parent->left : &parent->right;
}

bool timerq_cancel(struct timerq *queue, struct timer_entry *entry)
{
    if (!entry->armed)
        return false;
    merge(place_of(queue, entry), entry->parent, entry->left, entry->right);
    entry->armed = false;
    return true;
}

zx_time_t timerq_next(const struct timerq *queue)
{
    return queue->first ? queue->first->deadline : ZX_TIME_INFINITE;
}

void timerq_expire(struct timerq *queue, zx_time_t now)
{
    struct timer_entry *entry;

    while ((entry = queue->first) && entry->deadline <= now) {
        timerq_cancel(queue, entry);
        entry->fire(entry, now);
    }
}
