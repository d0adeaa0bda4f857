/*
 * Clocks (Zircon ABI, spring 2020): the ids of zx_clock_get, and clock objects, which are affine
 * functions of the monotonic clock. The option word of a clock call carries the version of the
 * structure passed with it: ZX_CLOCK_ARGS_VERSION(1) | options.
 */
#ifndef ZIRCON_CLOCK_H
#define ZIRCON_CLOCK_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

#define ZX_CLOCK_MONOTONIC ((zx_clock_t)0u)
#define ZX_CLOCK_UTC       ((zx_clock_t)1u)
#define ZX_CLOCK_THREAD    ((zx_clock_t)2u) /* time the calling thread has run */

/* Options of zx_clock_create. */
#define ZX_CLOCK_OPT_MONOTONIC  ((uint64_t)0x1u) /* never goes backwards */
#define ZX_CLOCK_OPT_CONTINUOUS ((uint64_t)0x2u) /* never jumps once started; implies MONOTONIC */
#define ZX_CLOCK_OPT_AUTO_START ((uint64_t)0x4u) /* starts as the monotonic clock; mid-2020 */

#define ZX_CLOCK_ARGS_VERSION_SHIFT 58u /* bits 58..63: version of the struct */
#define ZX_CLOCK_ARGS_VERSION_MASK  ((uint64_t)0xfc00000000000000u)
#define ZX_CLOCK_ARGS_VERSION(n)    ((uint64_t)(n) << ZX_CLOCK_ARGS_VERSION_SHIFT)

/* Options of zx_clock_update: which members are to be applied. */
#define ZX_CLOCK_UPDATE_OPTION_VALUE_VALID       ((uint64_t)0x1u)
#define ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID ((uint64_t)0x2u)
#define ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID ((uint64_t)0x4u)

#define ZX_CLOCK_UPDATE_MIN_RATE_ADJUST ((int32_t)-1000) /* parts per million */
#define ZX_CLOCK_UPDATE_MAX_RATE_ADJUST ((int32_t)1000)  /* parts per million */

/* error_bound before anybody has set one. */
#define ZX_CLOCK_UNKNOWN_ERROR ((uint64_t)0xffffffffffffffffu)

/* Synthetic time advances by synthetic_ticks while the reference advances by reference_ticks. */
typedef struct zx_clock_rate {
    uint32_t synthetic_ticks; /* 0 until the clock is started */
    uint32_t reference_ticks;
} zx_clock_rate_t;
ZX_ABI_SIZE(zx_clock_rate_t, 8);
ZX_ABI_OFFSET(zx_clock_rate_t, reference_ticks, 4);

/* synthetic = (reference - reference_offset) * rate + synthetic_offset */
typedef struct zx_clock_transformation {
    int64_t reference_offset;
    int64_t synthetic_offset;
    zx_clock_rate_t rate;
} zx_clock_transformation_t;
ZX_ABI_SIZE(zx_clock_transformation_t, 24);
ZX_ABI_OFFSET(zx_clock_transformation_t, rate, 16);

/* The clock is not allowed to show a time before backstop_time. */
typedef struct zx_clock_create_args_v1 {
    zx_time_t backstop_time;
} zx_clock_create_args_v1_t;
ZX_ABI_SIZE(zx_clock_create_args_v1_t, 8);

typedef struct zx_clock_details_v1 {
    uint64_t options; /* as given to zx_clock_create */
    zx_time_t backstop_time;
    zx_clock_transformation_t ticks_to_synthetic;
    zx_clock_transformation_t mono_to_synthetic;
    uint64_t error_bound;   /* nanoseconds, or ZX_CLOCK_UNKNOWN_ERROR */
    zx_ticks_t query_ticks; /* when this record was made */
    zx_ticks_t last_value_update_ticks;
    zx_ticks_t last_rate_adjust_update_ticks;
    zx_ticks_t last_error_bounds_update_ticks;
    uint32_t generation_counter; /* one more with every update */
    uint8_t padding1[4];
} zx_clock_details_v1_t;
ZX_ABI_SIZE(zx_clock_details_v1_t, 112);
ZX_ABI_OFFSET(zx_clock_details_v1_t, query_ticks, 72);
ZX_ABI_OFFSET(zx_clock_details_v1_t, generation_counter, 104);

typedef struct zx_clock_update_args_v1 {
    int32_t rate_adjust; /* parts per million */
    uint8_t padding1[4];
    int64_t value;        /* nanoseconds */
    uint64_t error_bound; /* nanoseconds */
} zx_clock_update_args_v1_t;
ZX_ABI_SIZE(zx_clock_update_args_v1_t, 24);
ZX_ABI_OFFSET(zx_clock_update_args_v1_t, error_bound, 16);

#endif
