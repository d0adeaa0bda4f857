/* vdso.c - patching the vDSO; see vdso.h. */
#include "vdso.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <zircon/vdso.h>

#include "cpu.h"
#include "elf_note.h"
#include "machine.h"
#include "pagetable.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#define SITE_BYTES 7 /* mov $number,%eax; syscall */
#define STUB_BYTES 16
#define MAX_SITES  ((STUB_END - STUB_CODE) / STUB_BYTES)
_Static_assert(MAX_SITES * sizeof(uint64_t) <= STUB_CODE - STUB_TABLE, "the table fits");

extern const uint8_t switch_begin[], switch_syscall[], switch_end[];

static struct {
    hal_paddr_t code, code_end; /* frames of the image's code segment; empty: not patched */
    hal_paddr_t image;
} vdso;

/* ---- Stubs ----------------------------------------------------------------------------------- */

static void put32(uint8_t *at, uint64_t value)
{
    uint32_t word = (uint32_t)value;

    memcpy(at, &word, sizeof word);
}

/* mov $number,%eax; mov $offset,%ecx; jmp switch_syscall */
static void write_stub(unsigned index, const struct zvmm_vdso_syscall *site)
{
    uint8_t *stub = (uint8_t *)STUB_CODE + index * STUB_BYTES;

    stub[0] = 0xb8;
    put32(stub + 1, site->number);
    stub[5] = 0xb9;
    put32(stub + 6, site->return_pc);
    stub[10] = 0xe9;
    put32(stub + 11, (uint64_t)switch_syscall - (uint64_t)(stub + 15));
    stub[15] = 0xcc;
    ((uint64_t *)STUB_TABLE)[index] = (uint64_t)stub;
}

/* jmp *slot */
static void write_jump(uint8_t *at, unsigned index)
{
    at[0] = 0xff;
    at[1] = 0x24;
    at[2] = 0x25;
    put32(at + 3, STUB_TABLE + index * sizeof(uint64_t));
}

static bool is_site(const uint8_t *at, uint32_t number)
{
    uint32_t found;

    memcpy(&found, at + 1, sizeof found);
    return at[0] == 0xb8 && found == number && at[5] == 0x0f && at[6] == 0x05;
}

static void map_stubs(void)
{
    void *at = mmap((void *)STUB_TABLE, STUB_END - STUB_TABLE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (at != (void *)STUB_TABLE)
        machine_fail("cannot map memory at %#llx: %s; vm.mmap_min_addr must not be above it",
                     STUB_TABLE, strerror(errno));
}

static void protect_stubs(void)
{
    if (mprotect((void *)STUB_TABLE, STUB_CODE - STUB_TABLE, PROT_READ) != 0 ||
        mprotect((void *)STUB_CODE, STUB_END - STUB_CODE, PROT_READ | PROT_EXEC) != 0)
        machine_fail("cannot make code executable: %s", strerror(errno));
}

/* ---- The note -------------------------------------------------------------------------------- */

/* Finds the note "zvmm" with the list of sites in a file. */
static const struct zvmm_vdso_note *search(const uint8_t *file, uint64_t bytes, uint32_t *length)
{
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Phdr *phdr = (const void *)(file + header->e_phoff);
    const struct zvmm_vdso_note *note = NULL;

    if (bytes < sizeof *header || header->e_phoff > bytes ||
        header->e_phnum * sizeof *phdr > bytes - header->e_phoff)
        return NULL;
    for (unsigned i = 0; i < header->e_phnum && !note; i++)
        if (phdr[i].p_type == PT_NOTE && phdr[i].p_offset <= bytes &&
            phdr[i].p_filesz <= bytes - phdr[i].p_offset)
            note = elf_note_find(file + phdr[i].p_offset, phdr[i].p_filesz, ZVMM_NOTE_OWNER,
                                 ZVMM_NOTE_VDSO, length);
    return note && *length >= sizeof *note ? note : NULL;
}

void vdso_patch(const struct hal_module *module)
{
    uint8_t *file = machine_direct(module->paddr);
    const struct zvmm_vdso_note *note;
    uint32_t length = 0;
    size_t count;

    note = search(file, module->length, &length);
    if (!note) {
        machine_remark("the vDSO does not list its system calls; each will cost a signal");
        return;
    }
    count = (length - sizeof *note) / sizeof note->syscalls[0];
    if (count > MAX_SITES || note->code_start > note->code_end || note->code_end > module->length)
        machine_fail("the vDSO's note is damaged");
    map_stubs();
    for (unsigned i = 0; i < count; i++) {
        const struct zvmm_vdso_syscall *site = &note->syscalls[i];

        if (site->return_pc < note->code_start + SITE_BYTES || site->return_pc > note->code_end ||
            !is_site(file + site->return_pc - SITE_BYTES, site->number))
            machine_fail("the vDSO's note does not fit its code");
        write_stub(i, site);
        write_jump(file + site->return_pc - SITE_BYTES, i);
    }
    protect_stubs();
    vdso.image = module->paddr;
    vdso.code = module->paddr + note->code_start;
    vdso.code_end = module->paddr + note->code_end;
}

void vdso_mapped(struct hal_page_table *table, uint64_t address, hal_paddr_t first)
{
    if (first < vdso.code || first >= vdso.code_end)
        return;
    table->vdso_base = address - (first - vdso.image);
    if (cpu.table == table)
        cpu.vdso_base = table->vdso_base;
}

void vdso_catch_syscalls(void)
{
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, switch_begin,
              switch_end - switch_begin, &cpu.selector) == 0)
        return;
    if (vdso.code == vdso.code_end)
        machine_fail("this vDSO needs syscall user dispatch, which the host has not: %s; use "
                     "Linux 5.11 or later, or the built-in vDSO", strerror(errno));
    machine_remark("no syscall user dispatch: user code can make system calls of the host");
}
