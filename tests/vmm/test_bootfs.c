/* test_bootfs.c - packing and merging boot file systems: what goes in comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootfs.h"

static struct zvmm_error error;

/* Finish and write to fresh zero-filled memory; the caller frees it. */
static uint8_t *image_of(struct bootfs *bootfs, uint64_t *length)
{
    assert_int_equal(bootfs_finish(bootfs, length, &error), 0);
    uint8_t *image = aligned_alloc(4096, (*length + 4095) & ~4095ull);
    assert_non_null(image);
    memset(image, 0, *length);
    assert_int_equal(bootfs_write(bootfs, image, &error), 0);
    return image;
}

static void add(struct bootfs *bootfs, const char *name, const char *text)
{
    assert_int_equal(bootfs_add_bytes(bootfs, name, text, (uint32_t)strlen(text), &error), 0);
}

static void assert_file(const struct bootfs *bootfs, uint32_t index, const char *name,
                        const char *text)
{
    assert_true(index < bootfs->count);
    assert_string_equal(bootfs->files[index].name, name);
    assert_int_equal(bootfs->files[index].length, strlen(text));
    assert_memory_equal(bootfs->files[index].data, text, strlen(text));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct bootfs first, second;
    uint64_t length;
    bootfs_init(&first);
    add(&first, "lib/libc.so", "library");
    add(&first, "bin/sh", "shell");
    add(&first, "bin/sh-extra", "");
    add(&first, "bin", "odd");
    add(&first, "bin/sh", "new shell"); /* replaces */
    uint8_t *image = image_of(&first, &length);
    bootfs_free(&first);
    assert_int_equal(bootfs_check_zbi(image, length, "image", &error), 0);
    /* The payload begins on a page, so the item's header is the 32 bytes before it. */
    assert_memory_equal(image + 4096 - 32, "BFSB", 4);

    bootfs_init(&second);
    assert_int_equal(bootfs_add_zbi(&second, image, length, &error), 0);
    assert_int_equal(second.count, 4);
    assert_file(&second, 0, "bin", "odd");
    assert_file(&second, 1, "bin/sh", "new shell");
    assert_file(&second, 2, "bin/sh-extra", "");
    assert_file(&second, 3, "lib/libc.so", "library");
    bootfs_free(&second);
    free(image);
}

/* Items besides the boot file system survive a merge, in order. */
static void test_kept_items(void **state)
{
    (void)state;
    static const uint32_t base[] = {
        0x544f4f42, 48 + 32, 0x868cf7e6, 0x10000, 0, 0, 0xb5781729, 0x4a87e8d6, /* container */
        0x4c444d43, 5,       0,          0x10000, 0, 0, 0xb5781729, 0x4a87e8d6, /* "CMDL" */
        0x64636261, 0x65,    0,          0,                                     /* "abcde" */
        0x50494b53, 0,       0,          0x10000, 0, 0, 0xb5781729, 0x4a87e8d6, /* "SKIP" */
    };
    struct bootfs bootfs;
    uint64_t length;
    /* the command line item is 32 + 8 bytes; 8 more bytes would be an item cut short */
    uint32_t exact[sizeof(base) / 4];
    memcpy(exact, base, sizeof(base));
    memmove(exact + 18, base + 20, 32);
    exact[1] = 40 + 32;
    bootfs_init(&bootfs);
    assert_int_equal(bootfs_add_zbi(&bootfs, (uint8_t *)exact, 32 + exact[1], &error), 0);
    add(&bootfs, "a", "text");
    uint8_t *image = image_of(&bootfs, &length);
    assert_memory_equal(image + 32, exact + 8, 40);
    assert_memory_equal(image + 72, "SKIP", 4);
    assert_memory_equal(image + 4096 - 32, "BFSB", 4);
    free(image);
    bootfs_free(&bootfs);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_directory(const char *directory, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void test_directory(void **state)
{
    (void)state;
    char directory[] = "/tmp/bootfs-XXXXXX", command[64];
    struct bootfs base, merged;
    uint64_t base_length, length;
    assert_non_null(mkdtemp(directory));
    make_directory(directory, "bin");
    make_directory(directory, "bin/deep");
    write_file(directory, "bin/sh", "replaced");
    write_file(directory, "bin/deep/er", "nested");
    write_file(directory, "empty", "");

    bootfs_init(&base);
    add(&base, "bin/ls", "ls");
    add(&base, "bin/sh", "built in");
    uint8_t *base_image = image_of(&base, &base_length);
    bootfs_free(&base);

    bootfs_init(&merged);
    assert_int_equal(bootfs_add_zbi(&merged, base_image, base_length, &error), 0);
    assert_int_equal(bootfs_add_directory(&merged, directory, &error), 0);
    uint8_t *image = image_of(&merged, &length);
    bootfs_free(&merged);
    bootfs_init(&merged);
    assert_int_equal(bootfs_add_zbi(&merged, image, length, &error), 0);
    assert_int_equal(merged.count, 4);
    assert_file(&merged, 0, "bin/deep/er", "nested");
    assert_file(&merged, 1, "bin/ls", "ls");
    assert_file(&merged, 2, "bin/sh", "replaced");
    assert_file(&merged, 3, "empty", "");
    bootfs_free(&merged);

    snprintf(command, sizeof(command), "ln -s . %s/loop", directory);
    assert_int_equal(system(command), 0);
    bootfs_init(&merged);
    assert_int_equal(bootfs_add_directory(&merged, directory, &error), -1);
    assert_non_null(strstr(error.text, "circular"));
    bootfs_free(&merged);
    assert_int_equal(bootfs_add_directory(&merged, "/nonexistent", &error), -1);
    assert_int_equal(bootfs_add_directory(&merged, "/dev/null", &error), -1);
    free(base_image);
    free(image);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

/* Any byte of a good image spoilt: refused or read differently, but never out of bounds. */
static void test_hostile(void **state)
{
    (void)state;
    struct bootfs bootfs;
    uint64_t length;
    bootfs_init(&bootfs);
    add(&bootfs, "a", "1");
    add(&bootfs, "b/c", "22");
    uint8_t *image = image_of(&bootfs, &length);
    bootfs_free(&bootfs);
    for (uint64_t at = 0; at < 4096 + 64; at++) {
        for (int bit = 0; bit < 8; bit += 7) {
            image[at] ^= (uint8_t)(1 << bit);
            /* An exact copy, so that a sanitizer sees reads beyond it. */
            uint8_t *copy = malloc(length);
            memcpy(copy, image, length);
            bootfs_init(&bootfs);
            bootfs_add_zbi(&bootfs, copy, length, &error);
            bootfs_free(&bootfs);
            free(copy);
            image[at] ^= (uint8_t)(1 << bit);
        }
    }
    for (uint64_t cut = 0; cut < length; cut += 7) {
        bootfs_init(&bootfs);
        assert_int_equal(bootfs_add_zbi(&bootfs, image, cut, &error), -1);
        bootfs_free(&bootfs);
    }
    free(image);
}

static void test_names(void **state)
{
    (void)state;
    struct bootfs bootfs;
    char name[300];
    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    bootfs_init(&bootfs);
    assert_int_equal(bootfs_add_bytes(&bootfs, name, "", 0, &error), 0);
    name[255] = 'n';
    name[256] = '\0';
    assert_int_equal(bootfs_add_bytes(&bootfs, name, "", 0, &error), -1);
    assert_int_equal(bootfs_add_bytes(&bootfs, "", "", 0, &error), -1);
    bootfs_free(&bootfs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_kept_items),
        cmocka_unit_test(test_directory),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
