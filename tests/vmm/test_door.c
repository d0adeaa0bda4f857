/* test_door.c - the hypercall door and the console ring with a hostile guest, without KVM. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "console.h"
#include "door.h"
#include "vm.h"

#define RAM     (16ull << 20)
#define CALL_AT 0x3000u
#define SHARED  0x8000u

/* A machine that never runs: memory, console, and an irqchip in name only. */
static struct zvmm *make_vm(void)
{
    struct zvmm *vm = calloc(1, sizeof(*vm));
    struct zvmm_error error;
    assert_non_null(vm);
    assert_int_equal(memory_create(&vm->memory, RAM, &error), 0);
    layout_init(&vm->layout, RAM);
    vm->kvm = (struct kvm){.fd = -1, .vm_fd = -1, .vcpu_fd = -1, .irqchip = true};
    vm->shared = memory_at(&vm->memory, gpa(SHARED), sizeof(*vm->shared));
    console_init(&vm->console, -1, memfd_create("out", 0));
    timer_init(&vm->timer);
    vm->thread = gettid();
    return vm;
}

static void free_vm(struct zvmm *vm)
{
    console_close(&vm->console);
    close(vm->console.out_fd);
    memory_destroy(&vm->memory);
    free(vm);
}

static uint64_t printed(struct zvmm *vm)
{
    return (uint64_t)lseek(vm->console.out_fd, 0, SEEK_END);
}

static struct zv_call *new_call(struct zvmm *vm, uint32_t number)
{
    struct zv_call *call = memory_at(&vm->memory, gpa(CALL_AT), sizeof(*call));
    memset(call, 0, sizeof(*call));
    call->number = number;
    call->size = sizeof(*call);
    call->result = -1000;
    return call;
}

static int64_t enter(struct zvmm *vm, struct zv_call *call)
{
    door_enter(vm, CALL_AT);
    return call->result;
}

static void test_bad_addresses(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    const uint32_t bad[] = {
        1,          4,          CALL_AT + 4, (uint32_t)RAM, (uint32_t)RAM - 8, (uint32_t)RAM - 104,
        0xfffffff8, 0xffffffff, 0x80000000};
    new_call(vm, ZV_CALL_EXIT);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        door_enter(vm, bad[i]);
    assert_false(vm->ended);
    assert_false(vm->failed);
    struct zv_call *last = memory_at(&vm->memory, gpa(RAM - 112), 112); /* just fits */
    *last = (struct zv_call){.number = ZV_CALL_EXIT, .size = sizeof(*last), .u.exit.code = 3};
    door_enter(vm, RAM - 112);
    assert_true(vm->ended);
    assert_int_equal(vm->result.code, 3);
    free_vm(vm);
}

static void test_bad_numbers(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    const uint32_t bad[] = {0, ZV_CALL_NUMBERS, ZV_CALL_NUMBERS + 1, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(enter(vm, new_call(vm, bad[i])), ZV_EINVAL);
    for (uint32_t number = 1; number < ZV_CALL_NUMBERS; number++) {
        struct zv_call *call = new_call(vm, number);
        call->size = sizeof(*call) - 1;
        assert_int_equal(enter(vm, call), ZV_EINVAL);
    }
    assert_false(vm->ended);
    free_vm(vm);
}

static void test_buffers(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    const struct {
        uint64_t paddr, length;
        int64_t result;
    } cases[] = {
        {0, 0, ZV_OK},
        {RAM, 0, ZV_OK},
        {RAM - 1, 1, ZV_OK},
        {RAM - 1, 2, ZV_EFAULT},
        {RAM, 1, ZV_EFAULT},
        {~0ull, 1, ZV_EFAULT},
        {~0ull, 1 << 20, ZV_EFAULT},
        {0, (1 << 20) + 1, ZV_EINVAL},
        {0, ~0ull, ZV_EINVAL},
        {RAM, ~0ull, ZV_EINVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zv_call *call = new_call(vm, ZV_CALL_CONSOLE_WRITE);
        call->u.buffer.paddr = cases[i].paddr;
        call->u.buffer.length = cases[i].length;
        assert_int_equal(enter(vm, call), cases[i].result);
    }
    assert_int_equal(printed(vm), 1);
    struct zv_call *call = new_call(vm, ZV_CALL_CONSOLE_READ);
    call->u.buffer.paddr = RAM;
    call->u.buffer.length = 1;
    assert_int_equal(enter(vm, call), ZV_EFAULT);
    call->u.buffer.paddr = 0;
    assert_int_equal(enter(vm, call), ZV_EEOF); /* no input descriptor */
    free_vm(vm);
}

static void test_memory_calls(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    const struct {
        uint32_t op;
        uint64_t dst, src, length;
        int64_t result;
    } cases[] = {
        {0, 0x100000, 0, 8, ZV_EINVAL},
        {4, 0x100000, 0, 8, ZV_EINVAL},
        {ZV_MEMORY_ZERO, 0x100000, 0, 0, ZV_OK},
        {ZV_MEMORY_ZERO, 0x100001, ~0ull, 17, ZV_OK},
        {ZV_MEMORY_ZERO, RAM - 8, 0, 9, ZV_EFAULT},
        {ZV_MEMORY_ZERO, 0x100000, 0, ~0ull, ZV_EFAULT},
        {ZV_MEMORY_ZERO, ~0ull, 0, 2, ZV_EFAULT},
        {ZV_MEMORY_COPY, 0x100000, RAM - 8, 9, ZV_EFAULT},
        {ZV_MEMORY_COPY, RAM - 8, 0x100000, 9, ZV_EFAULT},
        {ZV_MEMORY_COPY, 0x100000, ~0ull - 7, 8, ZV_EFAULT},
        {ZV_MEMORY_DISCARD, 0x100000, 0, 4096, ZV_OK},
        {ZV_MEMORY_DISCARD, 0x100000, 0, 0, ZV_OK},
        {ZV_MEMORY_DISCARD, 0x100008, 0, 4096, ZV_EINVAL},
        {ZV_MEMORY_DISCARD, 0x100000, 0, 4095, ZV_EINVAL},
        {ZV_MEMORY_DISCARD, 0, 0, RAM + 4096, ZV_EFAULT},
        {ZV_MEMORY_DISCARD, RAM - 4096, 0, 4096, ZV_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zv_call *call = new_call(vm, ZV_CALL_MEMORY);
        call->u.memory.op = cases[i].op;
        call->u.memory.dst = cases[i].dst;
        call->u.memory.src = cases[i].src;
        call->u.memory.length = cases[i].length;
        assert_int_equal(enter(vm, call), cases[i].result);
    }
    uint8_t *bytes = memory_at(&vm->memory, gpa(0x200000), 0x10000);
    for (int i = 0; i < 100; i++)
        bytes[i] = (uint8_t)i;
    struct zv_call *call = new_call(vm, ZV_CALL_MEMORY);
    call->u.memory.op = ZV_MEMORY_COPY;
    call->u.memory.src = 0x200000;
    call->u.memory.dst = 0x200005; /* overlaps */
    call->u.memory.length = 100;
    assert_int_equal(enter(vm, call), ZV_OK);
    assert_int_equal(bytes[5], 0);
    assert_int_equal(bytes[104], 99);
    free_vm(vm);
}

static void test_timer_and_end(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    assert_int_equal(enter(vm, new_call(vm, ZV_CALL_TIMER_ARM)), ZV_ENOTSUP);
    struct zv_call *call = new_call(vm, ZV_CALL_MARKER);
    call->u.marker.id = 0xffffffff;
    assert_int_equal(enter(vm, call), ZV_OK);
    call = new_call(vm, ZV_CALL_EXIT);
    call->u.exit.code = -1028;
    assert_int_equal(enter(vm, call), ZV_OK);
    assert_true(vm->ended);
    assert_int_equal(vm->result.code, -1028);
    free_vm(vm);
}

/* Whatever the indices say, at most one ring full is written and the tail follows the head. */
static void test_ring(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    const struct {
        uint32_t head;
        uint64_t bytes;
    } cases[] = {
        {0, 0},
        {5, 5},
        {5, 0},
        {ZV_CONSOLE_RING + 2, ZV_CONSOLE_RING - 3},
        {ZV_CONSOLE_RING * 2 + 2, ZV_CONSOLE_RING},
        {1, ZV_CONSOLE_RING}, /* backwards: looks like 4 GiB minus something */
        {0xffffffff, ZV_CONSOLE_RING},
        {3, 4}, /* over the wrap of 32 bits */
        {0x80000000, ZV_CONSOLE_RING},
    };
    uint64_t total = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vm->shared->out_head = cases[i].head;
        vm->shared->out_tail = (uint32_t)random(); /* zvmm must not believe its own field */
        if (cases[i].bytes == 0)
            vm->shared->out_tail = cases[i].head;
        assert_true(console_drain(vm));
        total += cases[i].bytes;
        assert_int_equal(printed(vm), total);
        assert_int_equal(vm->shared->out_tail, cases[i].head);
    }
    free_vm(vm);
}

static void test_ring_order(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    char text[6] = "";
    vm->shared->out_head = ZV_CONSOLE_RING - 2;
    assert_true(console_drain(vm));
    uint64_t before = printed(vm);
    memcpy(vm->shared->out + ZV_CONSOLE_RING - 2, "ab", 2);
    memcpy(vm->shared->out, "cde", 3);
    vm->shared->out_head += 5;
    assert_true(console_drain(vm));
    assert_int_equal(pread(vm->console.out_fd, text, 5, (off_t)before), 5);
    assert_string_equal(text, "abcde");
    free_vm(vm);
}

/* Output that nobody takes is a failure of the host with its own message. */
static void test_closed_output(void **state)
{
    (void)state;
    struct zvmm *vm = make_vm();
    close(vm->console.out_fd);
    vm->console.out_fd = open("/dev/full", O_WRONLY);
    vm->shared->out_head = 1;
    assert_false(console_drain(vm));
    assert_true(vm->failed);
    assert_non_null(strstr(vm->error.text, "console output"));
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_addresses), cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_buffers),       cmocka_unit_test(test_memory_calls),
        cmocka_unit_test(test_timer_and_end), cmocka_unit_test(test_ring),
        cmocka_unit_test(test_ring_order),    cmocka_unit_test(test_closed_output),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
