/* warm.c - starting from a kept machine: zvmm --warm. */
#include "snapshot/warm.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache.h"
#include "snapshot/host.h"
#include "snapshot/restore.h"
#include "snapshot/take.h"
#include "vm.h"

/* What the kernel and userboot have to know; where userboot stops, and where the program. */
#define WARM_WORDS   "userboot.warm kernel.process-markers"
#define STOP_CHOOSE  "marker:warm"
#define STOP_PROGRAM "marker:process-start"

enum { KEPT_MAX = 32 }; /* machines; 2 MiB each for a small program */

/* The files of one start. */
struct warm {
    struct options *options;
    char machine[CACHE_PATH_ROOM]; /* about to choose its program */
    char program[CACHE_PATH_ROOM]; /* ... to execute the first instruction of this one */
};

/* ---- The key -----------------------------------------------------------------------------------
 */

static void add_text(XXH3_state_t *key, const char *text)
{
    XXH3_128bits_update(key, text, strlen(text) + 1);
}

static void add_number(XXH3_state_t *key, uint64_t number)
{
    XXH3_128bits_update(key, &number, sizeof(number));
}

/* A file counts as the same as long as nobody has written it. */
static void add_status(XXH3_state_t *key, const struct stat *status)
{
    const uint64_t numbers[] = {
        status->st_dev,
        status->st_ino,
        (uint64_t)status->st_size,
        (uint64_t)status->st_mtim.tv_sec,
        (uint64_t)status->st_mtim.tv_nsec,
    };
    XXH3_128bits_update(key, numbers, sizeof(numbers));
}

static void add_file(XXH3_state_t *key, const char *path)
{
    struct stat status;
    if (path != NULL && stat(path, &status) == 0)
        add_status(key, &status);
    else
        add_number(key, 0);
}

/* nftw() passes no argument. */
static XXH3_state_t *tree_key;

static int add_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)kind;
    (void)place;
    add_text(tree_key, path);
    add_status(tree_key, status);
    return 0;
}

static void add_tree(XXH3_state_t *key, const char *folder)
{
    tree_key = key;
    if (folder != NULL)
        nftw(folder, add_entry, 16, 0);
}

/* All that the machine at the marker depends on. Another host, or the same one started again, may
 * do things differently. */
static void add_machine(XXH3_state_t *key, const struct options *options)
{
    const struct zvmm_config *config = &options->config;
    char host[HOST_ID_ROOM];
    add_text(key, ZVMM_VERSION);
    add_text(key, host_id(host));
    add_file(key, "/proc/self/exe");
    add_file(key, config->guest_path);
    add_file(key, config->vdso_path);
    add_file(key, config->userboot_path);
    add_file(key, config->zbi_path);
    add_tree(key, config->bootfs_dir);
    add_text(key, config->kvm_path);
    add_text(key, config->guest_path); /* it is in the snapshot: reports look for symbols there */
    add_number(key, config->memory_bytes);
    add_number(key, config->baseline_cpu);
    add_number(key, config->has_quirks ? config->quirks : UINT64_MAX - config->force_probe);
    add_number(key, config->has_seed);
    XXH3_128bits_update(key, config->seed, sizeof(config->seed));
    XXH3_128bits_update(key, options->cmdline, options->base_length);
}

static int name_file(char path[CACHE_PATH_ROOM], const XXH3_state_t *key)
{
    char name[48];
    XXH128_hash_t hash = XXH3_128bits_digest(key);
    snprintf(name, sizeof(name), "%016llx%016llx.zsnap", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    return cache_path(path, name);
}

static int choose_files(struct warm *warm, struct zvmm_error *error)
{
    static XXH3_state_t key;
    XXH3_128bits_reset(&key);
    add_machine(&key, warm->options);
    int result = name_file(warm->machine, &key);
    add_text(&key, warm->options->cmdline);
    if (result != 0 || name_file(warm->program, &key) != 0)
        return error_set(error, "--warm: there is no cache folder; set XDG_CACHE_HOME or HOME");
    return cache_make_folder(warm->machine, error);
}

/* ---- What is kept ------------------------------------------------------------------------------
 */

/* A name that name_file() gives; what else is in the folder is not ours. */
static bool is_kept(const char *name)
{
    return strspn(name, "0123456789abcdef") == 32 && strcmp(name + 32, ".zsnap") == 0;
}

/* Count the kept machines in the folder; the one that is oldest goes to `oldest`. */
static unsigned count_kept(DIR *folder, char oldest[NAME_MAX + 1])
{
    struct timespec least = {0};
    struct stat status;
    unsigned count = 0;
    rewinddir(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_kept(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &status, 0) != 0)
            continue;
        struct timespec time = status.st_mtim;
        if (count++ == 0 || time.tv_sec < least.tv_sec ||
            (time.tv_sec == least.tv_sec && time.tv_nsec < least.tv_nsec)) {
            least = time;
            snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
        }
    }
    return count;
}

/* Builds and programs come and go: the oldest machines go, too. */
static void make_room(const char *path)
{
    char name[NAME_MAX + 1], where[CACHE_PATH_ROOM];
    snprintf(where, sizeof(where), "%.*s", (int)(strrchr(path, '/') - path), path);
    DIR *folder = opendir(where);
    if (folder == NULL)
        return;
    while (count_kept(folder, name) >= KEPT_MAX && unlinkat(dirfd(folder), name, 0) == 0)
        continue;
    closedir(folder);
}

/* Not being able to keep it is no reason not to run. */
static void keep(struct zvmm *vm, const char *path)
{
    struct zvmm_error error;
    struct take_request request = {.path = path, .label = "warm start", .quick = true};
    make_room(path);
    if (vm_settle(vm, &error) != 0 || take_now(vm, &request, &error) != 0)
        fprintf(stderr, "zvmm: --warm: the machine is not kept: %s\n", error.text);
}

/* Whatever is wrong with a kept machine, booting mends it. */
static int restore_kept(const struct warm *warm, const char *path, struct zvmm **out)
{
    struct zvmm_error ignored;
    struct snapshot_file *file;
    if (snapshot_open_one(&file, path, &ignored) != 0)
        return -1;
    return restore_file(&warm->options->config, file, out, &ignored);
}

/* ---- The machine -------------------------------------------------------------------------------
 */

/* What a run wants that a boot to the marker does not. */
static void set_boot_config(struct zvmm_config *config)
{
    config->snapshot_at = NULL;
    config->control_path = NULL;
    config->gdb = NULL;
    config->stop_at = STOP_CHOOSE;
}

static int boot(const struct options *options, struct zvmm **out, struct zvmm_error *error)
{
    static char cmdline[OPTIONS_CMDLINE_MAX + 1];
    struct zvmm_config config = options->config;
    struct zvmm_result result;
    struct zvmm *vm;
    int length = snprintf(cmdline, sizeof(cmdline), "%.*s%s" WARM_WORDS, (int)options->base_length,
                          options->cmdline, options->base_length != 0 ? " " : "");
    if (length >= (int)sizeof(cmdline))
        return error_set(error, "--warm: the kernel command line is too long; shorten --cmdline");
    config.cmdline = cmdline;
    set_boot_config(&config);
    if (zvmm_create(&config, &vm, error) != 0)
        return -1;
    int failed = zvmm_run(vm, &result, error);
    if (failed == 0 && result.end == ZVMM_END_STOP) {
        *out = vm;
        return 0;
    }
    if (failed == 0)
        error_set(error, "--warm: the machine ended before its program was chosen; this guest or "
                         "userboot has no warm start");
    zvmm_destroy(vm);
    return -1;
}

/* The command line, as console input; userboot stops being alone. */
static int hand_over(struct options *options, struct zvmm *vm, struct zvmm_error *error)
{
    size_t length = strlen(options->cmdline);
    options->cmdline[length] = '\n';
    int result = console_type(&vm->console, options->cmdline, length + 1);
    options->cmdline[length] = '\0';
    return result == 0 ? 0 : error_set(error, "--warm: the command line is too long");
}

/* From here on it is the user's run. */
static void set_user_config(const struct options *options, struct zvmm *vm)
{
    vm->config.snapshot_at = options->config.snapshot_at;
    vm->config.control_path = options->config.control_path;
    vm->config.gdb = options->config.gdb;
    vm->config.guest_path = options->config.guest_path;
    vm->config.stop_at = NULL;
    vm->stop = (struct plan){.kind = PLAN_NEVER};
}

/*
 * Run up to the program's first instruction and keep that. If the machine ends before, for example
 * because there is no such program, the user's run ends at once, in the same way.
 */
static int run_to_program(const struct warm *warm, struct zvmm *vm, struct zvmm_error *error)
{
    struct zvmm_result result;
    vm->config.stop_at = STOP_PROGRAM;
    if (zvmm_run(vm, &result, error) != 0)
        return -1;
    if (result.end == ZVMM_END_STOP)
        keep(vm, warm->program);
    return 0;
}

/* Whether nothing that the user asks for can happen before the program's first instruction. */
static bool can_skip_start(const struct zvmm_config *config)
{
    return config->snapshot_at == NULL && config->control_path == NULL && config->gdb == NULL;
}

/* A machine that is about to choose its program: kept, or booted and kept. */
static int get_machine(const struct warm *warm, struct zvmm **out, struct zvmm_error *error)
{
    if (restore_kept(warm, warm->machine, out) == 0)
        return 0;
    if (boot(warm->options, out, error) != 0)
        return -1;
    keep(*out, warm->machine);
    return 0;
}

int warm_start(struct options *options, struct zvmm **out, struct zvmm_error *error)
{
    static struct warm warm;
    bool skip = can_skip_start(&options->config);
    if (options->config.deterministic)
        return error_set(error, "--warm and --deterministic do not go together: time cannot start "
                                "in the middle");
    warm.options = options;
    if (choose_files(&warm, error) != 0)
        return -1;
    if (skip && restore_kept(&warm, warm.program, out) == 0) {
        set_user_config(options, *out);
        return 0;
    }
    if (get_machine(&warm, out, error) != 0)
        return -1;
    set_user_config(options, *out);
    if (hand_over(options, *out, error) == 0 &&
        (!skip || run_to_program(&warm, *out, error) == 0)) {
        set_user_config(options, *out);
        return 0;
    }
    zvmm_destroy(*out);
    return -1;
}
