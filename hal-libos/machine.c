/*
 * machine.c - the order in which the machine comes up, and its ends.
 *
 * The calling thread becomes the processor; its stack is the kernel's.
 */
#include "machine.h"

#include <cpuid.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "context.h"
#include "cpu.h"
#include "entropy.h"
#include "frame.h"
#include "memory.h"
#include "mirror.h"
#include "modules.h"
#include "park.h"
#include "terminal.h"
#include "timer.h"
#include "trap.h"
#include "vdso.h"

/*
 * Where in a page the kernel's stack begins. Left alone it would be anywhere: the environment lies
 * above it. A processor takes a load for one of what was just stored to the same place in another
 * page, and the frame table's first record, which is written for each frame that is freed, is at a
 * page's beginning. A stack whose end was just there made freeing take three times as long.
 */
#define STACK_PLACE 0xe00

struct machine machine;

/* ---- Start ----------------------------------------------------------------------------------- */

static void make_memory(uint64_t bytes)
{
    void *memory;

    machine.memory_fd = memory_make(bytes, &memory);
    if (machine.memory_fd < 0)
        machine_fail("cannot make and map a file of %llu MiB for memory: %s; use a smaller "
                     "--memory",
                     (unsigned long long)(bytes >> 20), strerror(errno));
    machine.memory = memory;
    park_init(bytes);
}

static void describe_boot(struct hal_boot *boot)
{
    uint32_t a, b = 0, c, d, line;

    __get_cpuid(1, &a, &b, &c, &d);
    line = (b >> 8 & 0xff) * 8;
    boot->cmdline = machine.config->cmdline;
    boot->memory_bytes = machine.config->memory_bytes;
    boot->num_cpus = 1;
    boot->dcache_line_size = line ? line : 64;
    boot->icache_line_size = boot->dcache_line_size;
    boot->vdso_ticks_in_user = true;
    boot->fault_around = MIRROR_AROUND;
}

static _Noreturn void __attribute__((noinline)) come_up(const struct machine_config *config)
{
    machine.config = config;
    make_memory(config->memory_bytes);
    frame_init(config->memory_bytes, 0);
    modules_load(&machine.boot);
    vdso_patch(&machine.boot.vdso);
    context_init();
    trap_init();
    clock_init(&machine.boot);
    timer_init();
    entropy_init();
    describe_boot(&machine.boot);
    vdso_catch_syscalls();
    kernel_main(&machine.boot);
}

void machine_start(const struct machine_config *config)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    void *gap = __builtin_alloca((here - STACK_PLACE) % HAL_PAGE_SIZE);

    __asm__ volatile("" : : "r"(gap)); /* the compiler would leave out what nothing uses */
    come_up(config);
}

void *hal_cpu_data(void)
{
    return cpu.data;
}

void hal_set_cpu_data(void *data)
{
    cpu.data = data;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

void machine_end(int status)
{
    hal_console_flush();
    terminal_restore();
    exit(status);
}

void machine_fail(const char *format, ...)
{
    va_list args;

    terminal_restore();
    fputs("zlibos: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    machine_end(EXIT_HOST);
}

void machine_remark(const char *format, ...)
{
    va_list args;

    if (!machine.config->verbose)
        return;
    fputs("zlibos: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

_Noreturn void hal_exit(int64_t code)
{
    if (code >= 0 && code <= 255)
        machine_end((int)code);
    if (code <= -1024 && code >= -1029)
        machine_end(EXIT_KILLED + (int)(-1024 - code));
    machine_end(EXIT_OTHER);
}

/* There is no VMM that would listen. */
void hal_marker(uint32_t id, uint64_t value, const char *name)
{
    (void)id;
    (void)value;
    (void)name;
}

/* ---- Host ------------------------------------------------------------------------------------ */

long machine_arch_prctl(int code, uint64_t argument)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_arch_prctl), "D"(code), "S"(argument)
                     : "rcx", "r11", "memory");
    return result;
}
