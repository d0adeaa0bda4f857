/*
 * proto.c - the floor: the least that any VMM must do on this host, for comparison with zvmm.
 *
 * 128 MiB of memory, one vCPU in long mode with identity page tables, and a guest that writes
 * "hello from the floor" with one port write a byte: 21 exits. No CPUID, no ELF, no error
 * messages. Not an example to follow.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (128ull << 20)

/* lea text(%rip), %rsi; 1: lodsb; test %al, %al; jz 2f; out %al, $0xe9; jmp 1b; 2: out %al, $0xf4
 */
static const char guest[] = "\x48\x8d\x35\x0b\x00\x00\x00\xac\x84\xc0\x74\x04\xe6\xe9\xeb\xf7"
                            "\xe6\xf4"
                            "hello from the floor\n";

static void need(long good)
{
    if (good < 0)
        exit(1);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, uint8_t l)
{
    return (struct kvm_segment){.limit = ~0u,
                                .selector = selector,
                                .type = type,
                                .present = 1,
                                .s = 1,
                                .l = l,
                                .db = !l,
                                .g = 1};
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = ioctl(kvm, KVM_CREATE_VM, 0);
    need(vm);
    uint8_t *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.memory_size = BYTES,
                                                 .userspace_addr = (uint64_t)(uintptr_t)memory};
    need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_run *run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

    uint64_t *tables = (uint64_t *)(memory + 0x1000);
    tables[0] = 0x2003;
    tables[512] = 0x3003;
    tables[1024] = 0x83;
    memcpy(memory + 0x10000, guest, sizeof(guest));
    struct kvm_sregs sregs;
    need(ioctl(vcpu, KVM_GET_SREGS, &sregs));
    sregs.cr0 = 0x80050033;
    sregs.cr3 = 0x1000;
    sregs.cr4 = 0x620;
    sregs.efer = 0xd00;
    sregs.cs = segment(0x10, 11, 1);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment(0x18, 3, 0);
    need(ioctl(vcpu, KVM_SET_SREGS, &sregs));
    struct kvm_regs regs = {.rip = 0x10000, .rsp = 0x9000, .rflags = 2};
    need(ioctl(vcpu, KVM_SET_REGS, &regs));
    for (;;) {
        need(ioctl(vcpu, KVM_RUN, 0));
        if (run->exit_reason != KVM_EXIT_IO || run->io.port == 0xf4)
            return run->exit_reason != KVM_EXIT_IO;
        need(write(1, (uint8_t *)run + run->io.data_offset, 1));
    }
}
