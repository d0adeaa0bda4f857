/*
 * The boot image (ZBI) and the boot file system in it (BOOTFS); formats of Zircon, March 2020. An
 * image is a container item followed by items, each a header, a payload and zeroes up to the next
 * multiple of 8. A BOOTFS is a header, a directory sorted by name, and the files' contents at page
 * boundaries.
 */
#ifndef ZIRCON_ZBI_H
#define ZIRCON_ZBI_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

#define ZBI_ALIGNMENT       8u          /* every item starts at a multiple of this */
#define ZBI_CONTAINER_MAGIC 0x868cf7e6u /* header.extra of the container */
#define ZBI_ITEM_MAGIC      0xb5781729u /* header.magic of every item and of the container */
#define ZBI_ITEM_NO_CRC32   0x4a87e8d6u /* header.crc32 when the flag is clear */
#define ZBI_ALIGN(n)        (((n) + ZBI_ALIGNMENT - 1) & ~(uint64_t)(ZBI_ALIGNMENT - 1))

/* header.flags; storage items use the low bits for themselves. */
#define ZBI_FLAG_VERSION            0x10000u /* always set */
#define ZBI_FLAG_CRC32              0x20000u /* header.crc32 is valid */
#define ZBI_FLAG_STORAGE_COMPRESSED 0x1u     /* header.extra = size after decompression */

/* header.type: four letters, read as a little-endian word. */
#define ZBI_TYPE_CONTAINER              0x544f4f42u /* "BOOT" */
#define ZBI_TYPE_KERNEL_X64             0x4c4e524bu /* "KRNL" */
#define ZBI_TYPE_KERNEL_ARM64           0x384e524bu /* "KRN8" */
#define ZBI_TYPE_DISCARD                0x50494b53u /* "SKIP": ignore this item */
#define ZBI_TYPE_STORAGE_RAMDISK        0x4b534452u /* "RDSK" */
#define ZBI_TYPE_STORAGE_BOOTFS         0x42534642u /* "BFSB" */
#define ZBI_TYPE_STORAGE_BOOTFS_FACTORY 0x46534642u /* "BFSF" */
#define ZBI_TYPE_CMDLINE                0x4c444d43u /* "CMDL": several are joined with spaces */
#define ZBI_TYPE_CRASHLOG               0x4d4f4f42u /* "BOOM": the previous boot's panic text */
#define ZBI_TYPE_NVRAM                  0x4c4c564eu /* "NVLL" */
#define ZBI_TYPE_PLATFORM_ID            0x44494c50u /* "PLID" */
#define ZBI_TYPE_DRV_BOARD_INFO         0x4953426du /* "mBSI" */
#define ZBI_TYPE_CPU_CONFIG             0x43555043u /* "CPUC" */

typedef struct zbi_header {
    uint32_t type;
    uint32_t length; /* of the payload, without the padding; of the container: all that follows */
    uint32_t extra;  /* meaning depends on type */
    uint32_t flags;  /* ZBI_FLAG_ */
    uint32_t reserved0;
    uint32_t reserved1;
    uint32_t magic; /* ZBI_ITEM_MAGIC */
    uint32_t crc32;
} zbi_header_t;
ZX_ABI_SIZE(zbi_header_t, 32);
ZX_ABI_OFFSET(zbi_header_t, flags, 12);
ZX_ABI_OFFSET(zbi_header_t, crc32, 28);

#define ZBI_BOOTFS_MAGIC        0xa56d3ff9u
#define ZBI_BOOTFS_PAGE_SIZE    ((size_t)4096u) /* files begin at multiples of this */
#define ZBI_BOOTFS_MAX_NAME_LEN 256u            /* with the NUL */

/* First word of a compressed payload; zstd is the only compression in use. */
#define ZSTD_MAGIC 0xfd2fb528u

#define ZBI_BOOTFS_PAGE_ALIGN(n)                                                                   \
    (((n) + ZBI_BOOTFS_PAGE_SIZE - 1) & ~(uint64_t)(ZBI_BOOTFS_PAGE_SIZE - 1))

typedef struct zbi_bootfs_header {
    uint32_t magic;   /* ZBI_BOOTFS_MAGIC */
    uint32_t dirsize; /* bytes of directory entries, without this header */
    uint32_t reserved0;
    uint32_t reserved1;
} zbi_bootfs_header_t;
ZX_ABI_SIZE(zbi_bootfs_header_t, 16);
ZX_ABI_OFFSET(zbi_bootfs_header_t, dirsize, 4);

/* A directory entry. Names are whole paths without a leading slash. */
typedef struct zbi_bootfs_dirent {
    uint32_t name_len; /* with the NUL */
    uint32_t data_len;
    uint32_t data_off; /* from the BOOTFS header, a multiple of the page size */
    char name[];
} zbi_bootfs_dirent_t;
ZX_ABI_SIZE(zbi_bootfs_dirent_t, 12);
ZX_ABI_OFFSET(zbi_bootfs_dirent_t, name, 12);
ZX_ABI_OFFSET(zbi_bootfs_dirent_t, name, 12);

/* From one entry to the next. */
#define ZBI_BOOTFS_DIRENT_SIZE(name_len)                                                           \
    ((sizeof(zbi_bootfs_dirent_t) + (size_t)(name_len) + 3) & ~(size_t)3)

#endif
