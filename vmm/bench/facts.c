/* facts.c - the ring between the process that runs the guest and the one that watches it. */
#include "bench/facts.h"

#include <stddef.h>
#include <sys/mman.h>
#include <x86intrin.h>

struct facts_ring *facts_create(void)
{
    void *ring = mmap(NULL, sizeof(struct facts_ring), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return ring != MAP_FAILED ? ring : NULL;
}

void facts_destroy(struct facts_ring *ring)
{
    if (ring != NULL)
        munmap(ring, sizeof(*ring));
}

void facts_note_exit(struct facts_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    ring->at[head % FACTS_RING] = __rdtsc();
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void facts_note_reading(struct facts_ring *ring, const struct pmu_reading *reading)
{
    uint64_t count = atomic_load_explicit(&ring->reading_count, memory_order_relaxed);
    if (count == FACTS_READINGS)
        return;
    ring->readings[count] = *reading;
    ring->readings[count].tsc = __rdtsc();
    atomic_store_explicit(&ring->reading_count, count + 1, memory_order_release);
}

void facts_drain(struct facts_ring *ring, struct vouch_facts *to)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head - ring->tail > FACTS_RING / 2) {
        /* The writer may be overtaking: give up what it can reach. */
        uint64_t since = to->exits.count != 0 ? to->exits.at[to->exits.count - 1] : 0;
        ring->tail = head;
        vouch_add_span(to, since, __rdtsc(), VOUCH_BLIND);
        return;
    }
    for (; ring->tail != head; ring->tail++)
        vouch_add_exit(to, ring->at[ring->tail % FACTS_RING]);
}
