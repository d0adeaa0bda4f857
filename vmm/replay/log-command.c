/* log-command.c - zvmm log FILE: print the record of a deterministic run. */
#include "log-command.h"

#include <string.h>

#include "runlog.h"

static void print_header(const struct runlog_reader *log)
{
    char start[DIGEST_TEXT];
    const char *argument = log->arguments;
    digest_text(&log->header.start, start);
    printf("# zvmm");
    for (uint32_t i = 0; i < log->header.argument_count; i++, argument += strlen(argument) + 1)
        printf(" %s", argument);
    printf("\n# start digest %s\n", start);
}

static void print_item(const struct runlog_reader *log, enum runlog_item item)
{
    static const char *const ends[] = {"exit", "guest failure", "signal", "quit", "stop"};
    char text[RUNLOG_TEXT], digest[DIGEST_TEXT];
    switch (item) {
    case RUNLOG_IS_EVENT:
        runlog_text(&log->event, text);
        printf("%8llu %s\n", (unsigned long long)log->number, text);
        return;
    case RUNLOG_IS_DIGEST:
        digest_text(&log->digest.digest, digest);
        printf("# digest %s after event %llu\n", digest, (unsigned long long)log->digest.event);
        return;
    case RUNLOG_IS_END:
        printf("# end: %s, code %lld, %llu events, %llu ns%s\n",
               log->end.end < sizeof(ends) / sizeof(ends[0]) ? ends[log->end.end] : "unknown",
               (long long)log->end.code, (unsigned long long)log->end.events,
               (unsigned long long)log->end.tsc,
               log->end.preemptions != 0 ? ", not guaranteed to repeat" : "");
    }
}

int log_command(int argc, char *argv[])
{
    struct zvmm_error error;
    struct runlog_reader log;
    enum runlog_item item;
    int result;
    if (argc != 2) {
        fputs("zvmm: usage: zvmm log FILE, a file that zvmm --log has written\n", stderr);
        return ZVMM_EXIT_HOST;
    }
    if (runlog_open(&log, argv[1], &error) != 0)
        error_fatal(&error);
    print_header(&log);
    while ((result = runlog_next(&log, &item, &error)) > 0)
        print_item(&log, item);
    if (fflush(stdout) != 0 && result == 0)
        result = error_set(&error, "log: cannot write the output; send it somewhere that takes it");
    runlog_reader_close(&log);
    if (result != 0)
        error_fatal(&error);
    return 0;
}
