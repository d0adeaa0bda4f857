/*
 * The system as a whole (Zircon ABI, March 2020): events about memory, and power control.
 */
#ifndef ZIRCON_SYSTEM_H
#define ZIRCON_SYSTEM_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* Kinds of zx_system_get_event. */
typedef uint32_t zx_system_event_type_t;
#define ZX_SYSTEM_EVENT_OUT_OF_MEMORY            1u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_CRITICAL 2u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING  3u
#define ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL   4u

/* Commands of zx_system_powerctl. */
#define ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS              1u
#define ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY 2u
#define ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE      3u /* takes zx_system_powerctl_arg_t */
#define ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1              4u /* takes zx_system_powerctl_arg_t */
#define ZX_SYSTEM_POWERCTL_REBOOT                       5u
#define ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER            6u
#define ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY              7u
#define ZX_SYSTEM_POWERCTL_SHUTDOWN                     8u

typedef struct zx_system_powerctl_arg {
    union {
        struct {
            uint8_t target_s_state; /* 1 to 5 */
            uint8_t sleep_type_a;   /* SLP_TYPa and SLP_TYPb as ACPI's \_Sx object gives them */
            uint8_t sleep_type_b;
            uint8_t padding1[9];
        } acpi_transition_s_state;
        struct {
            uint32_t power_limit; /* milliwatts */
            uint32_t time_window; /* microseconds */
            uint8_t clamp;
            uint8_t enable;
            uint8_t padding2[2];
        } x86_power_limit;
    };
} zx_system_powerctl_arg_t;
ZX_ABI_SIZE(zx_system_powerctl_arg_t, 12);
ZX_ABI_OFFSET(zx_system_powerctl_arg_t, acpi_transition_s_state.sleep_type_b, 2);
ZX_ABI_OFFSET(zx_system_powerctl_arg_t, x86_power_limit.enable, 9);

#endif
