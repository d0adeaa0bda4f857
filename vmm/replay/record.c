/* record.c - what a deterministic run does with its events. */
#include "record.h"

#include <string.h>

#include "vm.h"

bool record_is_active(const struct record *record)
{
    return record->writer.file != NULL || record->reader.file != NULL;
}

int record_begin(struct record *record, struct zvmm *vm, struct zvmm_error *error)
{
    const struct zvmm_config *config = &vm->config;
    struct digest start;
    if (config->log_path == NULL && config->replay_path == NULL)
        return 0;
    if (digest_take(vm, &start, error) != 0)
        return -1;
    if (config->replay_path != NULL) {
        if (runlog_open(&record->reader, config->replay_path, error) != 0)
            return -1;
        if (memcmp(&start, &record->reader.header.start, sizeof(start)) != 0)
            return error_set(error,
                             "replay: the machine starts differently from the one in %s; use the "
                             "same guest, boot files, options and zvmm, in the same folder",
                             config->replay_path);
    }
    if (config->log_path == NULL)
        return 0;
    return runlog_create(&record->writer, config->log_path, config->argument_count,
                         config->arguments, &start, error);
}

/* The log's next item, which should be an `item`. */
static int expect(struct record *record, enum runlog_item item, const char *instead,
                  struct zvmm_error *error)
{
    struct runlog_reader *log = &record->reader;
    enum runlog_item found;
    int result = runlog_next(log, &found, error);
    if (result < 0)
        return -1;
    if (result == 0 || found != item)
        return error_set(error,
                         "replay: after event %llu this run %s and the one in %s did not: they "
                         "differ from there on",
                         (unsigned long long)log->number - (result > 0 && found == RUNLOG_IS_EVENT),
                         instead, log->path);
    return 0;
}

static int compare_event(struct record *record, const struct zv_event *event,
                         struct zvmm_error *error)
{
    struct runlog_reader *log = &record->reader;
    char here[RUNLOG_TEXT], there[RUNLOG_TEXT];
    if (expect(record, RUNLOG_IS_EVENT, "went on", error) != 0)
        return -1;
    if (memcmp(event, &log->event, sizeof(*event)) == 0)
        return 0;
    runlog_text(event, here);
    runlog_text(&log->event, there);
    return error_set(error, "replay: event %llu is '%s' and in %s '%s': the runs differ",
                     (unsigned long long)log->number, here + strspn(here, " "), log->path,
                     there + strspn(there, " "));
}

int record_compare(struct record *record, const struct zv_event *events, uint64_t count,
                   struct zvmm_error *error)
{
    for (uint64_t i = 0; i < count && record->reader.file != NULL; i++)
        if (compare_event(record, &events[i], error) != 0)
            return -1;
    return 0;
}

int record_events(struct record *record, const struct zv_event *events, uint64_t count,
                  struct zvmm_error *error)
{
    if (record->writer.file != NULL && runlog_events(&record->writer, events, count, error) != 0)
        return -1;
    return record_compare(record, events, count, error);
}

int record_digest(struct record *record, const struct runlog_digest *digest,
                  struct zvmm_error *error)
{
    struct runlog_reader *log = &record->reader;
    if (record->writer.file != NULL && runlog_digest(&record->writer, digest, error) != 0)
        return -1;
    if (log->file == NULL)
        return 0;
    if (expect(record, RUNLOG_IS_DIGEST, "was at a point to compare", error) != 0)
        return -1;
    if (memcmp(digest, &log->digest, sizeof(*digest)) == 0)
        return 0;
    char here[DIGEST_TEXT], there[DIGEST_TEXT];
    digest_text(&digest->digest, here);
    digest_text(&log->digest.digest, there);
    return error_set(
        error,
        "replay: digest mismatch at event %llu: %s here and %s in %s; all events so far "
        "were the same",
        (unsigned long long)digest->event, here, there, log->path);
}

int record_end(struct record *record, const struct runlog_end *end, bool compare,
               struct zvmm_error *error)
{
    if (record->writer.file != NULL &&
        (runlog_end(&record->writer, end, error) != 0 || runlog_close(&record->writer, error) != 0))
        return -1;
    if (record->reader.file == NULL || !compare)
        return 0;
    return expect(record, RUNLOG_IS_END, "ended", error);
}

void record_close(struct record *record)
{
    struct zvmm_error ignored;
    runlog_close(&record->writer, &ignored);
    runlog_reader_close(&record->reader);
}
