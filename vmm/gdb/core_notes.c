/* core_notes.c - the notes of a core file, as Linux writes them: gdb knows those. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "gdb/core.h"

enum { FXSAVE_BYTES = 512, VCPU_ID = 1, USER_CS = 0x33, USER_SS = 0x2b };

static void append(struct core_notes *notes, const void *data, size_t length)
{
    size_t padded = (length + 3) & ~(size_t)3;
    if (notes->length + padded > notes->room) {
        size_t room = 2 * (notes->room + padded);
        uint8_t *more = realloc(notes->bytes, room);
        if (more == NULL) {
            notes->failed = true;
            return;
        }
        notes->bytes = more;
        notes->room = room;
    }
    memset(notes->bytes + notes->length, 0, padded);
    memcpy(notes->bytes + notes->length, data, length);
    notes->length += padded;
}

static void add_note(struct core_notes *notes, uint32_t type, const void *data, size_t length)
{
    static const char name[] = "CORE";
    const Elf64_Nhdr header = {
        .n_namesz = sizeof(name), .n_descsz = (Elf64_Word)length, .n_type = type};
    append(notes, &header, sizeof(header));
    append(notes, name, sizeof(name));
    append(notes, data, length);
}

static void add_status(struct core_notes *notes, uint32_t id, const struct user_regs_struct *regs)
{
    struct elf_prstatus status = {.pr_pid = (int)id};
    _Static_assert(sizeof(status.pr_reg) == sizeof(*regs), "NT_PRSTATUS");
    memcpy(&status.pr_reg, regs, sizeof(*regs));
    add_note(notes, NT_PRSTATUS, &status, sizeof(status));
}

void core_note_vcpu(struct core_notes *notes, const struct target *target, const void *xsave)
{
    const struct kvm_regs *r = &target->regs;
    const struct kvm_sregs *s = &target->sregs;
    const struct user_regs_struct regs = {
        .rax = r->rax,
        .rbx = r->rbx,
        .rcx = r->rcx,
        .rdx = r->rdx,
        .rsi = r->rsi,
        .rdi = r->rdi,
        .rbp = r->rbp,
        .rsp = r->rsp,
        .r8 = r->r8,
        .r9 = r->r9,
        .r10 = r->r10,
        .r11 = r->r11,
        .r12 = r->r12,
        .r13 = r->r13,
        .r14 = r->r14,
        .r15 = r->r15,
        .rip = r->rip,
        .eflags = r->rflags,
        .orig_rax = UINT64_MAX,
        .cs = s->cs.selector,
        .ss = s->ss.selector,
        .ds = s->ds.selector,
        .es = s->es.selector,
        .fs = s->fs.selector,
        .gs = s->gs.selector,
        .fs_base = s->fs.base,
        .gs_base = s->gs.base,
    };
    add_status(notes, VCPU_ID, &regs);
    if (xsave != NULL)
        add_note(notes, NT_PRFPREG, xsave, FXSAVE_BYTES);
}

void core_note_thread(struct core_notes *notes, uint32_t koid, const uint64_t r[20])
{
    const struct user_regs_struct regs = {
        .rax = r[0],
        .rbx = r[1],
        .rcx = r[2],
        .rdx = r[3],
        .rsi = r[4],
        .rdi = r[5],
        .rbp = r[6],
        .rsp = r[7],
        .r8 = r[8],
        .r9 = r[9],
        .r10 = r[10],
        .r11 = r[11],
        .r12 = r[12],
        .r13 = r[13],
        .r14 = r[14],
        .r15 = r[15],
        .rip = r[16],
        .eflags = r[17],
        .fs_base = r[18],
        .gs_base = r[19],
        .orig_rax = UINT64_MAX,
        .cs = USER_CS,
        .ss = USER_SS,
    };
    add_status(notes, koid, &regs);
}
