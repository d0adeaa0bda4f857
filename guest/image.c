/*
 * image.c - the ELF images the kernel itself maps: userboot and the vDSO.
 *
 * Both come as boot modules, built in or given by option. Each must have a read-only segment from
 * offset 0 and then a code segment, page aligned, with file offset and address the same, so that
 * the module's own frames become the pages that user code sees.
 */
#include <elf.h>

#include <zircon/errors.h>
#include <zircon/features.h>
#include <zircon/log.h>
#include <zircon/vdso.h>

#include "elf_note.h"
#include "format.h"
#include "guest.h"
#include "heap.h"
#include "string.h"
#include "vmo.h"

#define MAX_PHDRS 16
#define MAX_NOTES 16384 /* bytes in a vDSO's PT_NOTE */

struct elf {
    const char *name;
    const struct hal_module *module;
    Elf64_Ehdr header;
    Elf64_Phdr phdr[MAX_PHDRS];
};

static _Noreturn void refuse(const char *name, const char *reason)
{
    panic("boot module %s: %s", name, reason);
}

/* Copies part of the module file; the range is checked here and nowhere else. */
static void read_file(const struct elf *elf, uint64_t offset, void *to, uint64_t length)
{
    if (offset > elf->module->length || length > elf->module->length - offset)
        refuse(elf->name, "truncated ELF file");
    hal_pmem_read(elf->module->paddr + offset, to, length);
}

static void read_headers(struct elf *elf)
{
    read_file(elf, 0, &elf->header, sizeof elf->header);
    if (memcmp(elf->header.e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->header.e_ident[EI_CLASS] != ELFCLASS64 || elf->header.e_machine != EM_X86_64)
        refuse(elf->name, "not a 64-bit x86 ELF file");
    if (elf->header.e_phentsize != sizeof(Elf64_Phdr) || elf->header.e_phnum > MAX_PHDRS)
        refuse(elf->name, "unusable program headers");
    read_file(elf, elf->header.e_phoff, elf->phdr, elf->header.e_phnum * sizeof(Elf64_Phdr));
}

static void add_segment(const struct elf *elf, const Elf64_Phdr *phdr, struct image *image)
{
    uint64_t end = (phdr->p_vaddr + phdr->p_memsz + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;

    if (phdr->p_vaddr & HAL_PAGE_MASK || phdr->p_vaddr != phdr->p_offset ||
        phdr->p_vaddr != image->size || end <= phdr->p_vaddr || phdr->p_filesz != phdr->p_memsz)
        refuse(elf->name, "segments are not one after the other, page aligned, as in the file");
    if (phdr->p_flags & PF_W)
        refuse(elf->name, "has a writable segment");
    if (image->num_segments == IMAGE_SEGMENTS)
        refuse(elf->name, "has more than two segments");
    image->segment[image->num_segments].start = phdr->p_vaddr;
    image->segment[image->num_segments].end = end;
    image->segment[image->num_segments].executable = phdr->p_flags & PF_X;
    image->num_segments++;
    image->size = end;
}

void image_load(const struct hal_module *module, const char *name, struct image *out)
{
    struct elf elf = {.name = name, .module = module};

    if (module->length == 0)
        refuse(name, "missing");
    memset(out, 0, sizeof *out);
    read_headers(&elf);
    for (unsigned i = 0; i < elf.header.e_phnum; i++)
        if (elf.phdr[i].p_type == PT_LOAD)
            add_segment(&elf, &elf.phdr[i], out);
    out->entry = elf.header.e_entry;
    if (out->num_segments == 0 || out->entry >= out->size)
        refuse(name, "has no code at its entry");
    if (out->size > ((module->length + HAL_PAGE_MASK) & ~HAL_PAGE_MASK))
        refuse(name, "truncated ELF file");
    if (vmo_create_from_frames(module->paddr, out->size, &out->vmo) != ZX_OK)
        refuse(name, "no memory");
    vmo_set_name(out->vmo, name);
}

/* ---- The vDSO's notes ------------------------------------------------------------------------ */

static const void *find_note(const uint8_t *notes, uint64_t size, uint32_t type, uint32_t *length)
{
    return elf_note_find(notes, size, ZVMM_NOTE_OWNER, type, length);
}

static bool read_layout(const struct elf *elf, const uint8_t *notes, uint64_t size,
                        struct vdso_layout *out)
{
    uint32_t length;
    const struct zvmm_vdso_note *note = find_note(notes, size, ZVMM_NOTE_VDSO, &length);

    if (!note)
        return false;
    if (length < sizeof *note || note->code_end > UINT32_MAX || note->code_start > note->code_end)
        refuse(elf->name, "bad zvmm note");
    out->constants = (uint32_t)note->constants;
    out->code_start = (uint32_t)note->code_start;
    out->code_end = (uint32_t)note->code_end;
    out->num_sites = (length - sizeof *note) / sizeof note->syscalls[0];
    out->sites = note->syscalls;
    return true;
}

/* Tells the HAL where the image has the word that it adds to the time stamp counter. */
static void place_ticks_offset(const struct elf *elf, const uint8_t *notes, uint64_t size)
{
    uint32_t length;
    const struct zvmm_vdso_time_note *note = find_note(notes, size, ZVMM_NOTE_VDSO_TIME, &length);

    if (!note)
        return;
    if (length < sizeof *note || note->ticks_offset % 8 != 0 ||
        note->ticks_offset >= elf->module->length - 8)
        refuse(elf->name, "bad zvmm note");
    hal_set_ticks_offset(elf->module->paddr + note->ticks_offset);
}

static void write_constants(struct image *vdso, const struct hal_boot *boot, uint32_t offset)
{
    struct vdso_constants constants = {
        .max_num_cpus = boot->num_cpus,
        .features_cpu = ZX_HAS_CPU_FEATURES,
        .dcache_line_size = boot->dcache_line_size,
        .icache_line_size = boot->icache_line_size,
        .ticks_per_second = boot->ticks_per_second,
        .ticks_to_mono_numerator = boot->tick_numerator,
        .ticks_to_mono_denominator = boot->tick_denominator,
        .physmem = boot->memory_bytes,
    };

    format(constants.version, sizeof constants.version, "zvmm %s", ZVMM_KERNEL_VERSION);
    if (vmo_write(vdso->vmo, &constants, offset, sizeof constants) != ZX_OK)
        refuse("vdso", "constants lie outside the image");
}

void image_prepare_vdso(struct image *vdso, const struct hal_boot *boot)
{
    struct elf elf = {.name = "vdso", .module = &boot->vdso};
    struct vdso_layout layout = {.constants = ZX_VDSO_REFERENCE_CONSTANTS,
                                 .code_start = ZX_VDSO_REFERENCE_CODE_START,
                                 .code_end = ZX_VDSO_REFERENCE_CODE_END};
    bool found = false;

    read_headers(&elf);
    for (unsigned i = 0; i < elf.header.e_phnum && !found; i++) {
        const Elf64_Phdr *phdr = &elf.phdr[i];
        uint8_t *notes;

        if (phdr->p_type != PT_NOTE || phdr->p_filesz > MAX_NOTES)
            continue;
        notes = heap_alloc(phdr->p_filesz);
        if (!notes)
            refuse("vdso", "no memory");
        read_file(&elf, phdr->p_offset, notes, phdr->p_filesz);
        found = read_layout(&elf, notes, phdr->p_filesz, &layout);
        if (found) {
            syscall_set_vdso(&layout);
            place_ticks_offset(&elf, notes, phdr->p_filesz);
        }
        heap_free(notes);
    }
    if (!found)
        syscall_set_vdso(&layout);
    write_constants(vdso, boot, layout.constants);
    vmo_set_vdso(vdso->vmo, layout.code_start, layout.code_end);
}
