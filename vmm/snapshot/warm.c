/* warm.c - starting from a kept machine: zvmm --warm. */
#include "snapshot/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "snapshot/file.h"
#include "snapshot/host.h"
#include "snapshot/take.h"
#include "vm.h"

#define WARM_WORD "userboot.warm"

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

static void add_status(XXH3_state_t *key, const char *path, const struct stat *status)
{
    add_text(key, path);
    add_number(key, (uint64_t)status->st_size);
    add_number(key, (uint64_t)status->st_ino);
    add_number(key, (uint64_t)status->st_mtim.tv_sec);
    add_number(key, (uint64_t)status->st_mtim.tv_nsec);
}

/* A file counts as the same as long as nobody has written it. */
static void add_file(XXH3_state_t *key, const char *path)
{
    struct stat status;
    char *absolute = path != NULL ? realpath(path, NULL) : NULL;
    if (absolute != NULL && stat(absolute, &status) == 0)
        add_status(key, absolute, &status);
    else
        add_number(key, 0);
    free(absolute);
}

/* nftw() passes no argument. */
static XXH3_state_t *tree_key;

static int add_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)kind;
    (void)place;
    add_status(tree_key, path, status);
    return 0;
}

static void add_tree(XXH3_state_t *key, const char *folder)
{
    tree_key = key;
    if (folder != NULL)
        nftw(folder, add_entry, 16, 0);
}

/* All that the machine at the marker depends on, but not the host: see is_usable(). */
static void make_key(const struct options *options, char text[33])
{
    static XXH3_state_t key;
    const struct zvmm_config *config = &options->config;
    XXH3_128bits_reset(&key);
    add_text(&key, ZVMM_VERSION);
    add_file(&key, "/proc/self/exe");
    add_file(&key, config->guest_path);
    add_file(&key, config->vdso_path);
    add_file(&key, config->userboot_path);
    add_file(&key, config->zbi_path);
    add_tree(&key, config->bootfs_dir);
    add_text(&key, config->kvm_path);
    add_number(&key, config->memory_bytes);
    add_number(&key, config->has_quirks ? config->quirks : UINT64_MAX - config->force_probe);
    add_number(&key, config->has_seed);
    XXH3_128bits_update(&key, config->seed, sizeof(config->seed));
    XXH3_128bits_update(&key, options->cmdline, options->base_length);
    XXH128_hash_t hash = XXH3_128bits_digest(&key);
    snprintf(text, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

/* ---- The file ----------------------------------------------------------------------------------
 */

static int make_folder(const char *path, struct zvmm_error *error)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_set(error, "--warm: cannot make the cache folder %s: %s; set XDG_CACHE_HOME", path,
                     strerror(errno));
}

/* $XDG_CACHE_HOME/zvmm/KEY.zsnap, or below ~/.cache. */
static int choose_file(const struct options *options, char *path, size_t room,
                       struct zvmm_error *error)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char key[33], folder[3072];
    if (cache != NULL && cache[0] == '/')
        snprintf(folder, sizeof(folder), "%s", cache);
    else if (home != NULL && home[0] == '/')
        snprintf(folder, sizeof(folder), "%s/.cache", home);
    else
        return error_set(error, "--warm: there is no cache folder; set XDG_CACHE_HOME or HOME");
    if (make_folder(folder, error) != 0)
        return -1;
    strncat(folder, "/zvmm", sizeof(folder) - strlen(folder) - 1);
    if (make_folder(folder, error) != 0)
        return -1;
    make_key(options, key);
    snprintf(path, room, "%s/%s.zsnap", folder, key);
    return 0;
}

/* Kept on this host since it was started: another processor or kernel may do things differently. */
static bool is_usable(const char *path)
{
    char here[HOST_ID_ROOM];
    struct snapshot_file *file;
    struct zvmm_error error;
    if (snapshot_open_one(&file, path, &error) != 0)
        return false;
    bool same = strcmp(snapshot_text(file, ZSNAP_HOST), host_id(here)) == 0 && here[0] != '\0';
    snapshot_close(file);
    return same;
}

/* ---- The machine -------------------------------------------------------------------------------
 */

/* What a run wants that a boot to the marker does not. */
static void set_boot_config(struct zvmm_config *config)
{
    config->snapshot_at = NULL;
    config->control_path = NULL;
    config->gdb = NULL;
    config->stop_at = "marker:warm";
}

static int boot(const struct options *options, struct zvmm **out, struct zvmm_error *error)
{
    static char cmdline[OPTIONS_CMDLINE_MAX + 1];
    struct zvmm_config config = options->config;
    struct zvmm_result result;
    struct zvmm *vm;
    int length = snprintf(cmdline, sizeof(cmdline), "%.*s%s" WARM_WORD, (int)options->base_length,
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

/* Not being able to keep it is no reason not to run. */
static void keep(struct zvmm *vm, const char *path)
{
    struct zvmm_error error;
    struct take_request request = {.path = path, .label = "warm start", .quick = true};
    struct take *take;
    if (vm_settle(vm, &error) != 0 || take_begin(vm, &request, &take, &error) != 0 ||
        take_end(take, &error) != 0)
        fprintf(stderr, "zvmm: --warm: the machine is not kept: %s\n", error.text);
}

/* From here on it is the user's run. */
static int hand_over(struct options *options, struct zvmm *vm, struct zvmm_error *error)
{
    vm->config.snapshot_at = options->config.snapshot_at;
    vm->config.control_path = options->config.control_path;
    vm->config.gdb = options->config.gdb;
    vm->config.guest_path = options->config.guest_path;
    vm->config.stop_at = NULL;
    vm->stop = (struct plan){.kind = PLAN_NEVER};
    size_t length = strlen(options->cmdline);
    options->cmdline[length] = '\n';
    int result = console_type(&vm->console, options->cmdline, length + 1);
    options->cmdline[length] = '\0';
    return result == 0 ? 0 : error_set(error, "--warm: the command line is too long");
}

int warm_start(struct options *options, struct zvmm **out, struct zvmm_error *error)
{
    char path[4096];
    if (options->config.deterministic)
        return error_set(error, "--warm and --deterministic do not go together: time cannot start "
                                "in the middle");
    if (choose_file(options, path, sizeof(path), error) != 0)
        return -1;
    if (!is_usable(path) || zvmm_restore(&options->config, path, out, error) != 0) {
        if (boot(options, out, error) != 0)
            return -1;
        keep(*out, path);
    }
    if (hand_over(options, *out, error) == 0)
        return 0;
    zvmm_destroy(*out);
    return -1;
}
