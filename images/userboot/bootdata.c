/*
 * Getting the boot file system out of the boot image (ZBI).
 */
#include "bootdata.h"
#include "console.h"

#include <stddef.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>
#include <zircon/zbi.h>

static void check_header(const zbi_header_t *header)
{
    if (header->magic != ZBI_ITEM_MAGIC || !(header->flags & ZBI_FLAG_VERSION))
        fail_because("boot image", "an item has a wrong header", USERBOOT_EXIT_FAILED);
}

/* Finds the item; *offset is that of its header. */
static void find_bootfs(zx_handle_t zbi, uint64_t *offset, zbi_header_t *header)
{
    zbi_header_t first[2]; /* the container and what it begins with */

    check(zx_vmo_read(zbi, first, 0, sizeof(first)), "cannot read", "boot image");
    check_header(&first[0]);
    if (first[0].type != ZBI_TYPE_CONTAINER || first[0].extra != ZBI_CONTAINER_MAGIC)
        fail_because("boot image", "not a ZBI", USERBOOT_EXIT_FAILED);
    uint64_t end = sizeof(*header) + (uint64_t)first[0].length;
    for (*offset = sizeof(*header); *offset < end;
         *offset += ZBI_ALIGN(sizeof(*header) + header->length)) {
        *header = first[1];
        if (*offset > sizeof(*header))
            check(zx_vmo_read(zbi, header, *offset, sizeof(*header)), "cannot read", "boot image");
        check_header(header);
        if (header->type == ZBI_TYPE_STORAGE_BOOTFS)
            return;
    }
    fail_because("boot image", "it has no boot file system", USERBOOT_EXIT_FAILED);
}

/* A copy of a payload that does not lie at a page boundary. */
static zx_handle_t copy_payload(zx_handle_t zbi, uint64_t offset, uint64_t size,
                                zx_handle_t root_vmar)
{
    static const char what[] = "cannot copy";
    static const char subject[] = "boot file system";
    zx_handle_t copy;
    zx_vaddr_t address;

    check(zx_vmo_create(size, 0, &copy), what, subject);
    check(zx_vmar_map(root_vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, copy, 0, size, &address),
          what, subject);
    check(zx_vmo_read(zbi, (void *)address, offset, size), what, subject);
    check(zx_vmar_unmap(root_vmar, address, size), what, subject);
    check(zx_handle_replace(copy, ZX_DEFAULT_VMO_RIGHTS & ~ZX_RIGHT_WRITE, &copy), what, subject);
    return copy;
}

zx_handle_t bootdata_take_bootfs(zx_handle_t zbi, zx_handle_t root_vmar, zx_handle_t vmex)
{
    static const char subject[] = "boot file system";
    const uint32_t discard = ZBI_TYPE_DISCARD;
    zx_handle_t bootfs;
    zbi_header_t header;
    uint64_t offset;

    find_bootfs(zbi, &offset, &header);
    if (header.flags & ZBI_FLAG_STORAGE_COMPRESSED)
        fail_because(subject, "it is compressed; pack it uncompressed", USERBOOT_EXIT_FAILED);
    uint64_t payload = offset + sizeof(header);
    if (payload % ZX_PAGE_SIZE == 0)
        check(zx_vmo_create_child(zbi,
                                  ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE | ZX_VMO_CHILD_NO_WRITE,
                                  payload, header.length, &bootfs),
              "cannot clone", subject);
    else
        bootfs = copy_payload(zbi, payload, header.length, root_vmar);
    check(zx_vmo_write(zbi, &discard, offset + offsetof(zbi_header_t, type), sizeof(discard)),
          "cannot mark", subject);
    check(zx_object_set_property(bootfs, ZX_PROP_NAME, "bootfs", 6), "cannot name", subject);
    check(zx_vmo_replace_as_executable(bootfs, vmex, &bootfs), "cannot make executable", subject);
    return bootfs;
}
