/*
 * Starting programs from the boot file system.
 */
#ifndef ZVMM_LAUNCH_H
#define ZVMM_LAUNCH_H

#include <stddef.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle for the new program beyond those it inherits, found there under its PA_HND word. */
struct launch_handle {
    zx_handle_t handle;
    uint32_t info;
};

struct launch_args {
    const char *program;     /* as bootfs_find_program finds it */
    const char *const *argv; /* ends with NULL; NULL: the program's path alone */
    const char *const *envp; /* ends with NULL; NULL: our own environment */
    zx_handle_t job;         /* in which to make the process; ZX_HANDLE_INVALID: zx_job_default() */
    const struct launch_handle *handles; /* these are moved, whatever the result */
    size_t handle_count;
};

/*
 * Starts a program. It gets duplicates of all handles we were started with and still have, with
 * handles of itself in place of ours and job as PA_JOB_DEFAULT. *process is the new process.
 * ZX_ERR_NOT_FOUND: there is no such file. ZX_ERR_NOT_SUPPORTED: it is no static program for
 * x86-64.
 */
zx_status_t zx_launch(const struct launch_args *args, zx_handle_t *process);

/* Waits until a process has ended and gets its return code. */
zx_status_t zx_launch_wait(zx_handle_t process, int64_t *return_code);

#ifdef __cplusplus
}
#endif

#endif
