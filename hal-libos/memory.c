/*
 * memory.c - the file that physical memory is; see memory.h.
 *
 * A memfd has small pages unless the administrator says otherwise (/sys/kernel/mm/
 * transparent_hugepage/shmem_enabled, by default "never"). A tmpfs of one's own has the pages it is
 * mounted for, and needs no place in the file tree; but it takes CAP_SYS_ADMIN to make one.
 */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "machine.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

/* A mount of a tmpfs with huge pages that nothing else can see. -1: it may not be made. */
static int mount_huge(void)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1;

    if (context < 0)
        return -1;
    /* Size 0 is none: memory beyond half of the host's is not to fail where a memfd's would not. */
    if (fsconfig(context, FSCONFIG_SET_STRING, "huge", "always", 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "size", "0", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
    close(context);
    return mount;
}

/* The file keeps the file system; the mount is not needed any more. */
static int make_huge_file(void)
{
    int mount = mount_huge(), fd;

    if (mount < 0)
        return -1;
    fd = openat(mount, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    close(mount);
    return fd;
}

/* Linux 6.3 wants to be told that the file's pages will be executed; older ones refuse the flag. */
static int make_memfd(void)
{
    int fd = memfd_create("zlibos-memory", MFD_CLOEXEC | MFD_EXEC);

    return fd < 0 && errno == EINVAL ? memfd_create("zlibos-memory", MFD_CLOEXEC) : fd;
}

int memory_make(uint64_t bytes, void **mapped)
{
    int fd = make_huge_file();

    if (fd < 0) {
        machine_remark("memory has the host's usual pages, no huge ones: %s", strerror(errno));
        fd = make_memfd();
    }
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
        return -1;
    *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (*mapped == MAP_FAILED)
        return -1;
    madvise(*mapped, bytes, MADV_HUGEPAGE); /* for shmem_enabled "advise"; a hint */
    return fd;
}
