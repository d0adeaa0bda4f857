/*
 * step-profile.c - which functions the guest's instructions fall into, for one turn of a row of
 * zbench, counted one by one with KVM's single step.
 *
 *   step-profile [--trace] GUEST.elf BOOTFS-FOLDER ROW
 *
 * The guest runs `zbench --profile ROW`, which puts a marker (ZV_CALL_MARKER) before the turn and
 * one after it; between them the vCPU is stepped. What the markers themselves cost is counted
 * between two markers with nothing between them, and subtracted. User instructions are one line.
 * --trace prints the address of every instruction of the turn instead; addr2line reads it.
 *
 * This machine's KVM and the nested rig take different paths in the HAL (see ZV_QUIRK_*); run it on
 * the rig for the paths of hardware:
 *
 *   tests/rig/run.sh --file guest.elf --file obj/bench/bootfs:/bootfs --file obj/bench/step-profile
 *       -- step-profile guest.elf /bootfs Syscall/Null
 *
 * A hardware KVM steps by the trap flag, which four things take away: SYSCALL and SYSRET replace
 * the flags, IRET restores saved ones, and a fault clears them. So SYSCALL's flag mask is changed,
 * the saved flags that the guest sees are cleaned of the trap flag, those that are about to be
 * loaded get it, and the first instruction of the page fault's entry, a push of its vector, is
 * replaced by an `out`, which stops the guest (TCG's SVM does not intercept int3).
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "door.h"
#include "timer.h"
#include "vm.h"

#define TRAP_FLAG        0x100ull
#define MSR_SYSCALL_MASK 0xc0000084u
#define PAGE_FAULT       14
#define STOP_PORT        0xf1

/* zbench's markers: nothing lies between the first two, one turn of the row between the others. At
 * the last one the turn begins anew: what was done was preparation. */
enum { MARKER_BASE = 0x1001, MARKER_BEGIN, MARKER_END, MARKER_RESTART };

struct symbol {
    uint64_t address;
    char name[64];
    long base, turn; /* instructions */
};

static struct profile {
    struct zvmm *vm;
    struct symbol *symbols; /* by address */
    size_t count;
    long user_base, user_turn;
    uint64_t syscall_entries[2], page_fault_entry; /* 0: not in this guest */
    bool stepping, in_turn, done, trace;
} profile;

/* ---- Symbols ------------------------------------------------------------------------------- */

static int by_address(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;

    return a->address < b->address ? -1 : a->address > b->address;
}

static void add_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_size / header->sh_entsize;
    GElf_Sym symbol;

    profile.symbols = calloc(count + 1, sizeof(*profile.symbols));
    if (!profile.symbols)
        abort();
    for (size_t i = 0; i < count; i++) {
        const char *name;
        GElf_Shdr place;
        Elf_Scn *in;

        gelf_getsym(data, (int)i, &symbol);
        name = elf_strptr(elf, header->sh_link, symbol.st_name);
        in = elf_getscn(elf, symbol.st_shndx);
        if (!name || !*name || !in || symbol.st_shndx >= SHN_LORESERVE)
            continue;
        gelf_getshdr(in, &place);
        if (!(place.sh_flags & SHF_EXECINSTR) || GELF_ST_TYPE(symbol.st_info) > STT_FUNC)
            continue;
        profile.symbols[profile.count].address = symbol.st_value;
        snprintf(profile.symbols[profile.count++].name, 64, "%s", name);
    }
    qsort(profile.symbols, profile.count, sizeof(*profile.symbols), by_address);
}

static void read_symbols(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf_Scn *section = NULL;
    Elf *elf;

    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    while (elf && (section = elf_nextscn(elf, section))) {
        GElf_Shdr header;

        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            add_symbols(elf, section, &header);
    }
    elf_end(elf);
    close(fd);
}

static uint64_t address_of(const char *name)
{
    for (size_t i = 0; i < profile.count; i++)
        if (strcmp(profile.symbols[i].name, name) == 0)
            return profile.symbols[i].address;
    return 0;
}

static struct symbol *symbol_at(uint64_t address)
{
    size_t low = 0, high = profile.count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (profile.symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &profile.symbols[low - 1] : NULL;
}

static void count_instruction(uint64_t rip)
{
    struct symbol *symbol = rip >> 63 ? symbol_at(rip) : NULL;

    if (profile.trace && profile.in_turn)
        printf("%#llx\n", (unsigned long long)rip);
    if (!symbol)
        *(profile.in_turn ? &profile.user_turn : &profile.user_base) += 1;
    else
        *(profile.in_turn ? &symbol->turn : &symbol->base) += 1;
}

/* ---- Stepping ------------------------------------------------------------------------------ */

/* Guest memory at a kernel address, or NULL. */
static uint8_t *kernel_memory(uint64_t address, uint64_t length)
{
    if (address >= ZV_KERNEL_BASE)
        return zvmm_memory(profile.vm, address - ZV_KERNEL_BASE, length);
    if (address >= ZV_DIRECT_MAP_BASE)
        return zvmm_memory(profile.vm, address - ZV_DIRECT_MAP_BASE, length);
    return NULL;
}

static void fail(const char *what)
{
    fprintf(stderr, "step-profile: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void call_vcpu(unsigned long request, void *argument, const char *what)
{
    if (ioctl(profile.vm->kvm.vcpu_fd, request, argument) != 0)
        fail(what);
}

static bool is_hardware(void)
{
    return !(profile.vm->quirks & ZV_QUIRK_SLOW_RING0);
}

/* Steps take long: without KVM_GUESTDBG_BLOCKIRQ the timer would interrupt each of them. */
static void set_step(bool step)
{
    struct kvm_guest_debug debug = {.control = 0};

    if (step)
        debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
    if (step && is_hardware())
        debug.control |= KVM_GUESTDBG_BLOCKIRQ;
    call_vcpu(KVM_SET_GUEST_DEBUG, &debug, "KVM_SET_GUEST_DEBUG");
}

static const uint8_t push_vector[2] = {0x6a, PAGE_FAULT}, out_to_stop[2] = {0xe6, STOP_PORT};

/* On hardware SYSCALL must leave the trap flag alone, and the page fault's entry stops the guest.
 */
static void prepare_hardware(bool step)
{
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } msrs = {{.nmsrs = 1}, {.index = MSR_SYSCALL_MASK}};
    uint8_t *entry = kernel_memory(profile.page_fault_entry, 2);

    if (ioctl(profile.vm->kvm.vcpu_fd, KVM_GET_MSRS, &msrs) != 1)
        fail("KVM_GET_MSRS");
    msrs.entry.data = step ? msrs.entry.data & ~TRAP_FLAG : msrs.entry.data | TRAP_FLAG;
    if (ioctl(profile.vm->kvm.vcpu_fd, KVM_SET_MSRS, &msrs) != 1)
        fail("KVM_SET_MSRS");
    if (entry && memcmp(entry, step ? push_vector : out_to_stop, 2) == 0)
        memcpy(entry, step ? out_to_stop : push_vector, 2);
}

static void set_stepping(bool step)
{
    if (step == profile.stepping)
        return;
    profile.stepping = step;
    if (is_hardware())
        prepare_hardware(step);
    set_step(step);
}

/* Cleans what the guest sees, and keeps the trap flag through SYSRET and IRET. */
static void fix_flags(struct kvm_regs *regs)
{
    uint8_t *code = kernel_memory(regs->rip, 4), *frame;

    if (regs->rip == profile.syscall_entries[0] || regs->rip == profile.syscall_entries[1]) {
        regs->r11 &= ~TRAP_FLAG;
        call_vcpu(KVM_SET_REGS, regs, "KVM_SET_REGS");
    }
    if (!code)
        return;
    if (memcmp(code, "\x48\x0f\x07", 3) == 0) {
        regs->r11 |= TRAP_FLAG;
        call_vcpu(KVM_SET_REGS, regs, "KVM_SET_REGS");
    }
    if (memcmp(code, "\x48\xcf", 2) == 0 && (frame = kernel_memory(regs->rsp + 16, 8)))
        frame[1] |= TRAP_FLAG >> 8;
}

static void at_step(void)
{
    struct kvm_regs regs;

    call_vcpu(KVM_GET_REGS, &regs, "KVM_GET_REGS");
    count_instruction(regs.rip);
    if (!is_hardware())
        return;
    fix_flags(&regs);
    set_step(true);
}

/* Lets KVM finish the `out`, then does what the push would have done. On the stack are the error
 * code, rip, cs and the flags. */
static void at_page_fault(void)
{
    struct kvm_regs regs;
    uint8_t *frame;

    profile.vm->kvm.run->immediate_exit = 1;
    ioctl(profile.vm->kvm.vcpu_fd, KVM_RUN, 0);
    profile.vm->kvm.run->immediate_exit = 0;
    call_vcpu(KVM_GET_REGS, &regs, "KVM_GET_REGS");
    regs.rip = profile.page_fault_entry + sizeof(push_vector);
    regs.rsp -= 8;
    frame = kernel_memory(regs.rsp, 40);
    if (!frame)
        fail("no stack at the page fault");
    memcpy(frame, &(uint64_t){PAGE_FAULT}, 8);
    frame[33] &= (uint8_t) ~(TRAP_FLAG >> 8);
    call_vcpu(KVM_SET_REGS, &regs, "KVM_SET_REGS");
    count_instruction(profile.page_fault_entry);
    count_instruction(regs.rip);
    set_step(true);
}

/* ---- The run ------------------------------------------------------------------------------- */

static void restart_turn(void)
{
    for (size_t i = 0; i < profile.count; i++)
        profile.symbols[i].turn = 0;
    profile.user_turn = 0;
}

static void at_marker(uint32_t id)
{
    if (id == MARKER_BASE)
        set_stepping(true);
    else if (id == MARKER_BEGIN)
        profile.in_turn = true;
    else if (id == MARKER_END)
        profile.done = true;
    else if (id == MARKER_RESTART)
        restart_turn();
}

static bool serve_call(void)
{
    struct kvm_run *run = profile.vm->kvm.run;
    const struct zv_call *call;
    uint32_t address;

    memcpy(&address, (uint8_t *)run + run->io.data_offset, sizeof(address));
    call = zvmm_memory(profile.vm, address, sizeof(*call));
    if (call && call->number == ZV_CALL_MARKER)
        at_marker(call->u.marker.id);
    door_enter(profile.vm, address);
    return !profile.vm->ended;
}

static bool serve(void)
{
    const struct kvm_run *run = profile.vm->kvm.run;

    if (run->exit_reason == KVM_EXIT_DEBUG)
        at_step();
    else if (run->exit_reason == KVM_EXIT_IO && run->io.port == ZV_CALL_PORT)
        return serve_call();
    else if (run->exit_reason == KVM_EXIT_IO && run->io.port == STOP_PORT)
        at_page_fault();
    else if (run->exit_reason == KVM_EXIT_HLT && !profile.vm->kvm.irqchip)
        timer_halt(profile.vm);
    else if (run->exit_reason != KVM_EXIT_INTR && run->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN)
        return false;
    return true;
}

static bool run_guest(void)
{
    while (!profile.done) {
        if (ioctl(profile.vm->kvm.vcpu_fd, KVM_RUN, 0) != 0) {
            if (errno != EINTR && errno != EAGAIN)
                return false;
        } else if (!serve()) {
            return false;
        }
    }
    return true;
}

/* ---- Report -------------------------------------------------------------------------------- */

static long own(const struct symbol *symbol)
{
    return symbol->turn - symbol->base;
}

static int by_count(const void *left, const void *right)
{
    return (int)(own(right) - own(left));
}

static void print_report(const char *row)
{
    long kernel = 0, user = profile.user_turn - profile.user_base;

    for (size_t i = 0; i < profile.count; i++)
        kernel += own(&profile.symbols[i]);
    qsort(profile.symbols, profile.count, sizeof(*profile.symbols), by_count);
    printf("%s: %ld instructions: %ld kernel, %ld user\n", row, kernel + user, kernel, user);
    for (size_t i = 0; i < profile.count; i++)
        if (own(&profile.symbols[i]) != 0)
            printf("%8ld  %s\n", own(&profile.symbols[i]), profile.symbols[i].name);
}

static void configure(struct zvmm_config *config, char *argv[])
{
    static char cmdline[256];

    snprintf(cmdline, sizeof(cmdline), "userboot=zbench userboot.arg=--profile userboot.arg=%s",
             argv[2]);
    zvmm_config_defaults(config);
    config->guest_path = argv[0];
    config->bootfs_dir = argv[1];
    config->cmdline = cmdline;
    config->memory_bytes = 256ull << 20;
    config->in_fd = -1;
    config->out_fd = 2;
    config->has_seed = true;
}

int main(int argc, char *argv[])
{
    struct zvmm_config config;
    struct zvmm_error error;

    profile.trace = argc > 1 && strcmp(argv[1], "--trace") == 0;
    argc -= 1 + profile.trace;
    argv += 1 + profile.trace;
    if (argc != 3) {
        fputs("usage: step-profile [--trace] GUEST.elf BOOTFS-FOLDER ROW\n", stderr);
        return 2;
    }
    read_symbols(argv[0]);
    profile.syscall_entries[0] = address_of("syscall_entry");
    profile.syscall_entries[1] = address_of("syscall_entry_handler");
    profile.page_fault_entry =
        address_of("trap_stubs") ? address_of("trap_stubs") + PAGE_FAULT * 16 : 0;
    configure(&config, argv);
    if (zvmm_create(&config, &profile.vm, &error) != 0) {
        fprintf(stderr, "step-profile: %s\n", error.text);
        return 1;
    }
    if (!run_guest()) {
        fprintf(stderr, "step-profile: the guest ended before the row's turn did\n");
        return 1;
    }
    if (!profile.trace)
        print_report(argv[2]);
    return 0;
}
