/* memory.h - the file that physical memory is. */
#ifndef HAL_LIBOS_MEMORY_H
#define HAL_LIBOS_MEMORY_H

#include <stdint.h>

/*
 * Makes a file of `bytes` without a name, to be mapped shared, and maps it whole at *mapped. Its
 * pages are huge ones (2 MiB) where the host lets this process ask for them. The file is closed by
 * execve. Returns the descriptor, or -1 with errno.
 */
int memory_make(uint64_t bytes, void **mapped);

#endif
