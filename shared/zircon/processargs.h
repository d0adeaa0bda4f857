/*
 * The start-up message: what a new process finds in the channel it is started with (Zircon ABI,
 * March 2020). The message begins with zx_proc_args_t; its offsets lead to one 32-bit word per
 * handle that says what the handle is for, and to the strings of the argument, environment and name
 * tables, each string ended by a NUL.
 */
#ifndef ZIRCON_PROCESSARGS_H
#define ZIRCON_PROCESSARGS_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

#define ZX_PROCARGS_PROTOCOL 0x4150585du
#define ZX_PROCARGS_VERSION  0x1000u

/* Offsets are in bytes from the start of the message. */
typedef struct zx_proc_args {
    uint32_t protocol;
    uint32_t version;
    uint32_t handle_info_off; /* one uint32_t per handle of the message */
    uint32_t args_off;
    uint32_t args_num;
    uint32_t environ_off;
    uint32_t environ_num;
    uint32_t names_off;
    uint32_t names_num;
} zx_proc_args_t;
ZX_ABI_SIZE(zx_proc_args_t, 36);
ZX_ABI_OFFSET(zx_proc_args_t, environ_off, 20);
ZX_ABI_OFFSET(zx_proc_args_t, names_num, 32);

/* Handle information: a type in bits 0..7, an argument in bits 16..31. */
#define PA_HND(type, arg) (((type)&0xffu) | (((arg)&0xffffu) << 16))
#define PA_HND_TYPE(info) ((info)&0xffu)
#define PA_HND_ARG(info)  (((info) >> 16) & 0xffffu)

#define PA_PROC_SELF         0x01u /* the process itself */
#define PA_THREAD_SELF       0x02u /* its first thread */
#define PA_JOB_DEFAULT       0x03u /* the job in which it may start processes */
#define PA_VMAR_ROOT         0x04u /* its root address region */
#define PA_VMAR_LOADED       0x05u /* the region that holds the program's own image */
#define PA_LDSVC_LOADER      0x10u /* channel to the loader service */
#define PA_VMO_VDSO          0x11u /* a vDSO; argument = which variant */
#define PA_VMO_STACK         0x13u /* the first thread's stack */
#define PA_VMO_EXECUTABLE    0x14u /* the program's file, for the dynamic linker */
#define PA_VMO_BOOTDATA      0x1au /* a boot image (ZBI); argument = which */
#define PA_VMO_BOOTFS        0x1bu /* the uncompressed boot file system */
#define PA_VMO_KERNEL_FILE   0x1cu /* a file the kernel offers under its object name */
#define PA_NS_DIR            0x20u /* a directory; argument = index of its path in the names */
#define PA_FD                0x30u /* argument = file descriptor number */
#define PA_LIFECYCLE         0x3au
#define PA_DIRECTORY_REQUEST 0x3bu
#define PA_RESOURCE          0x3fu /* the root resource */
#define PA_CLOCK_UTC         0x40u
#define PA_USER0             0xf0u /* meaning private to the programs involved */
#define PA_USER1             0xf1u /* likewise */
#define PA_USER2             0xf2u /* likewise */

#endif
