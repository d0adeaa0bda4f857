/*
 * What a program was started with: handles of itself and those its launcher gave it.
 */
#ifndef ZIRCON_PROCESS_H
#define ZIRCON_PROCESS_H

#include <zircon/processargs.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* These are borrowed: they stay valid while the program runs and must not be closed. */
zx_handle_t zx_process_self(void);
zx_handle_t zx_thread_self(void); /* the calling thread */
zx_handle_t zx_vmar_root_self(void);
zx_handle_t zx_job_default(void); /* in which new processes may be made */

/*
 * A handle of the start-up message by its PA_HND(type, argument) word, other than the four above.
 * take hands it over: the caller closes it, and it is found once. get only looks; the library
 * itself gets PA_HND(PA_RESOURCE, 0) to read standard input. ZX_HANDLE_INVALID if there is none.
 */
zx_handle_t zx_take_startup_handle(uint32_t info);
zx_handle_t zx_get_startup_handle(uint32_t info);

#ifdef __cplusplus
}
#endif

#endif
