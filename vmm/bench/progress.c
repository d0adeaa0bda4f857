/* progress.c - how far a session is. */
#include "bench/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"

enum { WIDTH = 40, TENTHS = 10 };

void progress_begin(struct progress *progress, bool quiet, size_t total)
{
    *progress = (struct progress){
        .kind = isatty(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_LINES,
        .subject = "",
        .total = total,
        .start_ns = clock_monotonic_ns(),
    };
    if (quiet)
        progress->kind = PROGRESS_NONE;
}

static void draw_bar(const struct progress *progress, size_t done, unsigned seconds)
{
    static const char bar[WIDTH + 1] = "########################################";
    size_t filled = progress->total != 0 ? done * WIDTH / progress->total : WIDTH;
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu rows, %u:%02u, %s\033[K", (int)filled, bar,
            (int)(WIDTH - filled), "", done, progress->total, seconds / 60, seconds % 60,
            progress->subject);
}

static void print_line(struct progress *progress, size_t done, unsigned seconds)
{
    size_t tenths = progress->total != 0 ? done * TENTHS / progress->total : TENTHS;
    if (tenths <= progress->tenths)
        return;
    progress->tenths = tenths;
    fprintf(stderr, "zvmm bench: %zu of %zu rows, %u:%02u\n", done, progress->total, seconds / 60,
            seconds % 60);
}

void progress_show(struct progress *progress, size_t rows)
{
    size_t done = progress->done + rows;
    if (done > progress->total)
        done = progress->total;
    unsigned seconds = (unsigned)((clock_monotonic_ns() - progress->start_ns) / 1000000000);
    if (progress->kind == PROGRESS_BAR)
        draw_bar(progress, done, seconds);
    else if (progress->kind == PROGRESS_LINES)
        print_line(progress, done, seconds);
}

void progress_end(struct progress *progress)
{
    if (progress->kind == PROGRESS_BAR)
        fputs("\r\033[K", stderr);
}
