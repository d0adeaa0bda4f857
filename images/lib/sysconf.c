/*
 * Facts about the system that have a meaning here.
 */
#include <errno.h>
#include <unistd.h>
#include <zircon/syscalls.h>

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return (long)ZX_PAGE_SIZE;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return (long)zx_system_get_num_cpus();
    case _SC_PHYS_PAGES:
        return (long)(zx_system_get_physmem() / ZX_PAGE_SIZE);
    }
    errno = EINVAL;
    return -1;
}
