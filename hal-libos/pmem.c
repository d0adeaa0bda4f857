/* pmem.c - physical memory through the kernel's mapping of the memory file. */
#include <hal.h>

#include <string.h>

#include "machine.h"

void hal_pmem_read(hal_paddr_t from, void *to, size_t length)
{
    memcpy(to, machine_direct(from), length);
}

void hal_pmem_write(hal_paddr_t to, const void *from, size_t length)
{
    memcpy(machine_direct(to), from, length);
}

void hal_pmem_zero(hal_paddr_t at, size_t length)
{
    memset(machine_direct(at), 0, length);
}

void hal_pmem_copy(hal_paddr_t to, hal_paddr_t from, size_t length)
{
    memcpy(machine_direct(to), machine_direct(from), length);
}
