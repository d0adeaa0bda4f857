/* runlog-write.c - writing the record of a deterministic run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "runlog.h"

/* Fast, and events are so much alike that more would gain little. */
#define COMPRESSION 3

static int write_failed(const struct runlog_writer *log, struct zvmm_error *error)
{
    return error_set(error, "--log: %s: %s; the log is incomplete", log->path, strerror(errno));
}

/* Words that `word` begins as an option about logs, with its value; 0 if it is another one. */
static int log_option_words(const char *word)
{
    static const char *const names[] = {"--log", "--replay", "--replay-to"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(word, names[i], length) == 0 && (word[length] == '\0' || word[length] == '='))
            return word[length] == '=' ? 1 : 2;
    }
    return 0;
}

/* The arguments without those, behind each other; only counted if `file` is NULL. */
static void put_arguments(FILE *file, int argc, char *const argv[], struct runlog_header *header)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        options = options && strcmp(argv[i], "--") != 0;
        int words = options ? log_option_words(argv[i]) : 0;
        if (words != 0) {
            i += words - 1;
            continue;
        }
        header->argument_count++;
        header->argument_bytes += (uint32_t)strlen(argv[i]) + 1;
        if (file != NULL)
            fwrite(argv[i], strlen(argv[i]) + 1, 1, file);
    }
}

int runlog_create(struct runlog_writer *log, const char *path, int argc, char *const argv[],
                  const struct digest *start, struct zvmm_error *error)
{
    struct runlog_header header = {.magic = RUNLOG_MAGIC,
                                   .version = RUNLOG_VERSION,
                                   .quantum = ZV_QUANTUM,
                                   .start = *start},
                         scratch = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *log = (struct runlog_writer){.path = path};
    if (fd < 0)
        return error_set(error, "--log: %s: %s%s", path, strerror(errno),
                         errno == EEXIST ? "; remove it or name another file" : "");
    log->file = fdopen(fd, "w");
    if (log->file == NULL) {
        close(fd);
        return error_set(error, "--log: %s: out of memory", path);
    }
    put_arguments(NULL, argc, argv, &header);
    fwrite(&header, sizeof(header), 1, log->file);
    put_arguments(log->file, argc, argv, &scratch);
    return ferror(log->file) != 0 ? write_failed(log, error) : 0;
}

static int put_block(struct runlog_writer *log, uint32_t type, const void *stored,
                     size_t stored_bytes, const void *data, size_t bytes, struct zvmm_error *error)
{
    struct runlog_block block = {.type = type,
                                 .stored_bytes = (uint32_t)stored_bytes,
                                 .bytes = (uint32_t)bytes,
                                 .checksum = XXH32(data, bytes, 0)};
    fwrite(&block, sizeof(block), 1, log->file);
    fwrite(stored, stored_bytes, 1, log->file);
    return ferror(log->file) != 0 ? write_failed(log, error) : 0;
}

int runlog_events(struct runlog_writer *log, const struct zv_event *events, uint64_t count,
                  struct zvmm_error *error)
{
    size_t bytes = count * sizeof(*events), bound = ZSTD_compressBound(bytes);
    struct zv_event *differences = malloc(bytes + bound);
    if (count == 0 || differences == NULL) {
        free(differences);
        return count == 0 ? 0 : error_set(error, "--log: out of memory");
    }
    for (uint64_t i = 0; i < count; i++) {
        differences[i] = events[i];
        differences[i].tsc -= log->tsc;
        log->tsc = events[i].tsc;
    }
    void *stored = (uint8_t *)differences + bytes;
    size_t stored_bytes = ZSTD_compress(stored, bound, differences, bytes, COMPRESSION);
    int result =
        ZSTD_isError(stored_bytes)
            ? error_set(error, "--log: %s", ZSTD_getErrorName(stored_bytes))
            : put_block(log, RUNLOG_EVENTS, stored, stored_bytes, differences, bytes, error);
    free(differences);
    return result;
}

int runlog_digest(struct runlog_writer *log, const struct runlog_digest *digest,
                  struct zvmm_error *error)
{
    return put_block(log, RUNLOG_DIGEST, digest, sizeof(*digest), digest, sizeof(*digest), error);
}

int runlog_end(struct runlog_writer *log, const struct runlog_end *end, struct zvmm_error *error)
{
    return put_block(log, RUNLOG_END, end, sizeof(*end), end, sizeof(*end), error);
}

int runlog_close(struct runlog_writer *log, struct zvmm_error *error)
{
    FILE *file = log->file;
    log->file = NULL;
    return file != NULL && fclose(file) != 0 ? write_failed(log, error) : 0;
}
