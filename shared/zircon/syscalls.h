/*
 * Prototypes of the functions that the vDSO exports, made from <zircon/syscalls.def>. Each exists
 * twice: zx_X is weak, for programs to interpose; _zx_X is the same function under a name that
 * cannot be. Calls that the table marks SC_INTERNAL have no function.
 */
#ifndef ZIRCON_SYSCALLS_H
#define ZIRCON_SYSCALLS_H

#include <zircon/device.h>
#include <zircon/hypervisor.h>
#include <zircon/internal/args.h>
#include <zircon/ipc.h>
#include <zircon/pci.h>
#include <zircon/port.h>
#include <zircon/profile.h>
#include <zircon/system.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VAL(t)     t
#define IN(t)      const t *
#define OUT(t)     t *
#define INOUT(t)   t *
#define OPT_IN(t)  const t *
#define OPT_OUT(t) t *
#define VDSO_ENTRY(name, ret, flags, ...)                                                          \
    SC_RET_##ret zx_##name(SC_PARAMS(__VA_ARGS__));                                                \
    SC_RET_##ret _zx_##name(SC_PARAMS(__VA_ARGS__));
#define SYSCALL(number, name, ret, flags, ...)                                                     \
    SC_IF_EXPORTED(SC_PROBE_##flags)(VDSO_ENTRY(name, ret, flags, __VA_ARGS__))
#include <zircon/syscalls.def>

/* The rows that are SC_NORETURN. */
void zx_process_exit(int64_t retcode) __attribute__((noreturn));
void _zx_process_exit(int64_t retcode) __attribute__((noreturn));
void zx_thread_exit(void) __attribute__((noreturn));
void _zx_thread_exit(void) __attribute__((noreturn));
void zx_futex_wake_handle_close_thread_exit(zx_futex_t *value_ptr, uint32_t wake_count,
                                            int32_t new_value, zx_handle_t close_handle)
    __attribute__((noreturn));
void _zx_futex_wake_handle_close_thread_exit(zx_futex_t *value_ptr, uint32_t wake_count,
                                             int32_t new_value, zx_handle_t close_handle)
    __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
