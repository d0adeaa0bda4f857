/*
 * Registers of stopped threads: reading, writing, single steps and hardware breakpoints.
 */
#include "raw_thread.h"

#include <stdatomic.h>

#define GENERAL     ZX_THREAD_STATE_GENERAL_REGS
#define FP          ZX_THREAD_STATE_FP_REGS
#define VECTOR      ZX_THREAD_STATE_VECTOR_REGS
#define DEBUG       ZX_THREAD_STATE_DEBUG_REGS
#define SINGLE_STEP ZX_THREAD_STATE_SINGLE_STEP

#define RFLAGS_TF 0x100u

/* Fills every general register with a value of its own and spins until memory at rsp changes. */
__asm__(".pushsection .text\n"
        ".globl fill_and_spin, spin_loop, spin_end\n"
        "fill_and_spin:\n"
        "  mov $0x101, %eax; mov $0x102, %ebx; mov $0x103, %ecx; mov $0x104, %edx\n"
        "  mov $0x107, %ebp; mov $0x109, %r8d; mov $0x10a, %r9d; mov $0x10b, %r10d\n"
        "  mov $0x10c, %r11d; mov $0x10d, %r12d; mov $0x10e, %r13d; mov $0x10f, %r14d\n"
        "  mov $0x110, %r15d\n"
        "  movq $1, (%rdi)\n"
        "spin_loop: jmp spin_loop\n"
        "spin_end:\n"
        /* Stores every register, the flags and where it is into memory at rdi, then ends. */
        ".globl store_and_exit\n"
        "store_and_exit:\n"
        "  mov %rax, (%rdi); mov %rbx, 8(%rdi); mov %rcx, 16(%rdi); mov %rdx, 24(%rdi)\n"
        "  mov %rsi, 32(%rdi); mov %rdi, 40(%rdi); mov %rbp, 48(%rdi); mov %rsp, 56(%rdi)\n"
        "  mov %r8, 64(%rdi); mov %r9, 72(%rdi); mov %r10, 80(%rdi); mov %r11, 88(%rdi)\n"
        "  mov %r12, 96(%rdi); mov %r13, 104(%rdi); mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
        "  pushfq; popq 136(%rdi)\n"
        "  mov %fs:0, %rax; mov %rax, 144(%rdi)\n"
        "  mov %gs:0, %rax; mov %rax, 152(%rdi)\n"
        "  fnsave 256(%rdi)\n"
        "  movups %xmm0, 512(%rdi); movups %xmm15, 528(%rdi); stmxcsr 544(%rdi)\n"
        "  jmp zx_thread_exit\n"
        /* Loads known FPU and vector values from memory at rsi and spins. */
        ".globl load_fpu_and_spin\n"
        "load_fpu_and_spin:\n"
        "  fninit; fldpi; fld1\n"
        "  movups (%rsi), %xmm0; movups 16(%rsi), %xmm7; movups 32(%rsi), %xmm15\n"
        "  ldmxcsr 48(%rsi)\n"
        "  movq $1, (%rdi)\n"
        "1: jmp 1b\n"
        /* A few instructions to step through, then writes to memory at rdi. */
        ".globl step_here, step_write, step_after\n"
        "step_here:\n"
        "  nop\n"
        "  nop\n"
        "step_write:\n"
        "  movq $5, (%rdi)\n"
        "step_after:\n"
        "  nop\n"
        "  jmp zx_thread_exit\n"
        ".popsection\n");

void fill_and_spin(uintptr_t flag, uintptr_t unused);
void load_fpu_and_spin(uintptr_t flag, uintptr_t values);
void step_here(uintptr_t place, uintptr_t unused);
extern const char spin_loop[], spin_end[], store_and_exit[], step_write[], step_after[];

/* What store_and_exit leaves behind. */
static struct {
    zx_thread_state_general_regs_t regs;
    uint8_t gap[256 - sizeof(zx_thread_state_general_regs_t)];
    uint16_t fnsave[54];
    uint8_t gap2[512 - 256 - 108];
    uint64_t xmm0[2], xmm15[2];
    uint32_t mxcsr;
} stored;

static _Atomic uint64_t flag;

/* A thread that has set the flag, suspended. */
static struct raw_thread stopped_thread(raw_function_t function, const void *values,
                                        zx_handle_t *token)
{
    struct raw_thread t;
    zx_time_t end = soon();

    flag = 0;
    t = raw_run(function, (uintptr_t)&flag, (uintptr_t)values);
    while (!flag && zx_clock_get_monotonic() < end)
        zx_nanosleep(zx_deadline_after(MS(1)));
    *token = raw_suspend(&t);
    return t;
}

static zx_thread_state_general_regs_t general_of(zx_handle_t thread)
{
    zx_thread_state_general_regs_t regs = {0};

    EXPECT_OK(zx_thread_read_state(thread, GENERAL, &regs, sizeof(regs)));
    return regs;
}

static void write_general(zx_handle_t thread, const zx_thread_state_general_regs_t *regs)
{
    EXPECT_OK(zx_thread_write_state(thread, GENERAL, regs, sizeof(*regs)));
}

/* Sends a stopped thread to store_and_exit and waits for its end. */
static void let_store(struct raw_thread *t, zx_handle_t token)
{
    zx_thread_state_general_regs_t regs = general_of(t->handle);

    memset(&stored, 0, sizeof(stored));
    regs.rip = (uintptr_t)store_and_exit;
    regs.rdi = (uintptr_t)&stored;
    regs.fs_base = regs.gs_base = (uintptr_t)&stored; /* something to read */
    write_general(t->handle, &regs);
    CLOSE(token);
    raw_join(t);
}

/* For threads that spin: lets one end. */
static void let_end(struct raw_thread *t, zx_handle_t token)
{
    zx_thread_state_general_regs_t regs = general_of(t->handle);

    regs.rip = (uintptr_t)zx_thread_exit;
    write_general(t->handle, &regs);
    CLOSE(token);
    raw_join(t);
}

/* ---- Arguments ----------------------------------------------------------------------------- */

TEST(ThreadRegisters, OnlyOfStoppedThreads)
{
    struct raw_thread t = raw_make();
    zx_thread_state_general_regs_t regs;
    zx_handle_t token;

    EXPECT_STATUS(zx_thread_read_state(t.handle, GENERAL, &regs, sizeof(regs)), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_thread_read_state(zx_thread_self(), GENERAL, &regs, sizeof(regs)),
                  ZX_ERR_BAD_STATE);
    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    EXPECT_STATUS(zx_thread_read_state(t.handle, GENERAL, &regs, sizeof(regs)), ZX_ERR_BAD_STATE);
    flag = 0;
    ASSERT_OK(raw_start(&t, fill_and_spin, (uintptr_t)&flag, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    regs = general_of(t.handle);
    EXPECT_EQ(regs.rip, (uintptr_t)fill_and_spin);
    EXPECT_EQ(regs.rdi, (uintptr_t)&flag);
    EXPECT_EQ(regs.rbx, 0);
    let_end(&t, token);
}

TEST(ThreadRegisters, BadArguments)
{
    union {
        zx_thread_state_vector_regs_t vector;
        char bytes[4096];
    } buffer;
    static const size_t sizes[] = {
        [GENERAL] = 160, [FP] = 160, [VECTOR] = 2120, [DEBUG] = 48, [SINGLE_STEP] = 4};
    zx_handle_t token, no_read, no_write;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);

    for (uint32_t kind = 0; kind < 9; kind++) {
        size_t size = kind <= SINGLE_STEP ? sizes[kind] : 0;

        if (!size) {
            EXPECT_STATUS(zx_thread_read_state(t.handle, kind, &buffer, sizeof(buffer)),
                          ZX_ERR_INVALID_ARGS);
            EXPECT_STATUS(zx_thread_write_state(t.handle, kind, &buffer, sizeof(buffer)),
                          ZX_ERR_INVALID_ARGS);
            continue;
        }
        EXPECT_STATUS(zx_thread_read_state(t.handle, kind, &buffer, size - 1),
                      ZX_ERR_BUFFER_TOO_SMALL);
        EXPECT_STATUS(zx_thread_write_state(t.handle, kind, &buffer, size - 1),
                      ZX_ERR_BUFFER_TOO_SMALL);
        EXPECT_STATUS(zx_thread_read_state(t.handle, kind, &buffer, 0), ZX_ERR_BUFFER_TOO_SMALL);
    }
    EXPECT_OK(zx_thread_read_state(t.handle, GENERAL, &buffer, sizeof(buffer)));
    EXPECT_STATUS(zx_thread_read_state(t.handle, GENERAL, UNMAPPED, 160), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_write_state(t.handle, GENERAL, KERNEL_ADDRESS, 160),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_read_state(closed_handle(), GENERAL, &buffer, 160), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_read_state(zx_process_self(), GENERAL, &buffer, 160),
                  ZX_ERR_WRONG_TYPE);
    no_read = without_rights(t.handle, ZX_RIGHT_READ);
    no_write = without_rights(t.handle, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_thread_read_state(no_read, GENERAL, &buffer, 160), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_thread_read_state(no_write, GENERAL, &buffer, 160));
    EXPECT_STATUS(zx_thread_write_state(no_write, GENERAL, &buffer, 160), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_thread_write_state(no_read, GENERAL, &buffer, 160));
    CLOSE(no_read);
    CLOSE(no_write);
    let_end(&t, token);
}

/* ---- General registers --------------------------------------------------------------------- */

TEST(ThreadRegisters, ReadGeneral)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    zx_thread_state_general_regs_t r = general_of(t.handle);

    EXPECT_EQ(r.rax, 0x101);
    EXPECT_EQ(r.rbx, 0x102);
    EXPECT_EQ(r.rcx, 0x103);
    EXPECT_EQ(r.rdx, 0x104);
    EXPECT_EQ(r.rdi, (uintptr_t)&flag);
    EXPECT_EQ(r.rbp, 0x107);
    EXPECT_EQ(r.rsp, t.stack + RAW_STACK_SIZE - 8);
    EXPECT_EQ(r.r8, 0x109);
    EXPECT_EQ(r.r9, 0x10a);
    EXPECT_EQ(r.r10, 0x10b);
    EXPECT_EQ(r.r11, 0x10c);
    EXPECT_EQ(r.r12, 0x10d);
    EXPECT_EQ(r.r13, 0x10e);
    EXPECT_EQ(r.r14, 0x10f);
    EXPECT_EQ(r.r15, 0x110);
    EXPECT_EQ(r.rip, (uintptr_t)spin_loop);
    EXPECT_EQ(r.fs_base, 0);
    EXPECT_EQ(r.gs_base, 0);
    let_end(&t, token);
}

TEST(ThreadRegisters, WriteGeneral)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    static uint64_t bases[2] = {0xf5, 0x95};
    zx_thread_state_general_regs_t r = general_of(t.handle);

    memset(&stored, 0, sizeof(stored));
    r.rax = 0x201, r.rbx = 0x202, r.rcx = 0x203, r.rdx = 0x8000000000000204;
    r.rsi = 0x205, r.rdi = (uintptr_t)&stored, r.rbp = 0x207, r.rsp -= 64;
    r.r8 = 0x209, r.r9 = 0x20a, r.r10 = 0x20b, r.r11 = 0x20c;
    r.r12 = 0x20d, r.r13 = 0x20e, r.r14 = 0x20f, r.r15 = 0x210;
    r.rip = (uintptr_t)store_and_exit;
    r.rflags |= 0x1 | 0x40 | 0x800; /* CF ZF OF */
    r.fs_base = (uintptr_t)&bases[0], r.gs_base = (uintptr_t)&bases[1];
    write_general(t.handle, &r);
    CLOSE(token);
    raw_join(&t);
    EXPECT_EQ(memcmp(&stored.regs, &r, offsetof(zx_thread_state_general_regs_t, rip)), 0);
    EXPECT_EQ(stored.regs.rflags & 0x841, 0x841);
    EXPECT_EQ(stored.regs.fs_base, bases[0]);
    EXPECT_EQ(stored.regs.gs_base, bases[1]);
}

TEST(ThreadRegisters, AddressesMustBeUsers)
{
    static const uint64_t bad[] = {0x8000000000000000, 0x800000000000, 0xffff800000000000,
                                   0xffffffff80100000, UINT64_MAX};
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    const zx_thread_state_general_regs_t good = general_of(t.handle);
    zx_thread_state_general_regs_t r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        r = good, r.rip = bad[i];
        EXPECT_STATUS(zx_thread_write_state(t.handle, GENERAL, &r, sizeof(r)), ZX_ERR_INVALID_ARGS);
        r = good, r.fs_base = bad[i];
        EXPECT_STATUS(zx_thread_write_state(t.handle, GENERAL, &r, sizeof(r)), ZX_ERR_INVALID_ARGS);
        r = good, r.gs_base = bad[i];
        EXPECT_STATUS(zx_thread_write_state(t.handle, GENERAL, &r, sizeof(r)), ZX_ERR_INVALID_ARGS);
    }
    r = general_of(t.handle);
    EXPECT_EQ(memcmp(&r, &good, sizeof(r)), 0);
    let_end(&t, token);
}

/* A thread cannot be given flags that it could not set itself. */
TEST(ThreadRegisters, FlagsAreMasked)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    zx_thread_state_general_regs_t r = general_of(t.handle);

    r.rflags = ~(uint64_t)RFLAGS_TF;
    write_general(t.handle, &r);
    r = general_of(t.handle);
    EXPECT_EQ(r.rflags & 0x3000, 0);    /* IOPL */
    EXPECT_EQ(r.rflags & 0x1a0000, 0);  /* VM VIF VIP */
    EXPECT_EQ(r.rflags & 0x200, 0x200); /* IF */
    EXPECT_EQ(r.rflags & 0x8d5, 0x8d5);
    r.rflags = 0;
    write_general(t.handle, &r);
    EXPECT_EQ(general_of(t.handle).rflags & 0x202, 0x202);
    let_end(&t, token);
}

static void sleeps(uintptr_t unused1, uintptr_t unused2)
{
    (void)unused1;
    (void)unused2;
    zx_nanosleep(ZX_TIME_INFINITE);
    zx_thread_exit();
}

/* A thread stopped in a system call can be sent elsewhere. */
TEST(ThreadRegisters, OutOfASystemCall)
{
    struct raw_thread t = raw_run(sleeps, 0, 0);

    ASSERT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    let_end(&t, raw_suspend(&t));
}

/* ---- Floating point and vectors ------------------------------------------------------------ */

static const struct {
    uint64_t xmm0[2], xmm7[2], xmm15[2];
    uint32_t mxcsr;
} fpu_values = {{1, 2}, {7, 8}, {15, 16}, 0x1f80 | 0x6000};

TEST(ThreadRegisters, ReadFloatingPoint)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(load_fpu_and_spin, &fpu_values, &token);
    zx_thread_state_fp_regs_t fp;

    EXPECT_OK(zx_thread_read_state(t.handle, FP, &fp, sizeof(fp)));
    EXPECT_EQ(fp.fcw, 0x37f);
    EXPECT_EQ(fp.fsw >> 11 & 7, 6); /* two values on the stack */
    EXPECT_EQ(fp.ftw, 0xc0);
    EXPECT_EQ(fp.st[0].low, 0x8000000000000000); /* 1.0 */
    EXPECT_EQ(fp.st[0].high & 0xffff, 0x3fff);
    EXPECT_EQ(fp.st[1].low, 0xc90fdaa22168c235); /* pi */
    EXPECT_EQ(fp.st[1].high & 0xffff, 0x4000);
    let_end(&t, token);
}

TEST(ThreadRegisters, WriteFloatingPoint)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(load_fpu_and_spin, &fpu_values, &token);
    zx_thread_state_fp_regs_t fp, again;

    EXPECT_OK(zx_thread_read_state(t.handle, FP, &fp, sizeof(fp)));
    fp.fcw = 0x77f;                                            /* rounds down */
    fp.st[0].low = 0xa000000000000000, fp.st[0].high = 0x4000; /* 2.5 */
    EXPECT_OK(zx_thread_write_state(t.handle, FP, &fp, sizeof(fp)));
    EXPECT_OK(zx_thread_read_state(t.handle, FP, &again, sizeof(again)));
    EXPECT_EQ(memcmp(&again.st, &fp.st, sizeof(fp.st)), 0);
    let_store(&t, token);
    EXPECT_EQ(stored.fnsave[0], 0x77f);
    EXPECT_EQ(stored.fnsave[14 + 3], 0xa000); /* st0, 10 bytes from offset 28 */
    EXPECT_EQ(stored.fnsave[14 + 4], 0x4000);
    EXPECT_EQ(stored.xmm15[1], 16); /* not disturbed */
}

TEST(ThreadRegisters, ReadVector)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(load_fpu_and_spin, &fpu_values, &token);
    static zx_thread_state_vector_regs_t v;

    memset(&v, 0xee, sizeof(v));
    EXPECT_OK(zx_thread_read_state(t.handle, VECTOR, &v, sizeof(v)));
    EXPECT_EQ(memcmp(v.zmm[0].v, fpu_values.xmm0, 16), 0);
    EXPECT_EQ(memcmp(v.zmm[7].v, fpu_values.xmm7, 16), 0);
    EXPECT_EQ(memcmp(v.zmm[15].v, fpu_values.xmm15, 16), 0);
    EXPECT_EQ(v.mxcsr, fpu_values.mxcsr);
    EXPECT_EQ(v.zmm[31].v[7], 0);
    EXPECT_EQ(v.opmask[0], 0);
    let_end(&t, token);
}

TEST(ThreadRegisters, WriteVector)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(load_fpu_and_spin, &fpu_values, &token);
    static zx_thread_state_vector_regs_t v;

    EXPECT_OK(zx_thread_read_state(t.handle, VECTOR, &v, sizeof(v)));
    v.zmm[0].v[0] = 0x1111, v.zmm[0].v[1] = 0x2222;
    v.zmm[15].v[1] = 0x3333;
    v.mxcsr = 0xfffd1f80; /* bits that do not exist; bit 17 does on AMD, MM */
    EXPECT_OK(zx_thread_write_state(t.handle, VECTOR, &v, sizeof(v)));
    let_store(&t, token);
    EXPECT_EQ(stored.xmm0[0], 0x1111);
    EXPECT_EQ(stored.xmm0[1], 0x2222);
    EXPECT_EQ(stored.xmm15[0], 15);
    EXPECT_EQ(stored.xmm15[1], 0x3333);
    EXPECT_EQ(stored.mxcsr, 0x1f80);
    EXPECT_EQ(stored.fnsave[0], 0x37f);
}

/* A thread that has not run yet has registers in their initial state. */
TEST(ThreadRegisters, BeforeTheFirstInstruction)
{
    struct raw_thread t = raw_make();
    static zx_thread_state_vector_regs_t v;
    zx_thread_state_fp_regs_t fp;
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    ASSERT_OK(raw_start(&t, fill_and_spin, (uintptr_t)&flag, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_OK(zx_thread_read_state(t.handle, VECTOR, &v, sizeof(v)));
    EXPECT_EQ(v.mxcsr, 0x1f80);
    EXPECT_EQ(v.zmm[3].v[0], 0);
    EXPECT_OK(zx_thread_read_state(t.handle, FP, &fp, sizeof(fp)));
    EXPECT_EQ(fp.fcw, 0x37f);
    v.zmm[0].v[0] = 77;
    EXPECT_OK(zx_thread_write_state(t.handle, VECTOR, &v, sizeof(v)));
    let_store(&t, token);
    EXPECT_EQ(stored.xmm0[0], 77);
}

/* ---- Single steps -------------------------------------------------------------------------- */

/* A thread of step_here that is suspended before its first instruction, and its exceptions. */
static struct raw_thread about_to_step(uintptr_t place, zx_handle_t *token, zx_handle_t *channel)
{
    struct raw_thread t = raw_make();

    ASSERT_OK(zx_task_suspend_token(t.handle, token));
    ASSERT_OK(zx_task_create_exception_channel(t.handle, 0, channel));
    ASSERT_OK(raw_start(&t, step_here, place, 0));
    ASSERT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    return t;
}

static zx_handle_t catch_step(zx_handle_t channel)
{
    zx_exception_info_t info = {.type = 0};
    zx_handle_t exception = ZX_HANDLE_INVALID;
    uint32_t handled = ZX_EXCEPTION_STATE_HANDLED;

    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
    EXPECT_EQ(info.type, ZX_EXCP_HW_BREAKPOINT);
    EXPECT_OK(
        zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handled, sizeof(handled)));
    return exception;
}

TEST(ThreadSingleStep, Steps)
{
    static uint64_t place;
    zx_handle_t token, channel, exception;
    struct raw_thread t = about_to_step((uintptr_t)&place, &token, &channel);
    const uintptr_t stops[] = {(uintptr_t)step_here + 1, (uintptr_t)step_here + 2,
                               (uintptr_t)step_after};
    uint32_t on = 9;

    place = 0;
    EXPECT_OK(zx_thread_read_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
    EXPECT_EQ(on, 0);
    on = 1;
    EXPECT_OK(zx_thread_write_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
    CLOSE(token);
    for (int i = 0; i < 3; i++) {
        exception = catch_step(channel);
        EXPECT_EQ(general_of(t.handle).rip, stops[i]);
        EXPECT_EQ(place, i == 2 ? 5 : 0);
        EXPECT_OK(zx_thread_read_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
        EXPECT_EQ(on, 1);
        if (i == 2) {
            on = 0;
            EXPECT_OK(zx_thread_write_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
        }
        CLOSE(exception);
    }
    raw_join(&t);
    EXPECT_EQ(signals_of(channel) & ZX_CHANNEL_READABLE, 0);
    CLOSE(channel);
}

TEST(ThreadSingleStep, BadValue)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    uint32_t on = 2;

    EXPECT_STATUS(zx_thread_write_state(t.handle, SINGLE_STEP, &on, sizeof(on)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(general_of(t.handle).rflags & RFLAGS_TF, 0);
    let_end(&t, token);
}

static void calls_and_exits(uintptr_t place, uintptr_t unused)
{
    (void)unused;
    *(volatile zx_status_t *)place = zx_nanosleep(0);
    zx_thread_exit();
}

/* Through a system call and out of it. */
TEST(ThreadSingleStep, OverASystemCall)
{
    static volatile zx_status_t result;
    struct raw_thread t = raw_make();
    zx_handle_t token, channel, exception;
    uint32_t on = 1;
    int steps = 0;

    result = 1;
    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    ASSERT_OK(zx_task_create_exception_channel(t.handle, 0, &channel));
    ASSERT_OK(raw_start(&t, calls_and_exits, (uintptr_t)&result, 0));
    ASSERT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_OK(zx_thread_write_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
    CLOSE(token);
    while (zx_object_wait_one(channel, ZX_CHANNEL_READABLE, soon(), NULL) == ZX_OK &&
           steps++ < 1000) {
        exception = catch_step(channel);
        if (result == ZX_OK) {
            on = 0;
            EXPECT_OK(zx_thread_write_state(t.handle, SINGLE_STEP, &on, sizeof(on)));
            CLOSE(exception);
            break;
        }
        CLOSE(exception);
    }
    EXPECT_TRUE(steps > 5 && steps < 1000);
    raw_join(&t);
    EXPECT_OK(result);
    CLOSE(channel);
}

/* ---- Debug registers ----------------------------------------------------------------------- */

#define DR6_FIXED    0xffff0ff0u
#define DR7_FIXED    0x400u
#define DR7_L0       1u
#define DR7_WRITE8_0 0x90000u /* RW0: writes, LEN0: 8 bytes */

static bool has_debug_registers(zx_handle_t thread)
{
    zx_thread_state_debug_regs_t regs;

    return zx_thread_read_state(thread, DEBUG, &regs, sizeof(regs)) != ZX_ERR_NOT_SUPPORTED;
}

#define REQUIRE_DEBUG_REGISTERS(t, token)                                                          \
    do {                                                                                           \
        if (!has_debug_registers((t).handle)) {                                                    \
            let_end(&(t), token);                                                                  \
            SKIP("this machine has no debug registers for programs");                              \
        }                                                                                          \
    } while (0)

TEST(ThreadDebugRegisters, ReadAndWrite)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    zx_thread_state_debug_regs_t regs, again;

    REQUIRE_DEBUG_REGISTERS(t, token);
    EXPECT_OK(zx_thread_read_state(t.handle, DEBUG, &regs, sizeof(regs)));
    EXPECT_EQ(regs.dr[0], 0);
    EXPECT_EQ(regs.dr6, DR6_FIXED);
    EXPECT_EQ(regs.dr7, DR7_FIXED);
    for (unsigned i = 0; i < 4; i++)
        regs.dr[i] = 0x10000000 + 0x1000 * i;
    regs.dr7 = DR7_FIXED | DR7_L0 | 0x30000;
    EXPECT_OK(zx_thread_write_state(t.handle, DEBUG, &regs, sizeof(regs)));
    EXPECT_OK(zx_thread_read_state(t.handle, DEBUG, &again, sizeof(again)));
    EXPECT_EQ(memcmp(&again, &regs, sizeof(regs)), 0);
    let_end(&t, token);
}

TEST(ThreadDebugRegisters, Validation)
{
    zx_handle_t token;
    struct raw_thread t = stopped_thread(fill_and_spin, NULL, &token);
    zx_thread_state_debug_regs_t good, regs;

    REQUIRE_DEBUG_REGISTERS(t, token);
    EXPECT_OK(zx_thread_read_state(t.handle, DEBUG, &good, sizeof(good)));
    for (unsigned i = 0; i < 4; i++) {
        regs = good, regs.dr[i] = 0xffffffff80100000; /* the kernel's */
        EXPECT_STATUS(zx_thread_write_state(t.handle, DEBUG, &regs, sizeof(regs)),
                      ZX_ERR_INVALID_ARGS);
        regs = good, regs.dr[i] = 0x800000000000;
        EXPECT_STATUS(zx_thread_write_state(t.handle, DEBUG, &regs, sizeof(regs)),
                      ZX_ERR_INVALID_ARGS);
    }
    /* Bits that are nobody's keep their values; GD is one of them. */
    regs = good, regs.dr6 = UINT64_MAX, regs.dr7 = 0xfffffffff1001ffc;
    regs.dr7 &= ~0xffull; /* and nothing switched on */
    EXPECT_OK(zx_thread_write_state(t.handle, DEBUG, &regs, sizeof(regs)));
    EXPECT_OK(zx_thread_read_state(t.handle, DEBUG, &regs, sizeof(regs)));
    EXPECT_EQ(regs.dr6 >> 32, 0);
    EXPECT_EQ(regs.dr6 & DR6_FIXED, DR6_FIXED);
    EXPECT_EQ(regs.dr6 & 0x1000, 0);
    EXPECT_EQ(regs.dr7 >> 32, 0);
    EXPECT_EQ(regs.dr7 & 0x2000, 0);
    EXPECT_EQ(regs.dr7 & DR7_FIXED, DR7_FIXED);
    let_end(&t, token);
}

/* Whether the processor (or what emulates it) does what its debug registers say: with a breakpoint
 * in `regs` the thread stops; it is let go on. */
static void expect_stop(const zx_thread_state_debug_regs_t *regs, uint64_t *place, uintptr_t where)
{
    zx_handle_t token, channel, exception;
    struct raw_thread t = about_to_step((uintptr_t)place, &token, &channel);
    zx_thread_state_debug_regs_t seen = {{0}, 0, 0};

    *place = 0;
    if (!has_debug_registers(t.handle)) {
        CLOSE(channel);
        let_end(&t, token);
        SKIP("this machine has no debug registers for programs");
    }
    EXPECT_OK(zx_thread_write_state(t.handle, DEBUG, regs, sizeof(*regs)));
    CLOSE(token);
    exception = catch_step(channel);
    EXPECT_EQ(general_of(t.handle).rip, where);
    EXPECT_OK(zx_thread_read_state(t.handle, DEBUG, &seen, sizeof(seen)));
    EXPECT_EQ(seen.dr6 & 0xf, 1); /* the first one was hit */
    seen.dr7 = DR7_FIXED;
    EXPECT_OK(zx_thread_write_state(t.handle, DEBUG, &seen, sizeof(seen)));
    CLOSE(exception);
    raw_join(&t);
    EXPECT_EQ(*place, 5);
    CLOSE(channel);
}

TEST(ThreadDebugRegisters, Breakpoint)
{
    static uint64_t place;
    zx_thread_state_debug_regs_t regs = {
        .dr = {(uintptr_t)step_write}, .dr6 = DR6_FIXED, .dr7 = DR7_FIXED | DR7_L0};

    expect_stop(&regs, &place, (uintptr_t)step_write); /* before the instruction */
}

TEST(ThreadDebugRegisters, Watchpoint)
{
    static uint64_t place;
    zx_thread_state_debug_regs_t regs = {
        .dr = {(uintptr_t)&place}, .dr6 = DR6_FIXED, .dr7 = DR7_FIXED | DR7_L0 | DR7_WRITE8_0};

    expect_stop(&regs, &place, (uintptr_t)step_after); /* behind it */
}

/* One thread's breakpoints do not stop another. */
TEST(ThreadDebugRegisters, AreTheThreadsOwn)
{
    static uint64_t place;
    zx_handle_t token, channel, other_token, other_channel;
    struct raw_thread watched = about_to_step((uintptr_t)&place, &token, &channel);
    struct raw_thread other = about_to_step((uintptr_t)&place, &other_token, &other_channel);
    zx_thread_state_debug_regs_t regs = {
        .dr = {(uintptr_t)step_write}, .dr6 = DR6_FIXED, .dr7 = DR7_FIXED | DR7_L0};
    zx_handle_t exception;

    if (has_debug_registers(watched.handle)) {
        EXPECT_OK(zx_thread_write_state(watched.handle, DEBUG, &regs, sizeof(regs)));
        CLOSE(token);
        exception = catch_step(channel);
        CLOSE(other_token);
        raw_join(&other);
        EXPECT_EQ(signals_of(other_channel) & ZX_CHANNEL_READABLE, 0);
        regs.dr7 = DR7_FIXED;
        EXPECT_OK(zx_thread_write_state(watched.handle, DEBUG, &regs, sizeof(regs)));
        CLOSE(exception);
        raw_join(&watched);
    } else {
        let_end(&watched, token);
        let_end(&other, other_token);
    }
    CLOSE(channel);
    CLOSE(other_channel);
}

/*
 * `mov ss` holds a debug exception back for one instruction; if that is a system call the processor
 * reports it in ring 0 (CVE-2018-8897). The kernel must live through it.
 */
__asm__(".pushsection .text\n"
        ".globl hide_behind_ss\n"
        "hide_behind_ss:\n"
        "  mov %ss, (%rdi)\n"
        "  movq $62, %rax\n" /* nanosleep, but not by the vDSO */
        "  mov (%rdi), %ss\n"
        "  syscall\n"
        "  mov (%rdi), %ss\n"
        "  int3\n"
        "  jmp zx_thread_exit\n"
        ".popsection\n");
void hide_behind_ss(uintptr_t place, uintptr_t unused);

TEST(ThreadDebugRegisters, HiddenBehindALoadOfSs)
{
    static uint64_t place;
    zx_handle_t token, channel;
    struct raw_thread t = raw_make();
    zx_thread_state_debug_regs_t regs = {.dr = {(uintptr_t)&place},
                                         .dr6 = DR6_FIXED,
                                         .dr7 = DR7_FIXED | DR7_L0 | 0xf0000 /* 4 bytes, access */};

    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    ASSERT_OK(zx_task_create_exception_channel(t.handle, 0, &channel));
    ASSERT_OK(raw_start(&t, hide_behind_ss, (uintptr_t)&place, 0));
    ASSERT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    if (has_debug_registers(t.handle))
        EXPECT_OK(zx_thread_write_state(t.handle, DEBUG, &regs, sizeof(regs)));
    CLOSE(token);
    while (zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, 0, NULL) != ZX_OK) {
        zx_exception_info_t info;
        zx_handle_t exception;
        uint32_t handled = ZX_EXCEPTION_STATE_HANDLED;

        if (zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(MS(20)), NULL) !=
            ZX_OK)
            continue;
        ASSERT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
        EXPECT_OK(
            zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handled, sizeof(handled)));
        CLOSE(exception);
    }
    raw_join(&t);
    CLOSE(channel);
}
