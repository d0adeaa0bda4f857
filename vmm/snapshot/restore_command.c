/* restore_command.c - zvmm restore: go on from a snapshot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "loader.h"
#include "options.h"
#include "sandbox.h"
#include "session.h"
#include "snapshot/restore.h"

static void print_id(char *text, const uint8_t *id, uint32_t bytes)
{
    strcpy(text, bytes == 0 ? "none" : "");
    for (uint32_t i = 0; i < bytes; i++)
        sprintf(text + 2 * i, "%02x", id[i]);
}

/*
 * Symbols, the debugger and the inspector read the guest's file: one of another build would make
 * them lie. A file that is not there any more is no obstacle to running.
 */
static int check_build(const struct snapshot_file *file, const char *guest, bool named,
                       struct zvmm_error *error)
{
    const struct zsnap_header *header = snapshot_header(file);
    struct loader_image image;
    char here[2 * LOADER_BUILD_ID_MAX + 1], there[2 * LOADER_BUILD_ID_MAX + 1];
    int fd = open(guest, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return named ? error_set(error, "%s: cannot open the guest kernel: %s; name its ELF file",
                                 guest, strerror(errno))
                     : 0;
    int result = loader_check(&image, fd, guest, header->memory_bytes, error);
    close(fd);
    if (result != 0 || (image.build_id_bytes == header->build_id_bytes &&
                        memcmp(image.build_id, header->build_id, header->build_id_bytes) == 0))
        return result;
    print_id(here, image.build_id, image.build_id_bytes);
    print_id(there, header->build_id, header->build_id_bytes);
    return error_set(error,
                     "%s: its guest has build id %s and %s has %s; give the file of the same build "
                     "with --guest, or --force",
                     snapshot_path(file), there, guest, here);
}

static int check(const struct options *options, struct snapshot_file *file,
                 struct zvmm_error *error)
{
    int result = 0;
    const char *guest = options->guest != NULL ? options->guest : snapshot_text(file, ZSNAP_GUEST);
    if (!options->force && guest[0] != '\0')
        result = check_build(file, guest, options->guest != NULL, error);
    if (result == 0 && options->verify)
        result = snapshot_verify(file, error);
    return result;
}

static int open_machine(const struct options *options, struct zvmm **out, struct zvmm_error *error)
{
    struct snapshot_file *file;
    if (snapshot_open(&file, options->file, error) != 0)
        return -1;
    if (check(options, file, error) == 0)
        return restore_file(&options->config, file, out, error);
    snapshot_close(file);
    return -1;
}

int restore_command(int argc, char *argv[])
{
    static struct options options;
    struct zvmm_error error;
    struct zvmm *vm;
    if (options_parse_restore(&options, argc, argv, &error) != 0)
        error_fatal(&error);
    if (options.action != OPTIONS_RUN) {
        puts(
            "usage: zvmm restore [options] SNAPSHOT\n"
            "Go on from a snapshot; the options are those of zvmm that concern a running machine:\n"
            "--digest, --force, --gdb, --guest, --kvm, --no-panic-snapshot, -o, --parent, --pin, "
            "--sandbox,\n"
            "--snapshot-at, --stats, --verbose, --verify.");
        return 0;
    }
    if (open_machine(&options, &vm, &error) != 0 ||
        (options.sandbox && sandbox_enter(vm, &error) != 0))
        error_fatal(&error);
    return session_run(vm, options.stats);
}
