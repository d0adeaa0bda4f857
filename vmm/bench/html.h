/*
 * html.h - the report as a folder of HTML and SVG: a table of all rows with what they are compared
 * with, plots of each family of rows, and plots of cost against size.
 */
#ifndef ZVMM_BENCH_HTML_H
#define ZVMM_BENCH_HTML_H

#include <stdio.h>

#include "bench/figures.h"
#include "bench/host.h"
#include "bench/session.h"

/* What the report is made of; all is the caller's. */
struct html {
    const char *folder;
    const struct session *session;
    const struct host *host;
    const struct figures *figures;
    const char *snapshots; /* file with the lines of tests/bench/snapshot, or NULL */
};

/* One column: a subject that was measured, or a figure. */
struct html_column {
    const char *title;
    size_t subject; /* index, or SESSION_SUBJECTS: not a subject */
    int figure;     /* enum figure_kind; -1: memcpy of the row's size */
};

enum { HTML_COLUMNS = SESSION_SUBJECTS + FIGURE_KINDS + 1 };

/* The columns that have something; returns how many. */
size_t html_columns(const struct html *html, struct html_column columns[HTML_COLUMNS]);

/* The value of a column for a row, or a negative number if there is none. */
double html_value(const struct html *html, const struct html_column *column, const char *row);

/* Make the folder, if it is not there, and see that it can be written. */
int html_prepare(const char *folder, struct zvmm_error *error);

/* Write index.html and the plots. Without gnuplot there are none, and the report says so. */
int html_write(const struct html *html, struct zvmm_error *error);

/* plots.c: write the SVG files and, to `page`, where they are shown. False without gnuplot. */
bool html_plots(const struct html *html, FILE *page);

/* html_snapshots.c: the table of what snapshots cost, if there is such a file. */
int html_snapshots(const struct html *html, FILE *page, struct zvmm_error *error);

/* Print `length` bytes of text, or up to its end, so that they are no markup. */
void html_text(FILE *page, const char *text, size_t length);

#endif
