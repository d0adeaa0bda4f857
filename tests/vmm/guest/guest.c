/*
 * guest.c - the test guest of zvmm: does what the first word of its command line says, through
 * the hypercalls, and ends with exit code 0 if what it saw was right. It proves zvmm without the
 * kernel, and runs on both kinds of KVM.
 */
#include "hypercall.h"

typedef uint64_t u64;
typedef uint32_t u32;

struct frame {
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

extern char test_stubs[], test_user_code[], test_user_end[];
void test_enter_user(u64 rip, u64 rsp);
void test_main(struct zv_boot_info *info);
void test_trap(struct frame *frame);

static struct zv_boot_info *boot;
static volatile struct zv_shared_page *shared;
static const char *words;
static u64 idt[34 * 2] __attribute__((aligned(16)));
static u32 tss[26] __attribute__((aligned(16)));
static uint8_t trap_stack[8192] __attribute__((aligned(16)));
static u64 user_tables[3][512] __attribute__((aligned(4096)));
static uint8_t user_page[4096] __attribute__((aligned(4096)));
static uint8_t user_data[4096] __attribute__((aligned(4096)));
static volatile u64 timer_ticks, event_ticks, user_faults;

/* A container with nothing in it but a discarded item. */
static const u32 zbi[16] __attribute__((section(".zbi"), used)) = {
    0x544f4f42, 32, 0x868cf7e6, 0x10000, 0, 0, 0xb5781729, 0x4a87e8d6,
    0x50494b53, 0,  0,          0x10000, 0, 0, 0xb5781729, 0x4a87e8d6,
};

/* The compiler may ask for these. */
void *memset(void *to, int value, size_t length);
void *memset(void *to, int value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    return to;
}

/* ---- Machine -------------------------------------------------------------------------------- */

static u64 rdtsc(void)
{
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

static void wrmsr(u32 msr, u64 value)
{
    asm volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

static u64 rdmsr(u32 msr)
{
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static u64 paddr_of(const volatile void *address)
{
    u64 value = (u64)address;
    return value >= ZV_KERNEL_BASE ? value - ZV_KERNEL_BASE : value - ZV_DIRECT_MAP_BASE;
}

static void *direct(u64 paddr)
{
    return (void *)(ZV_DIRECT_MAP_BASE + paddr);
}

static void out32(u32 value)
{
    asm volatile("outl %0, %w1" ::"a"(value), "d"(ZV_CALL_PORT) : "memory");
}

static int64_t call(volatile struct zv_call *c)
{
    out32((u32)paddr_of(c));
    return c->result;
}

static volatile struct zv_call the_call __attribute__((aligned(16)));

static volatile struct zv_call *new_call(u32 number)
{
    for (unsigned i = 0; i < 12; i++)
        the_call.u.words[i] = 0;
    the_call.number = number;
    the_call.size = sizeof(the_call);
    the_call.result = -1000;
    return &the_call;
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void put(char c)
{
    u32 head = shared->out_head;
    while (head - shared->out_tail >= ZV_CONSOLE_RING)
        call(new_call(ZV_CALL_CONSOLE_FLUSH));
    shared->out[head % ZV_CONSOLE_RING] = (uint8_t)c;
    asm volatile("" ::: "memory");
    shared->out_head = head + 1;
}

static void print(const char *text)
{
    while (*text != '\0')
        put(*text++);
}

static void print_hex(u64 value)
{
    int shift = 60;
    print("0x");
    while (shift > 0 && (value >> shift & 15) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void print_value(const char *name, u64 value)
{
    print(name);
    put('=');
    print_hex(value);
    put('\n');
}

/* Whether the next word of the command line is `text`; moves past it if so. */
static int take_word(const char *text)
{
    const char *at = words;
    while (*text != '\0' && *at == *text)
        at++, text++;
    if (*text != '\0' || (*at != ' ' && *at != '\0'))
        return 0;
    while (*at == ' ')
        at++;
    words = at;
    return 1;
}

static u64 take_number(void)
{
    u64 value = 0;
    int negative = *words == '-';
    if (negative)
        words++;
    while (*words >= '0' && *words <= '9')
        value = value * 10 + (u64)(*words++ - '0');
    return negative ? -value : value;
}

static void finish(int64_t code)
{
    volatile struct zv_call *c = new_call(ZV_CALL_EXIT);
    c->u.exit.code = code;
    call(c);
    for (;;)
        asm volatile("cli; hlt");
}

static void check(int good, const char *what)
{
    if (good)
        return;
    print("FAILED: ");
    print(what);
    put('\n');
    finish(1);
}

__attribute__((noinline)) static void panic(const char *message)
{
    volatile struct zv_call *c = new_call(ZV_CALL_PANIC);
    u64 length = 0, rbp, rsp;
    while (message[length] != '\0')
        length++;
    asm volatile("mov %%rbp, %0; mov %%rsp, %1" : "=r"(rbp), "=r"(rsp));
    c->u.panic.message_paddr = paddr_of(message);
    c->u.panic.message_length = length;
    c->u.panic.rip = (u64)__builtin_extract_return_addr(__builtin_return_address(0)) - 1;
    c->u.panic.rbp = *(u64 *)rbp;
    c->u.panic.rsp = rsp;
    call(c);
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void end_of_interrupt(void)
{
    if ((boot->features & ZV_FEATURE_LAPIC) != 0)
        wrmsr(0x80b, 0);
}

void test_trap(struct frame *frame)
{
    if (frame->vector == ZV_VECTOR_TIMER) {
        timer_ticks++;
        ((volatile u32 *)user_data)[6] = 0; /* lets the ring-3 loop end */
        end_of_interrupt();
    } else if (frame->vector == ZV_VECTOR_EVENT) {
        event_ticks++;
        end_of_interrupt();
    } else if (frame->vector == 6 && (frame->cs & 3) == 3) {
        user_faults++;
        volatile u32 *data = (volatile u32 *)user_data;
        print_value("user.cpuid1.ecx", data[2]);
        print_value("user.cpuid1.edx", data[3]);
        u64 tsc = (u64)data[5] << 32 | data[4], now = rdtsc();
        check(tsc < now && now - tsc < boot->tsc_hz * 5, "ring 3 and ring 0 read one TSC");
        print_value("user.loops", *(volatile u64 *)(user_data + 32));
        finish(0);
    } else {
        print_value("trap", frame->vector);
        print_value("rip", frame->rip);
        panic("unexpected trap");
    }
}

static void load_tables(void)
{
    u64 *gdt = 0;
    struct __attribute__((packed)) {
        uint16_t limit;
        u64 base;
    } table;
    asm volatile("sgdt %0" : "=m"(table));
    gdt = (u64 *)table.base;
    u64 base = (u64)tss, top = (u64)trap_stack + sizeof(trap_stack);
    tss[1] = (u32)top;
    tss[2] = (u32)(top >> 32);
    tss[25] = sizeof(tss) << 16;
    gdt[ZV_SEL_TSS / 8] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[ZV_SEL_TSS / 8 + 1] = base >> 32;
    asm volatile("ltr %w0" ::"r"(ZV_SEL_TSS));
    for (u64 i = 0; i < 34; i++) {
        u64 stub = (u64)test_stubs + 16 * i;
        idt[2 * i] = (stub & 0xffff) | (u64)ZV_SEL_KERNEL_CODE << 16 | 0x8e00ull << 32 |
                     (stub >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = stub >> 32;
    }
    table.limit = sizeof(idt) - 1;
    table.base = (u64)idt;
    asm volatile("lidt %0" ::"m"(table));
    if ((boot->features & ZV_FEATURE_LAPIC) != 0) {
        wrmsr(0x1b, rdmsr(0x1b) | 0xc00);        /* x2APIC */
        wrmsr(0x80f, 0x1ff);                     /* enable, spurious vector 255 */
        wrmsr(0x832, 0x40000 | ZV_VECTOR_TIMER); /* TSC-deadline mode */
    }
}

static void set_deadline(u64 tsc, int explicit)
{
    if ((boot->features & ZV_FEATURE_LAPIC) != 0) {
        wrmsr(0x6e0, tsc);
        return;
    }
    shared->deadline_tsc = tsc;
    if (explicit) {
        volatile struct zv_call *c = new_call(ZV_CALL_TIMER_ARM);
        c->u.timer.deadline_tsc = tsc;
        check(call(c) == ZV_OK, "timer arm");
    }
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void test_hello(void)
{
    print("hello from the test guest\n");
    finish(0);
}

static void test_info(void)
{
    print_value("memory", boot->memory_bytes);
    print_value("quirks", boot->quirks);
    print_value("features", boot->features);
    print_value("tsc_hz", boot->tsc_hz);
    print_value("numerator", boot->ticks_numerator);
    print_value("denominator", boot->ticks_denominator);
    print_value("wall_clock", boot->wall_clock_ns);
    print_value("wall_age", rdtsc() - boot->wall_clock_tsc);
    print_value("xcr0", boot->xcr0);
    print_value("xsave_bytes", boot->xsave_bytes);
    print_value("seed0", *(u64 *)boot->seed);
    print_value("seed3", *(u64 *)(boot->seed + 24));
    u64 end = 0;
    for (u32 i = 0; i < boot->num_ranges; i++) {
        print_value("range.base", boot->ranges[i].base);
        print_value("range.length", boot->ranges[i].length);
        print_value("range.type", boot->ranges[i].type);
        check(boot->ranges[i].base >= end, "ranges are sorted");
        check((boot->ranges[i].base | boot->ranges[i].length) % 4096 == 0, "ranges are aligned");
        end = boot->ranges[i].base + boot->ranges[i].length;
    }
    check(end == boot->memory_bytes, "ranges end with RAM");
    for (u32 i = 0; i < boot->num_modules; i++) {
        print_value("module.kind", boot->modules[i].kind);
        print_value("module.paddr", boot->modules[i].paddr);
        print_value("module.length", boot->modules[i].length);
        print_value("module.flags", boot->modules[i].flags);
        print_value("module.word", *(u32 *)direct(boot->modules[i].paddr));
    }
    print("cmdline=");
    print(direct(boot->cmdline_paddr));
    put('\n');
    finish(0);
}

/* Every kind of bad hypercall is answered with the right error and nothing else happens. */
static void test_bad_calls(void)
{
    volatile struct zv_call *c;
    out32(0xfffffff8);
    out32((u32)paddr_of(new_call(ZV_CALL_EXIT)) + 4);
    out32((u32)boot->memory_bytes - 8);
    check(call(new_call(0)) == ZV_EINVAL, "number 0");
    check(call(new_call(ZV_CALL_NUMBERS)) == ZV_EINVAL, "number too high");
    check(call(new_call(0xffffffff)) == ZV_EINVAL, "number -1");
    c = new_call(ZV_CALL_EXIT);
    c->size = 16;
    check(call(c) == ZV_EINVAL, "wrong size");
    c = new_call(ZV_CALL_CONSOLE_WRITE);
    c->u.buffer.paddr = boot->memory_bytes - 4;
    c->u.buffer.length = 5;
    check(call(c) == ZV_EFAULT, "write over the end");
    c->u.buffer.paddr = ~0ull;
    check(call(c) == ZV_EFAULT, "write at -1");
    c->u.buffer.paddr = 0x100000;
    c->u.buffer.length = (1 << 20) + 1;
    check(call(c) == ZV_EINVAL, "write too long");
    c = new_call(ZV_CALL_CONSOLE_READ);
    c->u.buffer.paddr = boot->memory_bytes;
    c->u.buffer.length = 1;
    check(call(c) == ZV_EFAULT, "read into nothing");
    c = new_call(ZV_CALL_MEMORY);
    check(call(c) == ZV_EINVAL, "memory operation 0");
    c->u.memory.op = ZV_MEMORY_ZERO;
    c->u.memory.dst = 0x1000;
    c->u.memory.length = ~0ull - 0xfff;
    check(call(c) == ZV_EFAULT, "memory overflow");
    c->u.memory.op = ZV_MEMORY_COPY;
    c->u.memory.dst = 0x400000;
    c->u.memory.src = boot->memory_bytes - 0x1000;
    c->u.memory.length = 0x2000;
    check(call(c) == ZV_EFAULT, "copy source over the end");
    c->u.memory.op = ZV_MEMORY_DISCARD;
    c->u.memory.dst = 0x400010;
    check(call(c) == ZV_EINVAL, "discard unaligned");
    c = new_call(ZV_CALL_TIMER_ARM);
    c->u.timer.deadline_tsc = ~0ull;
    check(call(c) == ((boot->features & ZV_FEATURE_LAPIC) != 0 ? ZV_ENOTSUP : ZV_OK),
          "timer arm by kind");
    c = new_call(ZV_CALL_MARKER);
    c->u.marker.id = 0xffffffff;
    check(call(c) == ZV_OK, "marker");
    print("bad calls refused\n");
    finish(0);
}

static void test_memory(void)
{
    volatile u64 *page = direct(0x800000), *other = direct(0x900000);
    volatile struct zv_call *c = new_call(ZV_CALL_MEMORY);
    check(page[0] == 0 && page[511] == 0, "free memory is zero");
    page[0] = 1, page[511] = 2;
    c->u.memory.op = ZV_MEMORY_COPY;
    c->u.memory.dst = 0x900000;
    c->u.memory.src = 0x800000;
    c->u.memory.length = 4096;
    check(call(c) == ZV_OK && other[0] == 1 && other[511] == 2, "copy");
    c->u.memory.op = ZV_MEMORY_ZERO;
    c->u.memory.length = 8;
    check(call(c) == ZV_OK && other[0] == 0 && other[511] == 2, "zero");
    c->u.memory.op = ZV_MEMORY_DISCARD;
    c->u.memory.length = 4096;
    check(call(c) == ZV_OK && other[511] == 0, "discard");
    /* A discarded page of the image must not bring the file's contents back. */
    c->u.memory.dst = boot->modules[0].paddr;
    check(*(volatile u32 *)direct(boot->modules[0].paddr) != 0, "module is there");
    check(call(c) == ZV_OK && *(volatile u32 *)direct(boot->modules[0].paddr) == 0,
          "discard of an image page");
    /* All of RAM is there. */
    for (u64 paddr = 0x1000000; paddr < boot->memory_bytes; paddr += 0x4000000) {
        if (paddr >= 0xfec00000 && paddr < 0x100000000)
            continue;
        *(volatile u64 *)direct(paddr) = paddr;
        check(*(volatile u64 *)direct(paddr) == paddr, "RAM");
    }
    print("memory good\n");
    finish(0);
}

static void test_timer(void)
{
    u64 step = boot->tsc_hz / 1000; /* 1 ms */
    for (int i = 0; i < 5; i++) {
        u64 before = timer_ticks, deadline = rdtsc() + step;
        set_deadline(deadline, i & 1);
        asm volatile("sti; hlt; cli");
        check(timer_ticks == before + 1, "one tick");
        check(rdtsc() >= deadline, "not early");
        check((boot->features & ZV_FEATURE_LAPIC) != 0 || (shared->events & ZV_EVENT_TIMER) != 0,
              "timer event");
    }
    print("timer good\n");
    finish(0);
}

/* Run the ring-3 code; with `spin` it loops until the timer interrupt stops it. */
static void test_user(int spin)
{
    u64 size = (u64)(test_user_end - test_user_code);
    for (u64 i = 0; i < size; i++)
        user_page[i] = (uint8_t)test_user_code[i];
    ((volatile u32 *)user_data)[6] = (u32)spin;
    u64 cr3;
    asm volatile("mov %%cr3, %0" : "=r"(cr3));
    ((u64 *)direct(cr3))[0] = paddr_of(user_tables[0]) | 7;
    user_tables[0][0] = paddr_of(user_tables[1]) | 7;
    user_tables[1][0] = paddr_of(user_tables[2]) | 7;
    user_tables[2][16] = paddr_of(user_page) | 5;
    user_tables[2][17] = paddr_of(user_data) | 7;
    asm volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
    if (spin)
        set_deadline(rdtsc() + boot->tsc_hz / 100, 1);
    asm volatile(
        "push $0x2b; push $0x12000; push $0x202; push $0x33; push $0x10000; iretq" ::"D"(0x11000ull)
        : "memory");
}

/* Copy console input to the output until it ends; sleep while there is none. */
static void test_echo(void)
{
    static uint8_t buffer[256];
    u64 total = 0;
    shared->in_wanted = 1;
    for (;;) {
        volatile struct zv_call *c = new_call(ZV_CALL_CONSOLE_READ);
        c->u.buffer.paddr = paddr_of(buffer);
        c->u.buffer.length = sizeof(buffer);
        int64_t got = call(c);
        if (got == ZV_EEOF)
            break;
        check(got >= 0 && got <= (int64_t)sizeof(buffer), "read");
        total += (u64)got;
        if (got > 0) {
            c = new_call(ZV_CALL_CONSOLE_WRITE);
            c->u.buffer.paddr = paddr_of(buffer);
            c->u.buffer.length = (u64)got;
            check(call(c) == ZV_OK, "write");
            continue;
        }
        u64 seen = event_ticks;
        (void)seen;
        /* sti takes effect after hlt has begun, so no event is lost between read and hlt */
        asm volatile("sti; hlt; cli");
    }
    print_value("echoed", total);
    finish(0);
}

/* Overwrite the ring's indices with nonsense; zvmm must not care. */
static void test_hostile_ring(void)
{
    static const u32 heads[] = {0xffffffff, 0x80000000, 1, 0x12345678, 0};
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        shared->out_head = heads[i];
        shared->out_tail = ~heads[i];
        call(new_call(ZV_CALL_CONSOLE_FLUSH));
        check(shared->out_tail == heads[i], "zvmm's tail follows the head");
    }
    finish(0);
}

/* Says so on the host at once. */
static void ready(void)
{
    print("ready\n");
    call(new_call(ZV_CALL_CONSOLE_FLUSH));
}

static void test_panic_inner(void)
{
    print("about to panic\n");
    panic("the test guest panics on purpose");
}

static void triple_fault(void)
{
    static const struct __attribute__((packed)) {
        uint16_t limit;
        u64 base;
    } none = {0, 0};
    asm volatile("lidt %0; ud2" ::"m"(none));
}

static void mark(u32 id, u64 value)
{
    volatile struct zv_call *c = new_call(ZV_CALL_MARKER);
    c->u.marker.id = id;
    c->u.marker.value = value;
    check(call(c) == ZV_OK, "marker");
}

static u64 free_base(u64 length)
{
    for (u32 i = 0; i < boot->num_ranges; i++)
        if (boot->ranges[i].type == ZV_MEM_FREE && boot->ranges[i].length >= length)
            return boot->ranges[i].base;
    return 0;
}

/* Between two markers, write a word into each of so many pages, so many pages apart. */
static void test_touch(void)
{
    u64 pages = take_number();
    words += *words == ' ';
    u64 stride = take_number() * 4096, base = free_base(pages * stride);
    mark(0x1000, base);
    for (u64 i = 0; i < pages; i++)
        ++*(volatile u64 *)direct(base + i * stride);
    mark(0x1001, *(volatile u64 *)direct(base));
    finish((int64_t)*(volatile u64 *)direct(base));
}

/* Three pages of tables for the first GiB, where the kernel and the direct map are. */
static void use_few_tables(void)
{
    enum { PRESENT_WRITABLE = 3, USED = 0x60, LARGE = 0x80 };
    user_tables[0][256] = user_tables[0][511] = paddr_of(user_tables[1]) | PRESENT_WRITABLE | USED;
    user_tables[1][0] = user_tables[1][510] = paddr_of(user_tables[2]) | PRESENT_WRITABLE | USED;
    for (u64 i = 0; i < 512; i++)
        user_tables[2][i] = i << 21 | PRESENT_WRITABLE | USED | LARGE;
    asm volatile("mov %0, %%cr3" ::"r"(paddr_of(user_tables[0])) : "memory");
}

/*
 * Between two markers, write into so many pages: the first is the call's own, and nothing goes to
 * the stack. A processor with nested page tables counts the guest's page tables too whenever it
 * walks them, so there are few.
 */
static void test_dirty(void)
{
    u64 pages = take_number(), base = free_base(pages * 4096);
    volatile struct zv_call *c = direct(base);
    use_few_tables();
    for (u64 i = 0; i < pages; i++)
        *(volatile u64 *)direct(base + i * 4096) = 0;
    c->number = ZV_CALL_MARKER;
    c->size = sizeof(*c);
    c->u.marker.id = 0x1000;
    out32((u32)base);
    for (u64 i = 1; i < pages; i++)
        ++*(volatile u64 *)direct(base + i * 4096);
    c->u.marker.id = 0x1001;
    out32((u32)base);
    finish((int64_t)*(volatile u64 *)direct(base + (pages - 1) * 4096));
}

/* Hash one's own progress through 64 pages of memory; print the hash now and then. */
static void test_progress(void)
{
    enum { WORDS = 64 * 512 };
    u64 rounds = take_number(), hash = 1;
    volatile u64 *data = direct(free_base(WORDS * 8));
    for (u64 i = 0; i < rounds; i++) {
        hash = hash * 6364136223846793005u + 1442695040888963407u;
        data[(hash >> 33) % WORDS] ^= hash;
        hash += data[(hash >> 17) % WORDS] + i;
        if (i % 1024 == 0)
            print_value("hash", hash);
        if (i % 256 == 0)
            mark(0x1002, i);
    }
    print_value("last", hash);
    finish((int64_t)(hash & 127));
}

void test_main(struct zv_boot_info *info)
{
    boot = info;
    shared = direct(boot->shared_page_paddr);
    words = direct(boot->cmdline_paddr);
    if (boot->magic != ZV_BOOT_MAGIC || boot->size != sizeof(*boot))
        for (;;)
            asm volatile("cli; hlt");
    if (take_word("hello"))
        test_hello();
    load_tables();
    volatile struct zv_call *c = new_call(ZV_CALL_MARKER);
    c->u.marker.id = ZV_MARKER_KERNEL_ENTRY;
    call(c);
    if (take_word("info"))
        test_info();
    if (take_word("exit"))
        finish((int64_t)take_number());
    if (take_word("bad"))
        test_bad_calls();
    if (take_word("memory"))
        test_memory();
    if (take_word("timer"))
        test_timer();
    if (take_word("user"))
        test_user(0);
    if (take_word("spin"))
        test_user(1);
    if (take_word("echo"))
        test_echo();
    if (take_word("ring"))
        test_hostile_ring();
    if (take_word("panic"))
        test_panic_inner();
    if (take_word("triple"))
        triple_fault();
    if (take_word("int3"))
        asm volatile("int3");
    if (take_word("bug"))
        *(volatile u32 *)0x1234 = 1;
    if (take_word("dead"))
        asm volatile("cli; hlt");
    if (take_word("forever")) {
        ready();
        asm volatile("1: sti; hlt; jmp 1b");
    }
    if (take_word("busy")) {
        ready();
        asm volatile("1: jmp 1b");
    }
    if (take_word("touch"))
        test_touch();
    if (take_word("dirty"))
        test_dirty();
    if (take_word("progress"))
        test_progress();
    if (take_word("port"))
        asm volatile("mov $0x99, %%dx; inb %%dx, %%al; outb %%al, %%dx" ::: "eax", "edx");
    if (take_word("mmio"))
        check(*(volatile u32 *)direct(0xfec00000) == 0xffffffff, "no memory there");
    print("done\n");
    finish(0);
}
