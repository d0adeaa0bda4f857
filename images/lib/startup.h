/*
 * The handles of the start-up message, for the library's own parts.
 */
#ifndef ZX_LIB_STARTUP_H
#define ZX_LIB_STARTUP_H

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

/* Both arrays have to stay where they are. infos: the PA_HND word of each handle. */
void startup_handles_set(zx_handle_t *handles, const uint32_t *infos, size_t count);

#define STARTUP_HANDLES_MAX 64u /* a channel message has no more */

/*
 * Duplicates the handles that are left and that a child inherits, which are all but those of this
 * process and thread and its default job. Returns how many, at most capacity.
 */
size_t startup_handles_duplicate(zx_handle_t *handles, uint32_t *infos, size_t capacity);

#endif
