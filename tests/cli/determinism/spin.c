/*
 * spin: a thread computes without ever entering the kernel until another, which sleeps, tells it to
 * stop. How far it comes, and where, depends on the instruction at which it is preempted.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <threads.h>
#include <zircon/zircon.h>

static atomic_bool done;

static int tell(void *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++)
        zx_nanosleep(zx_deadline_after(1000000));
    atomic_store(&done, true);
    return 0;
}

int main(void)
{
    uint64_t rounds = 0, hash = 1;
    thrd_t teller;

    if (thrd_create(&teller, tell, NULL) != thrd_success)
        return 1;
    for (; !atomic_load_explicit(&done, memory_order_relaxed); rounds++)
        hash = hash * 6364136223846793005u + rounds;
    thrd_join(teller, NULL);
    printf("%llu rounds, %llx\n", (unsigned long long)rounds, (unsigned long long)hash);
    return 0;
}
