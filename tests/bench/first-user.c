/*
 * first-user.c - a guest program whose first instruction reads the TSC. Where the guest's TSC is the
 * host's own, start.sh tells from it how long the way there was.
 */
#include <stdint.h>
#include <stdio.h>

uint64_t first_tsc;

__asm__(".text\n"
        ".globl first_user\n"
        "first_user:\n\t"
        "rdtsc\n\t"
        "shl $32, %rdx\n\t"
        "or %rdx, %rax\n\t"
        "mov %rax, first_tsc(%rip)\n\t"
        "jmp _start\n");

int main(void)
{
    printf("first_user_tsc=%llu\n", (unsigned long long)first_tsc);
    return 0;
}
