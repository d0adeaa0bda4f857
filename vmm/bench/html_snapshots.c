/*
 * html_snapshots.c - what snapshots cost: the lines of tests/bench/snapshot as a table.
 *
 *     WHAT SUBJECT min=NS median=NS ... [bare min=NS median=NS ...]
 *
 * Another line is a remark.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/html.h"

static void print_us(FILE *page, double ns)
{
    fprintf(page, ns < 100000 ? "<td>%.1f</td>" : "<td>%.0f</td>", ns / 1000);
}

/* The last word before `end`; *before is the length of what is before that word. */
static const char *last_word(const char *line, size_t end, size_t *before)
{
    while (end > 0 && line[end - 1] != ' ')
        end--;
    const char *word = line + end;
    while (end > 0 && line[end - 1] == ' ')
        end--;
    *before = end;
    return word;
}

static void print_bare(FILE *page, const char *figures, double ours)
{
    double least, median;
    const char *other = strstr(figures, " bare min=");
    if (other == NULL || sscanf(other, " bare min=%lf median=%lf", &least, &median) != 2) {
        fputs("<td></td><td></td><td></td>", page);
        return;
    }
    print_us(page, least);
    print_us(page, median);
    fprintf(page, "<td>%.2f</td>", least > 0 ? ours / least : 0);
}

/* False: it has not that form. */
static bool print_figures(FILE *page, const char *line)
{
    double least, median;
    size_t length;
    const char *figures = strstr(line, " min=");
    if (figures == NULL || sscanf(figures, " min=%lf median=%lf", &least, &median) != 2)
        return false;
    const char *subject = last_word(line, (size_t)(figures - line), &length);
    fputs("<tr><td>", page);
    html_text(page, line, length);
    fputs("</td><td>", page);
    html_text(page, subject, (size_t)(figures - subject));
    fputs("</td>", page);
    print_us(page, least);
    print_us(page, median);
    print_bare(page, figures, least);
    fputs("</tr>\n", page);
    return true;
}

static void print_line(FILE *page, const char *line)
{
    size_t length = strcspn(line, "\n");
    if (length == 0 || print_figures(page, line))
        return;
    fputs("<tr><td colspan=\"7\">", page);
    html_text(page, line, length);
    fputs("</td></tr>\n", page);
}

int html_snapshots(const struct html *html, FILE *page, struct zvmm_error *error)
{
    char *line = NULL;
    size_t room = 0;
    if (html->snapshots == NULL)
        return 0;
    FILE *file = fopen(html->snapshots, "re");
    if (file == NULL)
        return error_set(error, "bench: %s: %s", html->snapshots, strerror(errno));
    fputs("<h2>Snapshots</h2>\n<p>In us, the smallest and the median; beside it the bare "
          "prototype, which does the least for the same end without a check, and the ratio of the "
          "smallest.</p>\n"
          "<table><thead><tr><th>what</th><th>of</th><th>least</th><th>median</th>"
          "<th>bare, least</th><th>median</th><th>ratio</th></tr></thead><tbody>\n",
          page);
    while (getline(&line, &room, file) >= 0)
        print_line(page, line);
    fputs("</tbody></table>\n", page);
    free(line);
    fclose(file);
    return 0;
}
