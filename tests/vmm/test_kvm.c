/* test_kvm.c - every way KVM can be refused is told in one line with what mends it. The system's
 * answers are this file's: open, ioctl and access are wrapped. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "kvm.h"
#include "layout.h"

#define NODE      "/dev/kvm"
#define FAKE_NODE 1000 /* a file descriptor that nothing else has */

/* What the host says. */
static struct {
    int open_errno; /* 0: the node opens */
    bool kvm_module;
    int api_version; /* negative: -errno */
    int sync_regs;
    uint64_t tsc, tsc_step; /* the guest's, and how far it goes from one look to the next */
    unsigned long refused;  /* the ioctl that fails, with ... */
    int refusal;            /* ... this errno */
} host;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_open(const char *path, int flags, ...)
{
    if (strcmp(path, NODE) != 0)
        return __real_open(path, flags, 0);
    errno = host.open_errno;
    return host.open_errno ? -1 : FAKE_NODE;
}

int __wrap_access(const char *path, int mode)
{
    if (strcmp(path, "/sys/module/kvm") != 0)
        return __real_access(path, mode);
    return host.kvm_module ? 0 : -1;
}

int __wrap_close(int fd)
{
    return fd == FAKE_NODE ? 0 : __real_close(fd);
}

static int answer(int value)
{
    errno = value < 0 ? -value : 0;
    return value < 0 ? -1 : value;
}

static int read_msr(struct kvm_msrs *msrs)
{
    msrs->entries[0].data = host.tsc += host.tsc_step;
    return 1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    unsigned long argument;

    assert_int_equal(fd, FAKE_NODE);
    va_start(arguments, request);
    argument = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (request == host.refused)
        return answer(-host.refusal);
    if (request == KVM_GET_API_VERSION)
        return answer(host.api_version);
    if (request == KVM_CHECK_EXTENSION)
        return argument == KVM_CAP_SYNC_REGS ? host.sync_regs : 1;
    if (request == KVM_GET_TSC_KHZ)
        return 2300000;
    if (request == KVM_GET_MSRS)
        return read_msr((struct kvm_msrs *)argument);
    if (request == KVM_CREATE_VM || request == KVM_CREATE_VCPU)
        return FAKE_NODE;
    return 0;
}

static void set_host(void)
{
    memset(&host, 0, sizeof(host));
    host.api_version = KVM_API_VERSION;
    host.sync_regs = KVM_SYNC_X86_VALID_FIELDS;
}

static void expect_line(const struct zvmm_error *error, const char *text, const char *remedy)
{
    if (strstr(error->text, text) == NULL || strstr(error->text, remedy) == NULL)
        fail_msg("expected '%s' and '%s' in '%s'", text, remedy, error->text);
    assert_null(strchr(error->text, '\n'));
}

/* Opening the node must fail with a line that has both texts. */
static void expect_refusal(const char *text, const char *remedy)
{
    struct zvmm_error error = {""};
    struct kvm kvm;

    assert_int_equal(kvm_open(&kvm, NODE, &error), -1);
    assert_int_equal(kvm.fd, -1);
    expect_line(&error, text, remedy);
    expect_line(&error, NODE ": ", "");
}

static void test_node(void **state)
{
    (void)state;
    set_host();
    host.open_errno = ENOENT;
    expect_refusal("no such device node", "zlibos");
    host.kvm_module = true;
    expect_refusal("though the kernel has KVM", "--device /dev/kvm");
    host.open_errno = ENODEV;
    expect_refusal("no driver is", "modprobe kvm_intel or kvm_amd");
    host.open_errno = EACCES;
    expect_refusal("permission denied", "usermod -aG kvm");
    expect_refusal("permission denied", "setfacl -m u:$USER:rw /dev/kvm");
    host.open_errno = EMFILE;
    expect_refusal("Too many open files", "ulimit -n");
    host.open_errno = EIO;
    expect_refusal("cannot open it", "kernel log");
}

static void test_version(void **state)
{
    (void)state;
    set_host();
    host.api_version = 11;
    expect_refusal("version 11 and zvmm needs 12", "use Linux 4.17 or later");
    host.api_version = -ENOTTY;
    expect_refusal("not a KVM device", "use --kvm /dev/kvm");
    set_host();
    host.sync_regs = 0;
    expect_refusal("too old", "use Linux 4.17 or later");
}

/* Making the VM must fail where the host refuses, with a line that has both texts. */
static void expect_no_vm(unsigned long step, int refusal, const char *text, const char *remedy)
{
    struct zvmm_error error = {""};
    struct memory memory;
    struct kvm kvm;

    set_host();
    host.refused = step;
    host.refusal = refusal;
    assert_int_equal(memory_create(&memory, 16u << 20, &error), 0);
    assert_int_equal(kvm_open(&kvm, NODE, &error), 0);
    assert_int_equal(kvm_create_vm(&kvm, &memory, true, &error), -1);
    expect_line(&error, text, remedy);
    kvm_close(&kvm);
    memory_destroy(&memory);
}

static void test_setup(void **state)
{
    (void)state;
    expect_no_vm(KVM_CREATE_VM, ENOMEM, "out of memory", "control group's limit (memory.max)");
    expect_no_vm(KVM_CREATE_VM, EMFILE, "too many open files", "ulimit -n");
    expect_no_vm(KVM_CREATE_VM, EBUSY, "in use by another hypervisor", "stop it");
    expect_no_vm(KVM_CREATE_VM, EPERM, "not permitted", "allow KVM there");
    expect_no_vm(KVM_CREATE_VM, EIO, "switched off or not nested", "outer hypervisor");
    expect_no_vm(KVM_SET_USER_MEMORY_REGION, ENOMEM, "out of memory", "smaller --memory");
    expect_no_vm(KVM_ENABLE_CAP, ENOMEM, "out of memory", "memory.max");
    expect_no_vm(KVM_CREATE_VCPU, ENOMEM, "out of memory", "memory.max");
    expect_no_vm(KVM_CREATE_VCPU, EINVAL, "Invalid argument", "kernel log");
}

/* A TSC that stands still for KVM, whose timers go by it, is found at the start; so is one that
 * cannot be read. */
static void test_tsc(void **state)
{
    struct kvm kvm = {.fd = FAKE_NODE, .vm_fd = FAKE_NODE, .vcpu_fd = FAKE_NODE, .irqchip = true};
    struct zvmm_error error = {""};
    struct clock clock = {0};

    (void)state;
    set_host();
    host.tsc_step = 1;
    assert_int_equal(clock_init(&clock, &kvm, &error), 0);
    assert_int_equal(clock.khz, 2300000);
    host.tsc_step = 0;
    assert_int_equal(clock_init(&clock, &kvm, &error), -1);
    expect_line(&error, "TSC stands still", "reload the host's kvm modules");
    kvm.irqchip = false; /* the timers are zvmm's */
    assert_int_equal(clock_init(&clock, &kvm, &error), 0);
    kvm.irqchip = true;
    host.refused = KVM_GET_MSRS;
    host.refusal = EIO;
    assert_int_equal(clock_init(&clock, &kvm, &error), -1);
    expect_line(&error, "cannot read the guest's TSC", "kernel log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_setup),
        cmocka_unit_test(test_tsc),
    };
    return cmocka_run_group_tests_name("kvm", tests, NULL, NULL);
}
