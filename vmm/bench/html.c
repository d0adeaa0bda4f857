/* html.c - the report's page and its table. */
#include "bench/html.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Columns -------------------------------------------------------------------------------- */

size_t html_columns(const struct html *html, struct html_column columns[HTML_COLUMNS])
{
    static const struct html_column others[] = {
        {"memcpy", SESSION_SUBJECTS, -1},
        {"Zircon", SESSION_SUBJECTS, FIGURE_ZIRCON},
        {"zCore", SESSION_SUBJECTS, FIGURE_ZCORE},
        {"instructions", SESSION_SUBJECTS, FIGURE_COUNT},
        {"instructions, Linux", SESSION_SUBJECTS, FIGURE_LINUX_COUNT},
    };
    size_t count = 0;
    for (size_t i = 0; i < html->session->subject_count; i++)
        columns[count++] = (struct html_column){html->session->subjects[i].name, i, 0};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        bool any = others[i].figure < 0;
        for (size_t k = 0; k < html->figures->count && !any; k++)
            any = (int)html->figures->list[k].kind == others[i].figure;
        if (any)
            columns[count++] = others[i];
    }
    return count;
}

static double median_of(const struct html *html, size_t subject, const char *row)
{
    const struct series *series = samples_find(&html->session->samples_taken, subject, row);
    return series != NULL && series->vouched != 0 ? series->statistics.median : -1;
}

/* Rows that move their size once are compared with memcpy of that size, by Linux' C library. */
static double memcpy_value(const struct html *html, const char *row)
{
    char name[64];
    double best = -1;
    const char *size = strstr(row, "bytes");
    if (size == NULL || (strstr(row, "Read") == NULL && strstr(row, "Write") == NULL) ||
        strstr(row, "Some") != NULL)
        return -1;
    while (size > row && size[-1] != '/')
        size--;
    snprintf(name, sizeof(name), "Memcpy/%.*s", (int)strcspn(size, "/."), size);
    for (size_t i = 0; i < html->session->subject_count; i++) {
        double value = median_of(html, i, name);
        if (value >= 0 && (best < 0 || html->session->subjects[i].kind == SUBJECT_LINUX))
            best = value;
    }
    return best;
}

double html_value(const struct html *html, const struct html_column *column, const char *row)
{
    if (column->subject < SESSION_SUBJECTS)
        return median_of(html, column->subject, row);
    if (column->figure < 0)
        return memcpy_value(html, row);
    return figures_find(html->figures, (enum figure_kind)column->figure, row);
}

/* ---- The page ------------------------------------------------------------------------------- */

void html_text(FILE *page, const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i] != '\0'; i++) {
        if (text[i] == '<')
            fputs("&lt;", page);
        else if (text[i] == '&')
            fputs("&amp;", page);
        else
            fputc(text[i], page);
    }
}

static void print_text(FILE *page, const char *text)
{
    html_text(page, text, strlen(text));
}

static void print_head(FILE *page, const struct html *html)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<title>zvmm bench</title>\n<style>\n"
          "body { font: 14px sans-serif; margin: 2em; }\n"
          "table { border-collapse: collapse; }\n"
          "th, td { text-align: right; padding: 1px 8px; border-bottom: 1px solid #ddd; }\n"
          "th:first-child, td:first-child { text-align: left; font-family: monospace; }\n"
          "thead th { position: sticky; top: 0; background: #fff; }\n"
          "small { color: #777; }\n.none { color: #b00; }\n"
          "</style></head><body>\n<h1>zvmm bench</h1>\n<p>",
          page);
    print_text(page, html->host->machine);
    fprintf(page, "; zvmm %s; CPU %d; %u runs.", ZVMM_VERSION, html->host->cpu,
            html->session->runs_done);
    fputs(html->host->remark_count == 0 ? " The host was settled.</p>\n"
                                        : " The host was not settled:</p>\n<ul>\n",
          page);
    for (size_t i = 0; i < html->host->remark_count; i++) {
        fputs("<li>", page);
        print_text(page, html->host->remarks[i]);
        fputs("</li>\n", page);
    }
    fputs(html->host->remark_count == 0 ? "" : "</ul>\n", page);
}

static void print_explanation(FILE *page)
{
    fputs(
        "<p>Medians in ns of the samples that zvmm vouches for; below each, its 95 % confidence "
        "interval and how many samples count; ~ stands before one that is not settled. Zircon and "
        "zCore: as published, on another machine: compare growth, not height. memcpy: of the row's "
        "size. Instructions: on the nested rig, "
        "where a count repeats. docs/benchmarks.md explains rows and method.</p>\n",
        page);
}

static void print_reason(FILE *page, const struct series *series)
{
    char why[256];
    series_explain(series, why, sizeof(why));
    fputs("<small>", page);
    print_text(page, why);
    fputs("</small>", page);
}

static void print_cell(FILE *page, const struct html *html, const struct html_column *column,
                       const char *row)
{
    double value = html_value(html, column, row);
    const struct series *series =
        column->subject < SESSION_SUBJECTS
            ? samples_find(&html->session->samples_taken, column->subject, row)
            : NULL;
    if (value < 0) {
        fputs(series != NULL ? "<td class=\"none\">" : "<td>", page);
        if (series != NULL)
            print_reason(page, series);
        fputs("</td>", page);
        return;
    }
    fputs("<td>", page);
    if (series != NULL && html->session->tolerance > 0 &&
        !series_is_settled(series, html->session->tolerance))
        fputs("~", page);
    fprintf(page, value < 100 ? "%.1f" : "%.0f", value);
    if (series != NULL)
        fprintf(page,
                value < 100 ? "<br><small>%.1f to %.1f, %zu/%zu</small>"
                            : "<br><small>%.0f to %.0f, %zu/%zu</small>",
                series->statistics.low, series->statistics.high, series->vouched, series->count);
    fputs("</td>", page);
}

/* Whether the series is the first of its name: a row is printed once. */
static bool is_first(const struct samples *samples, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(samples->series[i].name, samples->series[index].name) == 0)
            return false;
    return true;
}

static void print_table(FILE *page, const struct html *html)
{
    struct html_column columns[HTML_COLUMNS];
    size_t count = html_columns(html, columns);
    const struct samples *samples = &html->session->samples_taken;
    fputs("<h2>Rows</h2>\n<table><thead><tr><th>row</th>", page);
    for (size_t i = 0; i < count; i++)
        fprintf(page, "<th>%s</th>", columns[i].title);
    fputs("</tr></thead><tbody>\n", page);
    for (size_t i = 0; i < samples->count; i++) {
        if (!is_first(samples, i))
            continue;
        fputs("<tr><td>", page);
        print_text(page, samples->series[i].name);
        fputs("</td>", page);
        for (size_t k = 0; k < count; k++)
            print_cell(page, html, &columns[k], samples->series[i].name);
        fputs("</tr>\n", page);
    }
    fputs("</tbody></table>\n", page);
}

/* ---- Files ---------------------------------------------------------------------------------- */

int html_prepare(const char *folder, struct zvmm_error *error)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, "bench: --html %s: cannot make the folder: %s", folder,
                         strerror(errno));
    if (access(folder, W_OK | X_OK) != 0)
        return error_set(error, "bench: --html %s: cannot write there: %s", folder,
                         strerror(errno));
    return 0;
}

int html_write(const struct html *html, struct zvmm_error *error)
{
    char path[4096], fresh[4096 + 8];
    snprintf(path, sizeof(path), "%s/index.html", html->folder);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *page = fopen(fresh, "we");
    if (page == NULL)
        return error_set(error, "bench: %s: cannot write it: %s", path, strerror(errno));
    print_head(page, html);
    print_explanation(page);
    if (!html_plots(html, page))
        fputs("<p>There are no plots: gnuplot is missing (gnuplot-nox).</p>\n", page);
    print_table(page, html);
    int result = html_snapshots(html, page, error);
    fputs("</body></html>\n", page);
    bool bad = ferror(page) != 0;
    bad |= fclose(page) != 0;
    if (result == 0 && !bad && rename(fresh, path) == 0)
        return 0;
    unlink(fresh);
    if (result != 0)
        return -1;
    return error_set(error, "bench: %s: cannot write it: %s", path, strerror(errno));
}
