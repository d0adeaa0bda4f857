/*
 * timerq.c - the deadline queue.
 */
#include "timerq.h"

#include "format.h"

static int compare(struct timer_entry *a, struct timer_entry *b)
{
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}
RB_GENERATE_STATIC(timer_tree, timer_entry, link, compare)

void timerq_init(struct timerq *queue)
{
    RB_INIT(&queue->tree);
    queue->first = NULL;
    queue->sequence = 0;
}

void timerq_arm(struct timerq *queue, struct timer_entry *entry, zx_time_t deadline)
{
    assert(!entry->armed);
    entry->deadline = deadline;
    if (deadline == ZX_TIME_INFINITE)
        return;
    entry->sequence = queue->sequence++;
    entry->armed = true;
    RB_INSERT(timer_tree, &queue->tree, entry);
    if (!queue->first || compare(entry, queue->first) < 0)
        queue->first = entry;
}

bool timerq_cancel(struct timerq *queue, struct timer_entry *entry)
{
    if (!entry->armed)
        return false;
    if (queue->first == entry)
        queue->first = RB_NEXT(timer_tree, &queue->tree, entry);
    RB_REMOVE(timer_tree, &queue->tree, entry);
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
