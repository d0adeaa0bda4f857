/*
 * kvm-selftest: shows in TAP that /dev/kvm runs guest code in real and in long mode, and how fast.
 *
 *     cc -O2 -static -o kvm-selftest kvm-selftest.c && tests/rig/run.sh --file kvm-selftest -- kvm-selftest
 *
 * With an argument: waits for timers that many times while a guest keeps leaving (see wait_beside_exits).
 *
 * The guest code is a few bytes written by hand. It ends in a write to port 0x10 (real mode) or in hlt (long mode)
 * and leaves its results in registers.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY = 4 << 20, CODE = 0x1000, PML4 = 0x2000, PDPT = 0x3000, PD = 0x4000, LOOPS = 1000000 };

/* mov al,40; add al,2; out 0x10,al; hlt */
static const uint8_t real_code[] = {0xb0, 40, 0x04, 2, 0xe6, 0x10, 0xf4};

/* 1: out 0x10,al; jmp 1b */
static const uint8_t exit_code[] = {0xe6, 0x10, 0xeb, 0xfc};

/* lfence; rdtsc; shl rdx,32; or rdx,rax; mov r8,rdx; mov ecx,LOOPS; 1: dec ecx; jnz 1b;
 * lfence; rdtsc; shl rdx,32; or rdx,rax; sub rdx,r8; hlt: two million instructions, their TSC difference in rdx */
static const uint8_t long_code[] = {
    0x0f, 0xae, 0xe8, 0x0f, 0x31, 0x48, 0xc1, 0xe2, 32, 0x48, 0x09, 0xc2, 0x49, 0x89, 0xd0,
    0xb9, LOOPS & 0xff, LOOPS >> 8 & 0xff, LOOPS >> 16 & 0xff, LOOPS >> 24, 0xff, 0xc9, 0x75, 0xfc,
    0x0f, 0xae, 0xe8, 0x0f, 0x31, 0x48, 0xc1, 0xe2, 32, 0x48, 0x09, 0xc2, 0x4c, 0x29, 0xc2, 0xf4};

static int vcpu;
static struct kvm_run *run;
static uint8_t *memory;

static void ok(int number, int passed, const char *what)
{
    printf("%sok %d - %s\n", passed ? "" : "not ", number, what);
}

static int must(int result, const char *what)
{
    if (result < 0)
        err(1, "%s", what);
    return result;
}

static void create_vm(int kvm)
{
    int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region slot = {.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory};
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
    vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    int size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (memory == MAP_FAILED || run == MAP_FAILED)
        err(1, "mmap");
}

static void enter(const uint8_t *code, size_t size, const struct kvm_sregs *sregs, struct kvm_regs *regs)
{
    memcpy(memory + CODE, code, size);
    *regs = (struct kvm_regs){.rip = CODE, .rflags = 2};
    must(ioctl(vcpu, KVM_SET_SREGS, sregs), "KVM_SET_SREGS");
    must(ioctl(vcpu, KVM_SET_REGS, regs), "KVM_SET_REGS");
    must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    must(ioctl(vcpu, KVM_GET_REGS, regs), "KVM_GET_REGS");
}

/* Flat 64-bit segments, the first 2 MiB mapped to themselves by one large page. */
static void to_long_mode(struct kvm_sregs *s)
{
    const uint64_t entries[] = {PDPT | 3, PD | 3, 0x83};
    for (int level = 0; level < 3; level++)
        memcpy(memory + PML4 + 0x1000 * level, &entries[level], sizeof entries[level]);
    s->cs = (struct kvm_segment){.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    s->ss = (struct kvm_segment){.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    s->ds = s->es = s->fs = s->gs = s->ss;
    s->cr3 = PML4;
    s->cr4 = 0x20;         /* PAE */
    s->cr0 = 0x80000011;   /* PG, ET, PE */
    s->efer = 0x500;       /* LMA, LME */
}

static void to_real_mode(struct kvm_sregs *s)
{
    must(ioctl(vcpu, KVM_GET_SREGS, s), "KVM_GET_SREGS");
    s->cs.base = s->cs.selector = 0;
}

/* Leaves the guest over and over. An interrupt waits for it all the time and it takes none, so that every entry asks
 * the processor for an exit as soon as it would: QEMU may lose the host's timer interrupt then. */
static void exit_for_ever(int kvm)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    create_vm(kvm);
    to_real_mode(&sregs);
    run->request_interrupt_window = 1;
    enter(exit_code, sizeof exit_code, &sregs, &regs);
    while (run->exit_reason == KVM_EXIT_IO)
        must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    errx(1, "the guest left with %u, not for its port", run->exit_reason);
}

/* Waits for 0.1 ms, times times, beside such a guest: a machine whose timer is lost for good never gets through. */
static void wait_beside_exits(int kvm, long times)
{
    const struct timespec wait = {.tv_nsec = 100000};
    pid_t child = must(fork(), "fork");
    if (child == 0)
        exit_for_ever(kvm);
    for (long i = 0; i < times; i++)
        nanosleep(&wait, NULL);
    ok(1, waitpid(child, NULL, WNOHANG) == 0, "timers go on beside a guest that keeps leaving");
    kill(child, SIGKILL);
}

int main(int argc, char **argv)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct timespec before, after;
    int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (argc > 1) {
        puts("1..1");
        fflush(stdout);
        wait_beside_exits(kvm, strtol(argv[1], NULL, 10));
        return 0;
    }
    puts("1..4");
    ok(1, ioctl(kvm, KVM_GET_API_VERSION, 0) == 12, "/dev/kvm speaks API version 12");

    create_vm(kvm);
    to_real_mode(&sregs);
    enter(real_code, sizeof real_code, &sregs, &regs);
    int wrote = run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT && run->io.port == 0x10;
    ok(2, wrote && *((uint8_t *)run + run->io.data_offset) == 42, "real mode: a sum is written to a port");
    run->immediate_exit = 1;    /* completes the write before the registers are set anew */
    ioctl(vcpu, KVM_RUN, 0);
    run->immediate_exit = 0;

    to_long_mode(&sregs);
    clock_gettime(CLOCK_MONOTONIC, &before);
    enter(long_code, sizeof long_code, &sregs, &regs);
    clock_gettime(CLOCK_MONOTONIC, &after);
    ok(3, run->exit_reason == KVM_EXIT_HLT && regs.rcx == 0, "long mode: a loop ends in hlt");
    long us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    ok(4, us < 200000, "two million instructions take less than 0.2 s, so they are not emulated");
    printf("# %llu TSC ticks in the guest, %ld us in the host\n", (unsigned long long)regs.rdx, us);
    return 0;
}
