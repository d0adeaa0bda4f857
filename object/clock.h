/*
 * clock.h - clock objects: affine functions of the monotonic clock that user code adjusts.
 */
#ifndef ZVMM_OBJECT_CLOCK_H
#define ZVMM_OBJECT_CLOCK_H

#include <zircon/clock.h>

#include "object.h"

struct clock {
    struct object object;
    uint64_t options; /* ZX_CLOCK_OPT_* */
    zx_time_t backstop;
    bool started;
    /* synthetic = (monotonic - reference) * numerator / denominator + synthetic; 0/1 if stopped */
    zx_time_t reference, synthetic;
    zx_ticks_t reference_ticks; /* the tick counter when the clock showed `synthetic` */
    zx_clock_rate_t rate;
    uint64_t error_bound;
    zx_ticks_t value_ticks, rate_ticks, error_ticks; /* when each was last set; 0: never */
    uint32_t generation;
};

extern const struct object_ops clock_ops;

/*
 * One reference. options (ZX_CLOCK_OPT_* alone) and backstop as rules 13; ZX_ERR_INVALID_ARGS,
 * ZX_ERR_NO_MEMORY.
 */
zx_status_t clock_create(uint64_t options, zx_time_t backstop, struct clock **out);
zx_time_t clock_read(const struct clock *clock);
void clock_get_details(const struct clock *clock, zx_clock_details_v1_t *out);
/* what: ZX_CLOCK_UPDATE_OPTION_*, not none. ZX_ERR_INVALID_ARGS, ZX_ERR_BAD_STATE (rules 16). */
zx_status_t clock_update(struct clock *clock, uint64_t what, const zx_clock_update_args_v1_t *args);

#endif
