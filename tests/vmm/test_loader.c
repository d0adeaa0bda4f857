/* test_loader.c - the ELF loader: every malformed file gets its own refusal, a good one is placed.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "loader.h"

#define RAM (16ull << 20)

/* A small good image; each test spoils one field of it. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[3]; /* code, data, note */
    struct {
        Elf64_Nhdr header;
        char name[8];
        struct zv_note note;
    } __attribute__((packed)) note;
    uint8_t padding[4096 - 64 - 3 * 56 - 12 - 8 - sizeof(struct zv_note)];
    uint8_t code[4096];
    uint8_t data[100];
} __attribute__((packed));
_Static_assert(offsetof(struct image, code) == 4096, "code starts on a page");

static struct image good(void)
{
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = ZV_KERNEL_BASE + 0x100010,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 3},
        .phdrs = {{.p_type = PT_LOAD,
                   .p_flags = PF_R | PF_X,
                   .p_offset = 4096,
                   .p_vaddr = ZV_KERNEL_BASE + 0x100000,
                   .p_paddr = 0x100000,
                   .p_filesz = 4096,
                   .p_memsz = 4096},
                  {.p_type = PT_LOAD,
                   .p_flags = PF_R | PF_W,
                   .p_offset = 8192,
                   .p_vaddr = ZV_KERNEL_BASE + 0x101000,
                   .p_paddr = 0x101000,
                   .p_filesz = 100,
                   .p_memsz = 8192},
                  {.p_type = PT_NOTE,
                   .p_flags = PF_R,
                   .p_offset = offsetof(struct image, note),
                   .p_filesz = sizeof(image.note),
                   .p_memsz = sizeof(image.note),
                   .p_align = 4}},
        .note = {.header = {.n_namesz = 5, .n_descsz = sizeof(struct zv_note), .n_type = 1},
                 .name = "zvmm",
                 .note = {.abi_version = ZV_ABI_VERSION}},
    };
    memset(image.code, 0x90, sizeof(image.code));
    memset(image.data, 0x55, sizeof(image.data));
    return image;
}

static int file_of(const void *bytes, size_t length)
{
    int fd = memfd_create("image", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    return fd;
}

/* The file must be refused with one line that contains `reason`. */
static void refuse(const void *bytes, size_t length, const char *reason)
{
    struct loader_image image;
    struct zvmm_error error = {""};
    int fd = file_of(bytes, length);
    assert_int_equal(loader_check(&image, fd, "guest.elf", RAM, &error), -1);
    if (strstr(error.text, reason) == NULL)
        fail_msg("expected '%s' in '%s'", reason, error.text);
    assert_null(strchr(error.text, '\n'));
    assert_non_null(strstr(error.text, "guest.elf: "));
    close(fd);
}

static void refuse_image(const struct image *image, const char *reason)
{
    refuse(image, sizeof(*image), reason);
}

static void test_not_elf(void **state)
{
    (void)state;
    struct image image = good();
    refuse("", 0, "is empty");
    refuse("#!/bin/sh\n", 10, "is not an ELF file");
    refuse("\177ELF", 4, "");
    refuse(&image, 40, "");
    refuse(&image, 100, "program headers");
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    refuse_image(&image, "not a 64-bit");
    image = good();
    image.header.e_machine = EM_AARCH64;
    refuse_image(&image, "another machine");
    image = good();
    image.header.e_type = ET_DYN;
    refuse_image(&image, "not an executable");
}

static void test_directory(void **state)
{
    (void)state;
    struct loader_image image;
    struct zvmm_error error;
    FILE *directory = fopen("/", "r");
    assert_non_null(directory);
    assert_int_equal(loader_check(&image, fileno(directory), "/", RAM, &error), -1);
    assert_non_null(strstr(error.text, "is a directory"));
    fclose(directory);
}

static void test_segments(void **state)
{
    (void)state;
    struct image image = good();
    refuse(&image, sizeof(image) - 1, "is truncated");
    image.phdrs[0].p_offset = ~0ull - 100;
    refuse_image(&image, "is truncated");
    image = good();
    image.phdrs[1].p_filesz = 9000;
    refuse_image(&image, "larger in the file than in memory");
    image = good();
    image.phdrs[1].p_paddr = RAM - 4096;
    refuse_image(&image, "outside guest memory");
    image = good();
    image.phdrs[1].p_paddr = ~0ull - 4095;
    refuse_image(&image, "outside guest memory");
    image = good();
    image.phdrs[1].p_memsz = ~0ull;
    refuse_image(&image, "outside guest memory");
    image = good();
    image.phdrs[1].p_paddr = 0x101010;
    refuse_image(&image, "does not start on a page");
    image = good();
    image.phdrs[1].p_paddr = 0;
    refuse_image(&image, "physical address 0");
    image = good();
    image.phdrs[1].p_vaddr = 0x101000;
    refuse_image(&image, "is not linked at");
    image = good();
    image.phdrs[1].p_paddr = 0x100000;
    image.phdrs[1].p_vaddr = ZV_KERNEL_BASE + 0x100000;
    refuse_image(&image, "overlaps");
    image = good();
    image.phdrs[0].p_memsz = 4097;
    refuse_image(&image, "overlaps");
    image = good();
    image.phdrs[0].p_type = image.phdrs[1].p_type = PT_NULL;
    refuse_image(&image, "no segment to load");
    image = good();
    image.header.e_phnum = 0;
    refuse_image(&image, "no segment to load");
    image = good();
    image.header.e_phoff = 1ull << 40;
    refuse_image(&image, "program headers");
}

static void test_entry(void **state)
{
    (void)state;
    struct image image = good();
    image.header.e_entry = ZV_KERNEL_BASE + 0x101000; /* not executable */
    refuse_image(&image, "entry point");
    image.header.e_entry = 0x100000;
    refuse_image(&image, "entry point");
    image.header.e_entry = ZV_KERNEL_BASE + 0x101000 - 4096 + 4096;
    refuse_image(&image, "entry point");
}

static void test_note(void **state)
{
    (void)state;
    struct image image = good();
    image.phdrs[2].p_type = PT_NULL;
    refuse_image(&image, "no zvmm note");
    image = good();
    image.note.name[0] = 'x';
    refuse_image(&image, "no zvmm note");
    image = good();
    image.note.header.n_namesz = 0xffffffff;
    refuse_image(&image, "no zvmm note");
    image = good();
    image.note.header.n_descsz = 0x7fffffff;
    refuse_image(&image, "no zvmm note");
    image = good();
    image.phdrs[2].p_offset = ~0ull;
    refuse_image(&image, "no zvmm note");
    image = good();
    image.note.note.abi_version = ZV_ABI_VERSION + 1;
    refuse_image(&image, "version");
    image = good();
    image.note.note.module[0].paddr = 0x100010;
    image.note.note.module[0].length = 16;
    refuse_image(&image, "built-in module 1");
    image.note.note.module[0].paddr = 0x101000;
    image.note.note.module[0].length = ~0ull;
    refuse_image(&image, "built-in module 1");
    image.note.note.module[0].paddr = ~0ull - 4095;
    image.note.note.module[0].length = 4096;
    refuse_image(&image, "built-in module 1");
}

/* Every single byte of the headers spoilt in turn: refused or accepted, but never a crash. */
static void test_any_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < offsetof(struct image, padding); at++) {
        struct loader_image checked;
        struct zvmm_error error;
        struct image image = good();
        ((uint8_t *)&image)[at] ^= 0xff;
        int fd = file_of(&image, sizeof(image));
        loader_check(&checked, fd, "guest.elf", RAM, &error);
        close(fd);
    }
}

static void test_good(void **state)
{
    (void)state;
    struct image image = good();
    struct loader_image checked;
    struct zvmm_error error = {""};
    struct memory memory;
    struct layout layout;
    image.phdrs[1].p_filesz = 50; /* the file goes on, but that is not the segment's */
    int fd = file_of(&image, sizeof(image));
    assert_int_equal(loader_check(&checked, fd, "guest.elf", RAM, &error), 0);
    assert_int_equal(checked.count, 2);
    assert_int_equal(checked.entry, ZV_KERNEL_BASE + 0x100010);
    assert_int_equal(memory_create(&memory, RAM, &error), 0);
    layout_init(&layout, RAM);
    assert_int_equal(loader_place(&checked, fd, "guest.elf", &memory, &layout, &error), 0);
    close(fd);
    uint8_t *code = memory_at(&memory, gpa(0x100000), 0x3000);
    assert_int_equal(code[0], 0x90);
    assert_int_equal(code[4095], 0x90);
    assert_int_equal(code[4096 + 49], 0x55);
    assert_int_equal(code[4096 + 50], 0);
    assert_int_equal(code[0x2fff], 0);
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.ranges[1].base, 0x100000);
    assert_int_equal(layout.ranges[1].length, 0x3000);
    assert_int_equal(layout.ranges[1].type, ZV_MEM_KERNEL);
    memory_destroy(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_elf),  cmocka_unit_test(test_directory),
        cmocka_unit_test(test_segments), cmocka_unit_test(test_entry),
        cmocka_unit_test(test_note),     cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_good),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
