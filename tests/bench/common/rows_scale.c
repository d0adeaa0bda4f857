/*
 * rows_scale.c - costs that must not grow with what else there is: timers with many pending, a port
 * with many sources, a wake-up among many sleepers.
 */
#include "rows.h"

const struct row scale_rows[] = {
    {"Timer/SetCancel/1pending", timer_set_cancel, .steps = "set cancel", .count = 1},
    {"Timer/SetCancel/1000pending", timer_set_cancel, .steps = "set cancel", .count = 1000},
    {"Timer/SetCancel/100000pending", timer_set_cancel, .steps = "set cancel", .count = 100000},
    {"Port/FanIn/1sources", port_fan_in, .steps = "signal wait rearm", .count = 1},
    {"Port/FanIn/10sources", port_fan_in, .steps = "signal wait rearm", .count = 10},
    {"Port/FanIn/1000sources", port_fan_in, .steps = "signal wait rearm", .count = 1000},
    {"Thread/Wake/10sleepers", wake_sleeper, .count = 10},
    {"Thread/Wake/10000sleepers", wake_sleeper, .count = 10000, .flags = COLD},
    {0},
};
