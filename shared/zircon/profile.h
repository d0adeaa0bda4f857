/*
 * Scheduling profiles (Zircon ABI, spring 2020): the argument of zx_profile_create.
 */
#ifndef ZIRCON_PROFILE_H
#define ZIRCON_PROFILE_H

#include <zircon/internal/layout.h>
#include <zircon/object.h>
#include <zircon/types.h>

#define ZX_PRIORITY_LOWEST  0u
#define ZX_PRIORITY_LOW     8u
#define ZX_PRIORITY_DEFAULT 16u
#define ZX_PRIORITY_HIGH    24u
#define ZX_PRIORITY_HIGHEST 31u

/* Which members are set; PRIORITY and DEADLINE exclude each other. */
#define ZX_PROFILE_INFO_FLAG_PRIORITY 0x1u
#define ZX_PROFILE_INFO_FLAG_CPU_MASK 0x2u
#define ZX_PROFILE_INFO_FLAG_DEADLINE 0x4u

/* Run for capacity in every period, done by relative_deadline after its start. Nanoseconds. */
typedef struct zx_sched_deadline_params {
    zx_duration_t capacity;
    zx_duration_t relative_deadline;
    zx_duration_t period;
} zx_sched_deadline_params_t;
ZX_ABI_SIZE(zx_sched_deadline_params_t, 24);

typedef struct zx_profile_info {
    uint32_t flags; /* ZX_PROFILE_INFO_FLAG_ */
    uint8_t padding1[4];
    union {
        struct {
            int32_t priority; /* if PRIORITY: LOWEST to HIGHEST */
            uint8_t padding2[20];
        };
        zx_sched_deadline_params_t deadline_params; /* if DEADLINE */
    };
    zx_cpu_set_t cpu_affinity_mask; /* if CPU_MASK; only the first word is used in 2020 */
} zx_profile_info_t;
ZX_ABI_SIZE(zx_profile_info_t, 96);
ZX_ABI_OFFSET(zx_profile_info_t, cpu_affinity_mask, 32);
ZX_ABI_OFFSET(zx_profile_info_t, priority, 8);
ZX_ABI_OFFSET(zx_profile_info_t, deadline_params.period, 24);

#endif
