/* kvm.c - the host's KVM: opening it, one VM with one vCPU, and what to do when it refuses. */
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layout.h"
#include "proc_text.h"

#define NEEDED_SYNC_REGS (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS)

#define NO_KVM_REMEDY "or run ./zlibos, the LibOS build, which needs no KVM"

/* Of a host without KVM: a virtual machine that passes none on. Only asked to explain a failure. */
static bool is_virtual(void)
{
    char text[PROC_TEXT_ROOM];
    const char *flags =
        proc_text_read("/proc/cpuinfo", text) ? proc_text_value(text, "flags") : NULL;
    return flags != NULL && !proc_text_has_word(flags, "vmx") &&
           !proc_text_has_word(flags, "svm") && proc_text_has_word(flags, "hypervisor");
}

static int explain_missing_node(const char *path, struct zvmm_error *error)
{
    if (access("/sys/module/kvm", F_OK) == 0)
        return error_set(error,
                         "%s: no such device node, though the kernel has KVM; in a container pass "
                         "it in (--device /dev/kvm), " NO_KVM_REMEDY,
                         path);
    if (is_virtual())
        return error_set(error,
                         "%s: no such device node: this host is a virtual machine without nested "
                         "virtualisation; enable it in the outer hypervisor, " NO_KVM_REMEDY,
                         path);
    return error_set(error,
                     "%s: no such device node; load the module (modprobe kvm_intel or kvm_amd), "
                     "enable virtualisation in the firmware, " NO_KVM_REMEDY,
                     path);
}

static int explain_open_failure(const char *path, int reason, struct zvmm_error *error)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
        return explain_missing_node(path, error);
    case ENODEV:
    case ENXIO:
        return error_set(error,
                         "%s: the node is there but no driver is; load the module (modprobe "
                         "kvm_intel or kvm_amd), " NO_KVM_REMEDY,
                         path);
    case EACCES:
    case EPERM:
        return error_set(error,
                         "%s: permission denied; join its group (usermod -aG kvm $USER, then log "
                         "in again) or setfacl -m u:$USER:rw %s, " NO_KVM_REMEDY,
                         path, path);
    case EMFILE:
    case ENFILE:
        return error_set(error, "%s: %s; raise the limit (ulimit -n)", path, strerror(reason));
    default:
        return error_set(error, "%s: cannot open it: %s; check the host's kernel log", path,
                         strerror(reason));
    }
}

int kvm_open(struct kvm *kvm, const char *path, struct zvmm_error *error)
{
    *kvm = (struct kvm){.fd = -1, .vm_fd = -1, .vcpu_fd = -1};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return explain_open_failure(path, errno, error);
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        close(fd);
        if (version < 0)
            return error_set(
                error, "%s: this is not a KVM device; use --kvm /dev/kvm, " NO_KVM_REMEDY, path);
        return error_set(error,
                         "%s: its API has version %d and zvmm needs %d; use Linux 4.17 or later",
                         path, version, KVM_API_VERSION);
    }
    /* Registers travel in struct kvm_run, and a kick must not be lost: Linux 4.17 has both. */
    int sync_regs = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS);
    if (sync_regs < 0 || (sync_regs & NEEDED_SYNC_REGS) != NEEDED_SYNC_REGS ||
        ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) <= 0) {
        close(fd);
        return error_set(error, "%s: this KVM is too old; use Linux 4.17 or later", path);
    }
    kvm->fd = fd;
    kvm->sync_regs = (uint32_t)sync_regs & (NEEDED_SYNC_REGS | KVM_SYNC_X86_EVENTS);
    return 0;
}

/* A refused set-up step, by errno. */
static int explain_setup_failure(const char *step, int reason, struct zvmm_error *error)
{
    switch (reason) {
    case ENOMEM:
        return error_set(error,
                         "KVM: %s: out of memory; free memory, raise the control group's limit "
                         "(memory.max) or use a smaller --memory",
                         step);
    case EMFILE:
    case ENFILE:
        return error_set(error, "KVM: %s: too many open files; raise the limit (ulimit -n)", step);
    case EBUSY:
        return error_set(error,
                         "KVM: %s: the processor's virtualisation is in use by another "
                         "hypervisor; stop it and try again",
                         step);
    case EPERM:
    case EACCES:
        return error_set(error,
                         "KVM: %s: not permitted; a security module or container forbids it: "
                         "allow KVM there, " NO_KVM_REMEDY,
                         step);
    case EOPNOTSUPP:
    case EIO:
    case ENODEV:
        return error_set(error,
                         "KVM: %s: %s: virtualisation is switched off or not nested; enable it in "
                         "the firmware or the outer hypervisor, " NO_KVM_REMEDY,
                         step, strerror(reason));
    default:
        return error_set(error, "KVM: %s: %s; check the host's kernel log", step, strerror(reason));
    }
}

static int set_slot(struct kvm *kvm, const struct memory *memory, uint32_t slot, uint32_t flags,
                    uint64_t base, uint64_t end)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .flags = flags,
        .guest_phys_addr = base,
        .memory_size = end - base,
        .userspace_addr = (uint64_t)(uintptr_t)(memory->base + base),
    };
    return ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* RAM without the interrupt controllers' hole. */
static int set_memory(struct kvm *kvm, const struct memory *memory, uint32_t flags)
{
    uint64_t low_end = memory->bytes < LAYOUT_HOLE_BASE ? memory->bytes : LAYOUT_HOLE_BASE;
    if (set_slot(kvm, memory, 0, flags, 0, low_end) != 0)
        return -1;
    if (memory->bytes <= LAYOUT_HOLE_END)
        return 0;
    return set_slot(kvm, memory, 1, flags, LAYOUT_HOLE_END, memory->bytes);
}

int kvm_set_logging(struct kvm *kvm, const struct memory *memory)
{
    return set_memory(kvm, memory, KVM_MEM_LOG_DIRTY_PAGES);
}

int kvm_forget_tables(struct kvm *kvm, const struct memory *memory)
{
    bool high = memory->bytes > LAYOUT_HOLE_END;
    if (set_slot(kvm, memory, 0, 0, 0, 0) != 0 ||
        (high && set_slot(kvm, memory, 1, 0, LAYOUT_HOLE_END, LAYOUT_HOLE_END) != 0))
        return -1;
    return kvm_set_logging(kvm, memory);
}

/*
 * Before there is a vCPU. A KVM without a ring (before 5.11) has a dirty log instead; so has one
 * that emulates ring 0, where each store of the kernel would be another entry of the ring.
 */
static void want_ring(struct kvm *kvm)
{
    enum { RING_BYTES = 1 << 16 };
    struct kvm_enable_cap cap = {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {RING_BYTES}};
    kvm->ring_bytes = 0;
    if (kvm->want_ring && kvm->irqchip && ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap) == 0)
        kvm->ring_bytes = RING_BYTES;
}

/*
 * A local APIC in the kernel, and no I/O APIC and no PICs: nobody would use them, and they would
 * cost as much again to make, to save and to put back.
 */
static int add_lapic(struct kvm *kvm)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    return ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap);
}

static int add_vcpu(struct kvm *kvm)
{
    kvm->vcpu_fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, 0);
    if (kvm->vcpu_fd < 0)
        return -1;
    int bytes = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (bytes < (int)sizeof(*kvm->run)) {
        errno = bytes < 0 ? errno : EOPNOTSUPP;
        return -1;
    }
    void *run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kvm->vcpu_fd, 0);
    if (run == MAP_FAILED)
        return -1;
    kvm->run = run;
    kvm->run_bytes = (size_t)bytes;
    return 0;
}

int kvm_create_vm(struct kvm *kvm, const struct memory *memory, bool irqchip,
                  struct zvmm_error *error)
{
    const char *step = "create a VM";
    kvm->irqchip = irqchip;
    do
        kvm->vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
    while (kvm->vm_fd < 0 && errno == EINTR);
    if (kvm->vm_fd < 0)
        return explain_setup_failure(step, errno, error);

    want_ring(kvm);
    step = "add guest memory";
    if (set_memory(kvm, memory, 0) != 0)
        goto destroy;
    step = "create the interrupt controller";
    if (irqchip && add_lapic(kvm) != 0)
        goto destroy;
    step = "create a vCPU";
    if (add_vcpu(kvm) != 0)
        goto destroy;
    return 0;

destroy:
    explain_setup_failure(step, errno, error);
    kvm_destroy_vm(kvm);
    return -1;
}

void kvm_settle_begin(struct kvm *kvm)
{
    kvm->run->immediate_exit = 1;
    kvm->asked_regs = kvm->run->kvm_valid_regs;
    kvm->run->kvm_valid_regs = kvm->sync_regs;
}

void kvm_settle_end(struct kvm *kvm, bool done)
{
    kvm->run->kvm_valid_regs = kvm->asked_regs;
    kvm->settled = done;
}

void kvm_destroy_vm(struct kvm *kvm)
{
    if (kvm->run != NULL)
        munmap(kvm->run, kvm->run_bytes);
    if (kvm->vcpu_fd >= 0)
        close(kvm->vcpu_fd);
    if (kvm->vm_fd >= 0)
        close(kvm->vm_fd);
    free(kvm->cpuid);
    kvm->cpuid = NULL;
    kvm->run = NULL;
    kvm->vcpu_fd = kvm->vm_fd = -1;
}

void kvm_close(struct kvm *kvm)
{
    kvm_destroy_vm(kvm);
    if (kvm->fd >= 0)
        close(kvm->fd);
    kvm->fd = -1;
}
