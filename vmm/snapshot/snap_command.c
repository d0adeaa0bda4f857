/* snap_command.c - zvmm snap: look at snapshot files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "command.h"
#include "error.h"
#include "snapshot/file.h"
#include "snapshot/transport.h"

static const char usage[] = "usage: zvmm snap info FILE      what is in it\n"
                            "       zvmm snap verify FILE    whether it and its parents are whole\n"
                            "       zvmm snap flatten FILE OUT  it and its parents as one file\n"
                            "       zvmm snap pack FILE OUT     compressed, for transport\n"
                            "       zvmm snap unpack FILE OUT   and back\n";

static void print_hex(const char *what, const uint8_t *bytes, uint32_t count)
{
    printf("%-12s ", what);
    for (uint32_t i = 0; i < count; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static void print_text(const struct snapshot_file *file, const char *what, uint32_t type)
{
    const char *text = snapshot_text(file, type);
    if (text[0] == '\0')
        return;
    printf("%-12s ", what);
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '.' : *text);
    putchar('\n');
}

static void print_time(uint64_t utc_ns)
{
    char text[64] = "";
    time_t seconds = (time_t)(utc_ns / 1000000000u);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
    printf("%-12s %s\n", "taken", text);
}

static void print_memory(const struct snapshot_file *file)
{
    struct stat status;
    uint64_t count, bytes = 0, zero = 0;
    const struct zsnap_run *runs = snapshot_runs(file, &count);
    for (uint64_t i = 0; i < count; i++)
        *((runs[i].flags & ZSNAP_RUN_ZERO) != 0 ? &zero : &bytes) += runs[i].length;
    printf("%-12s %" PRIu64 " MiB, %" PRIu64 " KiB of it in %" PRIu64 " runs", "memory",
           snapshot_header(file)->memory_bytes >> 20, bytes >> 10, count);
    if (zero != 0)
        printf(", %" PRIu64 " KiB zeroed since the parent", zero >> 10);
    putchar('\n');
    if (stat(snapshot_path(file), &status) == 0)
        printf("%-12s %lld KiB on the disk\n", "file", (long long)status.st_blocks / 2);
}

static int info(struct snapshot_file *file, struct zvmm_error *error)
{
    const struct zsnap_header *header = snapshot_header(file);
    const struct zsnap_machine *machine =
        snapshot_need(file, ZSNAP_MACHINE, sizeof(*machine), error);
    const struct kvm_regs *regs = snapshot_need(file, ZSNAP_REGS, sizeof(*regs), error);
    static const uint8_t none[16];
    if (machine == NULL || regs == NULL)
        return -1;
    printf("%-12s version %u, written by zvmm %s\n", "format", header->version,
           header->zvmm_version);
    print_time(header->utc_ns);
    print_text(file, "at", ZSNAP_LABEL);
    print_hex("uuid", header->uuid, sizeof(header->uuid));
    if (memcmp(header->parent, none, sizeof(none)) != 0) {
        print_hex("parent uuid", header->parent, sizeof(header->parent));
        print_text(file, "parent", ZSNAP_PARENT);
    }
    print_text(file, "guest", ZSNAP_GUEST);
    print_hex("build id", header->build_id, header->build_id_bytes);
    print_text(file, "cmdline", ZSNAP_CMDLINE);
    print_memory(file);
    printf("%-12s quirks %#x, features %#x, TSC %" PRIu64 " at %u kHz\n", "machine",
           machine->quirks, machine->features, (uint64_t)machine->tsc, machine->tsc_khz);
    printf("%-12s rip %016llx rsp %016llx\n", "vCPU", (unsigned long long)regs->rip,
           (unsigned long long)regs->rsp);
    return 0;
}

static int run_info(char *argv[], struct zvmm_error *error)
{
    struct snapshot_file *file;
    if (snapshot_open_one(&file, argv[0], error) != 0)
        return -1;
    int result = info(file, error);
    snapshot_close(file);
    return result;
}

static int run_verify(char *argv[], struct zvmm_error *error)
{
    struct snapshot_file *file;
    if (snapshot_open(&file, argv[0], error) != 0)
        return -1;
    int result = snapshot_verify(file, error);
    if (result == 0)
        printf("%s: whole\n", argv[0]);
    snapshot_close(file);
    return result;
}

static int run_flatten(char *argv[], struct zvmm_error *error)
{
    return snapshot_flatten(argv[0], argv[1], error);
}

static int run_pack(char *argv[], struct zvmm_error *error)
{
    return snapshot_pack(argv[0], argv[1], error);
}

static int run_unpack(char *argv[], struct zvmm_error *error)
{
    return snapshot_unpack(argv[0], argv[1], error);
}

static const struct {
    const char *name;
    int files;
    int (*run)(char *argv[], struct zvmm_error *error);
} verbs[] = {
    {"info", 1, run_info}, {"verify", 1, run_verify}, {"flatten", 2, run_flatten},
    {"pack", 2, run_pack}, {"unpack", 2, run_unpack},
};

int snap_command(int argc, char *argv[])
{
    struct zvmm_error error;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0 ? ZVMM_EXIT_HOST : 0;
    for (unsigned i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0 || argc != 2 + verbs[i].files)
            continue;
        if (verbs[i].run(argv + 2, &error) != 0)
            error_fatal(&error);
        return fflush(stdout) != 0 ? ZVMM_EXIT_HOST : 0;
    }
    fputs(usage, stderr);
    return ZVMM_EXIT_HOST;
}
