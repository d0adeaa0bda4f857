/*
 * syscalls.h - the kernel's side of every row of <zircon/syscalls.def>.
 *
 * Row `channel_read` is the function sys_channel_read in one of this folder's files, one file a
 * family. A row without a function answers ZX_ERR_NOT_SUPPORTED: the prototypes are weak, so the
 * dispatch table finds NULL there, and nothing has to be registered anywhere when one is added.
 *
 * Conventions:
 *   - the first parameter is the calling thread; values have the row's types, user addresses of any
 *     kind are struct user_ptr;
 *   - the function decodes (handles, rights, lengths, user memory) in the order the rules give, then
 *     acts through object/; early returns, no partial effects on failure unless the rules say so;
 *   - a call that parks ends with wait_begin; its return value is ignored then.
 */
#ifndef ZVMM_SYSCALL_SYSCALLS_H
#define ZVMM_SYSCALL_SYSCALLS_H

#include <zircon/errors.h>
#include <zircon/internal/args.h>
#include <zircon/ipc.h>
#include <zircon/device.h>
#include <zircon/object.h>
#include <zircon/pci.h>
#include <zircon/port.h>
#include <zircon/profile.h>
#include <zircon/system.h>
#include <zircon/types.h>

#include "handle.h"
#include "process.h"
#include "thread.h"
#include "usercopy.h"

#define VAL(t) t
#define IN(t) struct user_ptr
#define OUT(t) struct user_ptr
#define INOUT(t) struct user_ptr
#define OPT_IN(t) struct user_ptr
#define OPT_OUT(t) struct user_ptr
#define SYS_PARAM(index, type, name) , type name
#define SYSCALL(number, name, ret, flags, ...)                                                     \
    int64_t sys_##name(struct thread *self SC_MAP(SYS_PARAM, __VA_ARGS__)) __attribute__((weak));
#include <zircon/syscalls.def>
#undef SYS_PARAM

#endif
