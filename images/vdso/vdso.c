/*
 * The entries of the vDSO that are more than a stub: those that answer from the constants which the
 * kernel patched into the image, and those that check, split or repeat system calls. The code runs
 * in user mode with nothing linked to it: no writable data, no relocations, no library.
 */

#include <zircon/errors.h>
#include <zircon/exception.h>
#include <zircon/features.h>
#include <zircon/limits.h>
#include <zircon/syscalls.h>
#include <zircon/time.h>
#include <zircon/vdso.h>
#include <zircon/vm.h>

#define HIDDEN   __attribute__((visibility("hidden")))
#define EXPORTED __attribute__((visibility("default")))

/* The weak second name of an exported function. */
#define EXPORT(name)                                                                               \
    extern __typeof__(_zx_##name) zx_##name                                                        \
        __attribute__((weak, alias("_zx_" #name), visibility("default")))

extern const struct vdso_constants DATA_CONSTANTS HIDDEN;

/* See struct zvmm_vdso_time_note. It can change between any two instructions. */
extern const volatile uint64_t ticks_offset HIDDEN;

/* System calls that vdso.S gives no exported entry. */
zx_status_t raw_channel_call_noretry(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                                     const zx_channel_call_args_t *args, uint32_t *actual_bytes,
                                     uint32_t *actual_handles) HIDDEN;
zx_status_t raw_channel_call_finish(zx_time_t deadline, const zx_channel_call_args_t *args,
                                    uint32_t *actual_bytes, uint32_t *actual_handles) HIDDEN;
zx_time_t raw_clock_get_monotonic_via_kernel(void) HIDDEN;
zx_status_t raw_cprng_draw_once(void *buffer, size_t buffer_size) HIDDEN;
zx_status_t raw_syscall_test_wrapper(int32_t a, int32_t b, int32_t c) HIDDEN;

/* For the kernel to export in place of zx_deadline_after, see struct zvmm_vdso_time_note. */
zx_time_t deadline_after_via_kernel(zx_duration_t nanoseconds) HIDDEN;

/* --- Time --- */

/* A counter and an offset that do not belong together would be far from the time: read again. */
static zx_ticks_t read_ticks(void)
{
    uint32_t low, high;
    uint64_t offset;

    do {
        offset = ticks_offset;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    } while (offset != ticks_offset);
    return (zx_ticks_t)(((uint64_t)high << 32 | low) + offset);
}

/*
 * (value * numerator + round_up) / denominator, or UINT64_MAX if that does not fit. The product
 * takes up to 96 bits, and one `div` reduces it.
 */
static uint64_t scale(uint64_t value, uint32_t numerator, uint32_t denominator, uint32_t round_up)
{
    unsigned __int128 product = (unsigned __int128)value * numerator + round_up;
    uint64_t high = (uint64_t)(product >> 64);
    uint64_t quotient, remainder;

    if (high >= denominator)
        return UINT64_MAX;
    __asm__("divq %4"
            : "=a"(quotient), "=d"(remainder)
            : "a"((uint64_t)product), "d"(high), "r"((uint64_t)denominator)
            : "cc");
    return quotient;
}

/* Ticks in nanoseconds: rounded down (for negative ticks away from zero), and saturating. */
static zx_time_t ticks_to_time(zx_ticks_t ticks)
{
    uint32_t numerator = DATA_CONSTANTS.ticks_to_mono_numerator;
    uint32_t denominator = DATA_CONSTANTS.ticks_to_mono_denominator;
    uint64_t magnitude;

    if (denominator == 0)
        __builtin_trap();
    if (ticks >= 0) {
        magnitude = scale((uint64_t)ticks, numerator, denominator, 0);
        return magnitude > (uint64_t)INT64_MAX ? INT64_MAX : (zx_time_t)magnitude;
    }
    magnitude = scale(-(uint64_t)ticks, numerator, denominator, denominator - 1);
    return magnitude > (uint64_t)INT64_MAX ? INT64_MIN : -(zx_time_t)magnitude;
}

EXPORTED zx_ticks_t _zx_ticks_get(void)
{
    return read_ticks();
}
EXPORT(ticks_get);

EXPORTED zx_ticks_t _zx_ticks_per_second(void)
{
    return (zx_ticks_t)DATA_CONSTANTS.ticks_per_second;
}
EXPORT(ticks_per_second);

EXPORTED zx_time_t _zx_clock_get_monotonic(void)
{
    return ticks_to_time(read_ticks());
}
EXPORT(clock_get_monotonic);

EXPORTED zx_time_t _zx_deadline_after(zx_duration_t nanoseconds)
{
    return zx_time_add_duration(ticks_to_time(read_ticks()), nanoseconds);
}
EXPORT(deadline_after);

zx_time_t deadline_after_via_kernel(zx_duration_t nanoseconds)
{
    return zx_time_add_duration(raw_clock_get_monotonic_via_kernel(), nanoseconds);
}

/* --- The machine --- */

EXPORTED uint32_t _zx_system_get_num_cpus(void)
{
    return DATA_CONSTANTS.max_num_cpus;
}
EXPORT(system_get_num_cpus);

EXPORTED uint64_t _zx_system_get_physmem(void)
{
    return DATA_CONSTANTS.physmem;
}
EXPORT(system_get_physmem);

EXPORTED uint32_t _zx_system_get_dcache_line_size(void)
{
    return DATA_CONSTANTS.dcache_line_size;
}
EXPORT(system_get_dcache_line_size);

EXPORTED zx_status_t _zx_system_get_features(uint32_t kind, uint32_t *features)
{
    switch (kind) {
    case ZX_FEATURE_KIND_CPU:
        if ((DATA_CONSTANTS.features_cpu & ZX_HAS_CPU_FEATURES) == 0)
            return ZX_ERR_NOT_SUPPORTED;
        *features = DATA_CONSTANTS.features_cpu;
        return ZX_OK;
    case ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT:
        *features = DATA_CONSTANTS.features_hw_breakpoint_count;
        return ZX_OK;
    case ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT:
        *features = DATA_CONSTANTS.features_hw_watchpoint_count;
        return ZX_OK;
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
EXPORT(system_get_features);

EXPORTED zx_status_t _zx_system_get_version(char *version, size_t version_size)
{
    if (version_size < sizeof(DATA_CONSTANTS.version))
        return ZX_ERR_BUFFER_TOO_SMALL;
    __builtin_memcpy(version, DATA_CONSTANTS.version, sizeof(DATA_CONSTANTS.version));
    return ZX_OK;
}
EXPORT(system_get_version);

EXPORTED zx_status_t _zx_cache_flush(const void *addr, size_t size, uint32_t options)
{
    uintptr_t line = DATA_CONSTANTS.dcache_line_size;
    uintptr_t end = (uintptr_t)addr + size;

    switch (options) {
    case ZX_CACHE_FLUSH_INSN:
    case ZX_CACHE_FLUSH_DATA:
    case ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_DATA:
    case ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INVALIDATE:
    case ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INVALIDATE:
        break;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
    if (line == 0)
        return ZX_ERR_NOT_SUPPORTED;
    for (uintptr_t at = (uintptr_t)addr & ~(line - 1); at < end; at += line)
        __asm__ volatile("clflush %0" : : "m"(*(const char *)at) : "memory");
    __asm__ volatile("mfence" : : : "memory");
    return ZX_OK;
}
EXPORT(cache_flush);

/* --- Around system calls --- */

/* A call that a suspension interrupted has sent its message; only the wait is taken up again. */
EXPORTED zx_status_t _zx_channel_call(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                                      const zx_channel_call_args_t *args, uint32_t *actual_bytes,
                                      uint32_t *actual_handles)
{
    zx_status_t status =
        raw_channel_call_noretry(handle, options, deadline, args, actual_bytes, actual_handles);
    while (status == ZX_ERR_INTERNAL_INTR_RETRY)
        status = raw_channel_call_finish(deadline, args, actual_bytes, actual_handles);
    return status;
}
EXPORT(channel_call);

/* Programs rely on getting random bytes, so that there is no way to report failure but to stop. */
EXPORTED void _zx_cprng_draw(void *buffer, size_t buffer_size)
{
    char *at = (char *)buffer;

    while (buffer_size > 0) {
        size_t chunk = buffer_size < ZX_CPRNG_DRAW_MAX_LEN ? buffer_size : ZX_CPRNG_DRAW_MAX_LEN;
        if (raw_cprng_draw_once(at, chunk) != ZX_OK)
            __builtin_trap();
        at += chunk;
        buffer_size -= chunk;
    }
}
EXPORT(cprng_draw);

/* Exists to prove that an entry can examine arguments and result. */
EXPORTED zx_status_t _zx_syscall_test_wrapper(int32_t a, int32_t b, int32_t c)
{
    zx_status_t sum;

    if (a < 0 || b < 0 || c < 0)
        return ZX_ERR_INVALID_ARGS;
    sum = raw_syscall_test_wrapper(a, b, c);
    return sum > 50 ? ZX_ERR_OUT_OF_RANGE : sum;
}
EXPORT(syscall_test_wrapper);

/* --- Names of numbers --- */

/* The names stand in the tables themselves: pointers to them would need relocations. */
struct status_name {
    zx_status_t status;
    char name[32];
};

struct exception_name {
    uint32_t type;
    char name[32];
};

#define NAME(constant)                                                                             \
    {                                                                                              \
        constant, #constant                                                                        \
    }

static const struct status_name status_names[] = {
    NAME(ZX_OK),
    NAME(ZX_ERR_INTERNAL),
    NAME(ZX_ERR_NOT_SUPPORTED),
    NAME(ZX_ERR_NO_RESOURCES),
    NAME(ZX_ERR_NO_MEMORY),
    NAME(ZX_ERR_INTERNAL_INTR_RETRY),
    NAME(ZX_ERR_INVALID_ARGS),
    NAME(ZX_ERR_BAD_HANDLE),
    NAME(ZX_ERR_WRONG_TYPE),
    NAME(ZX_ERR_BAD_SYSCALL),
    NAME(ZX_ERR_OUT_OF_RANGE),
    NAME(ZX_ERR_BUFFER_TOO_SMALL),
    NAME(ZX_ERR_BAD_STATE),
    NAME(ZX_ERR_TIMED_OUT),
    NAME(ZX_ERR_SHOULD_WAIT),
    NAME(ZX_ERR_CANCELED),
    NAME(ZX_ERR_PEER_CLOSED),
    NAME(ZX_ERR_NOT_FOUND),
    NAME(ZX_ERR_ALREADY_EXISTS),
    NAME(ZX_ERR_ALREADY_BOUND),
    NAME(ZX_ERR_UNAVAILABLE),
    NAME(ZX_ERR_ACCESS_DENIED),
    NAME(ZX_ERR_IO),
    NAME(ZX_ERR_IO_REFUSED),
    NAME(ZX_ERR_IO_DATA_INTEGRITY),
    NAME(ZX_ERR_IO_DATA_LOSS),
    NAME(ZX_ERR_IO_NOT_PRESENT),
    NAME(ZX_ERR_IO_OVERRUN),
    NAME(ZX_ERR_IO_MISSED_DEADLINE),
    NAME(ZX_ERR_IO_INVALID),
    NAME(ZX_ERR_BAD_PATH),
    NAME(ZX_ERR_NOT_DIR),
    NAME(ZX_ERR_NOT_FILE),
    NAME(ZX_ERR_FILE_BIG),
    NAME(ZX_ERR_NO_SPACE),
    NAME(ZX_ERR_NOT_EMPTY),
    NAME(ZX_ERR_STOP),
    NAME(ZX_ERR_NEXT),
    NAME(ZX_ERR_ASYNC),
    NAME(ZX_ERR_PROTOCOL_NOT_SUPPORTED),
    NAME(ZX_ERR_ADDRESS_UNREACHABLE),
    NAME(ZX_ERR_ADDRESS_IN_USE),
    NAME(ZX_ERR_NOT_CONNECTED),
    NAME(ZX_ERR_CONNECTION_REFUSED),
    NAME(ZX_ERR_CONNECTION_RESET),
    NAME(ZX_ERR_CONNECTION_ABORTED),
};

static const struct exception_name exception_names[] = {
    NAME(ZX_EXCP_GENERAL),
    NAME(ZX_EXCP_FATAL_PAGE_FAULT),
    NAME(ZX_EXCP_UNDEFINED_INSTRUCTION),
    NAME(ZX_EXCP_SW_BREAKPOINT),
    NAME(ZX_EXCP_HW_BREAKPOINT),
    NAME(ZX_EXCP_UNALIGNED_ACCESS),
    NAME(ZX_EXCP_THREAD_STARTING),
    NAME(ZX_EXCP_THREAD_EXITING),
    NAME(ZX_EXCP_POLICY_ERROR),
    NAME(ZX_EXCP_PROCESS_STARTING),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

EXPORTED const char *_zx_status_get_string(zx_status_t status)
{
    for (size_t i = 0; i < COUNT(status_names); i++) {
        if (status_names[i].status == status)
            return status_names[i].name;
    }
    return "(UNKNOWN)";
}
EXPORT(status_get_string);

EXPORTED const char *_zx_exception_get_string(uint32_t exception)
{
    for (size_t i = 0; i < COUNT(exception_names); i++) {
        if (exception_names[i].type == exception)
            return exception_names[i].name;
    }
    return "(UNKNOWN)";
}
EXPORT(exception_get_string);
