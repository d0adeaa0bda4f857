/* budget.c - sharing out a session's time. */
#include "bench/budget.h"

enum { LEAST_MS = 20, NS_A_MS = 1000000, REFRESH_PART = 3 };

#define REFRESH_NS UINT64_C(30000000000)

bool budget_is_spent(const struct budget *budget, uint64_t now_ns)
{
    return budget->end_ns != 0 && now_ns >= budget->end_ns;
}

unsigned budget_limit_ms(const struct budget *budget, uint64_t now_ns, unsigned most)
{
    if (budget->end_ns == 0 || most <= LEAST_MS)
        return most;
    if (budget_is_spent(budget, now_ns))
        return LEAST_MS;
    size_t left = budget->left != 0 ? budget->left : 1;
    uint64_t share = (budget->end_ns - now_ns) / NS_A_MS * 3 / 2 / left;
    if (share < LEAST_MS)
        return LEAST_MS;
    return share < most ? (unsigned)share : most;
}

uint64_t budget_refresh_ns(uint64_t begin_ns, uint64_t end_ns)
{
    uint64_t pause = (end_ns - begin_ns) * (REFRESH_PART - 1);
    return end_ns + (pause > REFRESH_NS ? pause : REFRESH_NS);
}

void budget_take(struct budget *budget, size_t count)
{
    budget->left = count < budget->left ? budget->left - count : 0;
}
