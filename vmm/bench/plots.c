/*
 * plots.c - the report's plots, drawn by gnuplot: each family of rows as bars, one colour a column;
 * and cost against size.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/html.h"

enum { MOST_BARS = 30, SIZES = 8 };

/* gnuplot's input, or NULL. Its own complaints are of no use in a report. */
static FILE *open_plot(const struct html *html, const char *file)
{
    char command[64] = "gnuplot 2>/dev/null";
    FILE *plot = popen(command, "w");
    if (plot == NULL)
        return NULL;
    fprintf(plot, "set terminal svg size 900,480 background 'white'\nset output '%s/%s'\n",
            html->folder, file);
    return plot;
}

static void show(FILE *page, const char *file, const char *title)
{
    fprintf(page, "<figure><img src=\"%s\" alt=\"%s\"></figure>\n", file, title);
}

/* Columns in ns; a number of instructions is no height to set beside them. */
static bool is_time(const struct html_column *column)
{
    return column->subject < SESSION_SUBJECTS ||
           (column->figure != FIGURE_COUNT && column->figure != FIGURE_LINUX_COUNT);
}

/* ---- Families of rows ----------------------------------------------------------------------- */

/* What a row's family is called: its first part, or two of Vmo/Clone/..., with '-' for '/'. */
static void family_of(const char *row, char family[64])
{
    size_t length = strcspn(row, "/");
    if (strncmp(row, "HandleCreate_", 13) == 0)
        length = 12;
    else if (strncmp(row, "Vmo/Clone/", 10) == 0)
        length = 9;
    else if (strncmp(row, "Channel/", 8) == 0)
        length = 8 + strcspn(row + 8, "/");
    snprintf(family, 64, "%.*s", (int)(length < 63 ? length : 63), row);
    for (char *at = family; *at != '\0'; at++)
        if (*at == '/')
            *at = '-';
}

static bool in_family(const struct session_row *row, const char *family)
{
    char own[64];
    family_of(row->name, own);
    return strcmp(own, family) == 0;
}

/*
 * One column's bars; gnuplot wants one a row, so a missing one is not a number. Returns how many
 * there are. NULL for `plot`: only count.
 */
static size_t print_bars(FILE *plot, const struct html *html, const struct html_column *column,
                         const char *family)
{
    size_t bars = 0, there = 0;
    for (size_t i = 0; i < html->session->row_count && bars < MOST_BARS; i++) {
        const struct session_row *row = &html->session->rows[i];
        if (!in_family(row, family))
            continue;
        double value = html_value(html, column, row->name);
        if (plot != NULL && value > 0)
            fprintf(plot, "\"%s\" %g\n", row->name, value);
        else if (plot != NULL)
            fprintf(plot, "\"%s\" NaN\n", row->name);
        there += value > 0;
        bars++;
    }
    return there;
}

/* The columns in `columns` that have bars in the family are moved to the front. */
static size_t columns_of_family(const struct html *html, struct html_column columns[HTML_COLUMNS],
                                const char *family)
{
    size_t count = html_columns(html, columns), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_time(&columns[i]) && print_bars(NULL, html, &columns[i], family) != 0)
            columns[kept++] = columns[i];
    return kept;
}

static void plot_family(const struct html *html, FILE *page, const char *family)
{
    struct html_column columns[HTML_COLUMNS];
    size_t count = columns_of_family(html, columns, family);
    char file[96];
    snprintf(file, sizeof(file), "rows-%s.svg", family);
    FILE *plot = count != 0 ? open_plot(html, file) : NULL;
    if (plot == NULL)
        return;
    fprintf(plot,
            "set title '%s'\nset ylabel 'ns'\nset logscale y\nset grid y\n"
            "set style data histogram\nset style fill solid\nset xtics rotate by -40 noenhanced "
            "font ',9'\nset key outside top horizontal\nset rmargin 12\nplot ",
            family);
    for (size_t i = 0; i < count; i++)
        fprintf(plot, "%s'-' using 2:xtic(1) title '%s'", i != 0 ? ", " : "", columns[i].title);
    fputc('\n', plot);
    for (size_t i = 0; i < count; i++) {
        print_bars(plot, html, &columns[i], family);
        fputs("e\n", plot);
    }
    pclose(plot);
    show(page, file, family);
}

static void plot_families(const struct html *html, FILE *page)
{
    const struct session *session = html->session;
    fputs("<h2>Rows in comparison</h2>\n", page);
    for (size_t i = 0; i < session->row_count; i++) {
        char family[64];
        bool seen = false;
        family_of(session->rows[i].name, family);
        for (size_t k = 0; k < i && !seen; k++)
            seen = in_family(&session->rows[k], family);
        if (!seen)
            plot_family(html, page, family);
    }
}

/* ---- Cost against size ---------------------------------------------------------------------- */

/* Where Zircon's benchmark has the same cost under another name, that is `published`. */
static const struct growth {
    const char *title, *row, *published;
} growths[] = {
    {"clone", "Vmo/Clone/%dkbytes.clone", NULL},
    {"close", "Vmo/Clone/%dkbytes.close", NULL},
    {"read", "Vmo/Read/%dkbytes", NULL},
    {"write", "Vmo/Write/%dkbytes", NULL},
    {"map", "Vmar/MapRangeUnmap/%dkbytes.map", "Vmo/CloneMap/%dkbytes.map"},
    {"unmap", "Vmar/MapRangeUnmap/%dkbytes.unmap", "Vmo/CloneMap/%dkbytes.unmap"},
};

static const int sizes[SIZES] = {4, 16, 64, 128, 512, 1024, 2048, 4096}; /* KiB */

/* The points of one curve; returns how many. NULL for `plot`: only count. */
static size_t print_curve(FILE *plot, const struct html *html, const struct html_column *column,
                          const struct growth *growth)
{
    bool published = column->figure == FIGURE_ZIRCON || column->figure == FIGURE_ZCORE;
    bool other = column->subject == SESSION_SUBJECTS && published && growth->published != NULL;
    size_t count = 0;
    for (size_t i = 0; i < SIZES; i++) {
        char row[96];
        /* The format is one of the table above. */
        snprintf(row, sizeof(row), "%.*s%d%s",
                 (int)strcspn(other ? growth->published : growth->row, "%"),
                 other ? growth->published : growth->row, sizes[i],
                 strstr(other ? growth->published : growth->row, "%d") + 2);
        double value = html_value(html, column, row);
        if (value <= 0)
            continue;
        if (plot != NULL)
            fprintf(plot, "%d %g\n", sizes[i], value);
        count++;
    }
    return count;
}

/* The columns of that unit that have a curve are moved to the front. */
static size_t columns_of_growth(const struct html *html, struct html_column columns[HTML_COLUMNS],
                                const struct growth *growth, bool instructions)
{
    size_t count = html_columns(html, columns), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_time(&columns[i]) != instructions &&
            print_curve(NULL, html, &columns[i], growth) >= 2)
            columns[kept++] = columns[i];
    return kept;
}

static void plot_growth(const struct html *html, FILE *page, const struct growth *growth,
                        bool instructions)
{
    struct html_column columns[HTML_COLUMNS];
    size_t count = columns_of_growth(html, columns, growth, instructions);
    char file[96];
    snprintf(file, sizeof(file), "size-%s%s.svg", growth->title, instructions ? "-insn" : "");
    FILE *plot = count != 0 ? open_plot(html, file) : NULL;
    if (plot == NULL)
        return;
    fprintf(plot,
            "set title '%s: cost against size'\nset xlabel 'KiB'\nset ylabel '%s'\n"
            "set logscale xy\nset grid\nset key outside\nset xtics (4, 16, 64, 128, 512, 1024, "
            "2048, 4096)\nplot ",
            growth->title, instructions ? "instructions" : "ns");
    for (size_t i = 0; i < count; i++)
        fprintf(plot, "%s'-' with linespoints lw 2 pt 7 ps 0.5 title '%s'", i != 0 ? ", " : "",
                columns[i].title);
    fputc('\n', plot);
    for (size_t i = 0; i < count; i++) {
        print_curve(plot, html, &columns[i], growth);
        fputs("e\n", plot);
    }
    pclose(plot);
    show(page, file, growth->title);
}

bool html_plots(const struct html *html, FILE *page)
{
    if (system("command -v gnuplot >/dev/null 2>&1") != 0)
        return false;
    fputs("<h2>Cost against size</h2>\n", page);
    for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
        plot_growth(html, page, &growths[i], false);
        plot_growth(html, page, &growths[i], true);
    }
    plot_families(html, page);
    return true;
}
