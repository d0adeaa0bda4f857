/*
 * Reading the boot file system. Shared by userboot, which has no C library: only string functions
 * are used here.
 */
#include <zvmm/bootfs.h>

#include <string.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

static zx_status_t fill_window(struct bootfs_reader *reader, uint64_t start, uint64_t size)
{
    if (size > sizeof(reader->window))
        size = sizeof(reader->window);
    reader->window_start = start;
    reader->window_size = size;
    return zx_vmo_read(reader->vmo, reader->window, start, size);
}

zx_status_t bootfs_open(struct bootfs_reader *reader, zx_handle_t vmo)
{
    zbi_bootfs_header_t header;

    reader->vmo = vmo;
    zx_status_t status = fill_window(reader, 0, sizeof(reader->window));
    if (status != ZX_OK)
        return status;
    memcpy(&header, reader->window, sizeof(header));
    if (header.magic != ZBI_BOOTFS_MAGIC)
        return ZX_ERR_IO_DATA_INTEGRITY;
    reader->next = sizeof(header);
    reader->end = sizeof(header) + (uint64_t)header.dirsize;
    return ZX_OK;
}

/* Makes size bytes from the next entry on available; NULL with *status set if there are none. */
static const char *look_at(struct bootfs_reader *reader, size_t size, zx_status_t *status)
{
    uint64_t available = reader->window_start + reader->window_size;

    *status = ZX_OK;
    if (reader->next + size > reader->end)
        *status = ZX_ERR_IO_DATA_INTEGRITY;
    else if (reader->next + size > available)
        *status = fill_window(reader, reader->next, reader->end - reader->next);
    return *status == ZX_OK ? reader->window + (reader->next - reader->window_start) : NULL;
}

zx_status_t bootfs_next(struct bootfs_reader *reader, struct bootfs_entry *entry)
{
    zbi_bootfs_dirent_t dirent;
    zx_status_t status;

    if (reader->next >= reader->end)
        return ZX_ERR_STOP;
    const char *bytes = look_at(reader, sizeof(dirent), &status);
    if (!bytes)
        return status;
    memcpy(&dirent, bytes, sizeof(dirent));
    if (dirent.name_len == 0 || dirent.name_len > sizeof(entry->name) ||
        dirent.data_off % ZBI_BOOTFS_PAGE_SIZE != 0)
        return ZX_ERR_IO_DATA_INTEGRITY;
    bytes = look_at(reader, sizeof(dirent) + dirent.name_len, &status);
    if (!bytes)
        return status;
    memcpy(entry->name, bytes + sizeof(dirent), dirent.name_len);
    if (entry->name[dirent.name_len - 1] != '\0')
        return ZX_ERR_IO_DATA_INTEGRITY;
    entry->offset = dirent.data_off;
    entry->size = dirent.data_len;
    reader->next += ZBI_BOOTFS_DIRENT_SIZE(dirent.name_len);
    return ZX_OK;
}

zx_status_t bootfs_find(zx_handle_t vmo, const char *name, struct bootfs_entry *entry)
{
    struct bootfs_reader reader;

    zx_status_t status = bootfs_open(&reader, vmo);
    while (status == ZX_OK) {
        status = bootfs_next(&reader, entry);
        if (status == ZX_OK && strcmp(entry->name, name) == 0)
            return ZX_OK;
    }
    return status == ZX_ERR_STOP ? ZX_ERR_NOT_FOUND : status;
}

zx_status_t bootfs_find_program(zx_handle_t vmo, const char *name, struct bootfs_entry *entry)
{
    static const char folder[] = "bin/";
    const size_t folder_length = sizeof(folder) - 1;
    char other[ZBI_BOOTFS_MAX_NAME_LEN];

    zx_status_t status = bootfs_find(vmo, name, entry);
    if (status != ZX_ERR_NOT_FOUND)
        return status;
    if (strncmp(name, folder, folder_length) == 0)
        return bootfs_find(vmo, name + folder_length, entry);
    if (folder_length + strlen(name) >= sizeof(other))
        return ZX_ERR_NOT_FOUND;
    memcpy(other, folder, folder_length);
    strcpy(other + folder_length, name);
    return bootfs_find(vmo, other, entry);
}
