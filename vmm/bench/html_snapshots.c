/*
 * html_snapshots.c - what snapshots cost: the lines of tests/bench/snapshot as a table.
 *
 *     WHAT zvmm min=NS median=NS [bare min=NS median=NS ratio=R]
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

/* False: it has not that form. */
static bool print_figures(FILE *page, const char *line)
{
    double ours[2], bare[2];
    const char *figures = strstr(line, " zvmm min=");
    if (figures == NULL || sscanf(figures, " zvmm min=%lf median=%lf", &ours[0], &ours[1]) != 2)
        return false;
    int length = (int)(figures - line);
    while (length > 0 && line[length - 1] == ' ')
        length--;
    fputs("<tr><td>", page);
    html_text(page, line, (size_t)length);
    fputs("</td>", page);
    print_us(page, ours[0]);
    print_us(page, ours[1]);
    const char *other = strstr(figures, " bare min=");
    if (other != NULL && sscanf(other, " bare min=%lf median=%lf", &bare[0], &bare[1]) == 2) {
        print_us(page, bare[0]);
        print_us(page, bare[1]);
        fprintf(page, "<td>%.2f</td>", bare[0] > 0 ? ours[0] / bare[0] : 0);
    } else {
        fputs("<td></td><td></td><td></td>", page);
    }
    fputs("</tr>\n", page);
    return true;
}

static void print_line(FILE *page, const char *line)
{
    size_t length = strcspn(line, "\n");
    if (length == 0 || print_figures(page, line))
        return;
    fputs("<tr><td colspan=\"6\">", page);
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
          "<table><thead><tr><th>what</th><th>zvmm, least</th><th>median</th>"
          "<th>bare, least</th><th>median</th><th>ratio</th></tr></thead><tbody>\n",
          page);
    while (getline(&line, &room, file) >= 0)
        print_line(page, line);
    fputs("</tbody></table>\n", page);
    free(line);
    fclose(file);
    return 0;
}
