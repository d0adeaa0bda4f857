/* finding.c - the behaviour probe's finding, kept in $XDG_CACHE_HOME/zvmm/probe. */
#include "finding.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache.h"
#include "hypercall.h"
#include "snapshot/host.h"
#include "snapshot/temporary.h"
#include "zvmm.h"

#define FINDING_MAGIC 0x31656269726f7070ull

#define KNOWN_QUIRKS                                                                               \
    (ZV_QUIRK_SLOW_RING0 | ZV_QUIRK_SYSCALL_BROKEN | ZV_QUIRK_NO_XSAVE | ZV_QUIRK_NO_INT3_RING0 |  \
     ZV_QUIRK_NO_PCID)

/* The file. */
struct finding {
    uint64_t magic;
    XXH128_hash_t key; /* what it holds for */
    uint64_t quirks;
    uint64_t checksum; /* of what is before it */
};

/* Loading a KVM module makes the device node anew, so its time of change tells the modules apart. */
static bool add_device(XXH3_state_t *state, int kvm_fd)
{
    struct stat status;
    if (fstat(kvm_fd, &status) != 0)
        return false;
    const uint64_t numbers[] = {status.st_dev, status.st_ino, status.st_rdev,
                                (uint64_t)status.st_ctim.tv_sec, (uint64_t)status.st_ctim.tv_nsec};
    XXH3_128bits_update(state, numbers, sizeof(numbers));
    return true;
}

/* The processor's features as the kernel tells them: asking it by CPUID is slow in a VM. */
static void add_processor(XXH3_state_t *state)
{
    const uint64_t numbers[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    XXH3_128bits_update(state, numbers, sizeof(numbers));
}

/* False: this host cannot be told from others. */
static bool make_key(int kvm_fd, XXH128_hash_t *key)
{
    XXH3_state_t state;
    struct utsname kernel;
    char host[HOST_ID_ROOM];
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, ZVMM_VERSION, sizeof(ZVMM_VERSION));
    if (uname(&kernel) != 0 || host_id(host)[0] == '\0' || !add_device(&state, kvm_fd))
        return false;
    XXH3_128bits_update(&state, host, strlen(host) + 1);
    XXH3_128bits_update(&state, kernel.release, strlen(kernel.release) + 1);
    XXH3_128bits_update(&state, kernel.version, strlen(kernel.version) + 1);
    add_processor(&state);
    *key = XXH3_128bits_digest(&state);
    return true;
}

static uint64_t checksum(const struct finding *finding)
{
    return XXH3_64bits(finding, offsetof(struct finding, checksum));
}

/* Only a regular file of the user's own, which nobody else may write. */
static bool is_trusted(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           status.st_size == sizeof(struct finding);
}

static bool read_file(const char *path, struct finding *finding)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool good = is_trusted(fd) && read(fd, finding, sizeof(*finding)) == sizeof(*finding);
    close(fd);
    return good;
}

bool finding_read(int kvm_fd, uint32_t *quirks)
{
    char path[CACHE_PATH_ROOM];
    struct finding finding;
    XXH128_hash_t key;
    if (getauxval(AT_SECURE) != 0 || cache_path(path, "probe") != 0 || !read_file(path, &finding) ||
        finding.magic != FINDING_MAGIC || finding.checksum != checksum(&finding) ||
        (finding.quirks & ~(uint64_t)KNOWN_QUIRKS) != 0 || !make_key(kvm_fd, &key) ||
        !XXH128_isEqual(key, finding.key))
        return false;
    *quirks = (uint32_t)finding.quirks;
    return true;
}

/*
 * That ring 0 is slow was measured: on a busy host it could have been wrong, and is not kept unless
 * a broken syscall, which is seen directly, says the same.
 */
static bool is_certain(uint32_t quirks)
{
    return quirks == 0 || (quirks & ZV_QUIRK_SYSCALL_BROKEN) != 0;
}

void finding_keep(int kvm_fd, uint32_t quirks)
{
    char path[CACHE_PATH_ROOM];
    struct finding finding = {.magic = FINDING_MAGIC, .quirks = quirks};
    struct temporary file;
    struct zvmm_error ignored;
    if (!is_certain(quirks) || getauxval(AT_SECURE) != 0 || cache_path(path, "probe") != 0 ||
        !make_key(kvm_fd, &finding.key) || cache_make_folder(path, &ignored) != 0)
        return;
    finding.checksum = checksum(&finding);
    if (temporary_create(&file, path, &ignored) != 0)
        return;
    if (fchmod(file.fd, 0600) == 0 &&
        temporary_write(&file, &finding, sizeof(finding), 0, &ignored) == 0)
        temporary_finish(&file, false, &ignored);
    temporary_close(&file);
}
