/* figures.c - figures from elsewhere. */
#include "bench/figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

static int add(struct figures *figures, const char *row, enum figure_kind kind, double value)
{
    struct figure *list = array_grow(figures->list, figures->count, &figures->room, sizeof(*list));
    if (list == NULL)
        return -1;
    figures->list = list;
    char *copy = strdup(row);
    if (copy == NULL)
        return -1;
    figures->list[figures->count++] = (struct figure){copy, kind, value};
    return 0;
}

typedef int (*line_reader_t)(struct figures *figures, const char *line, enum figure_kind kind);

static int read_lines(struct figures *figures, const char *path, line_reader_t reader,
                      enum figure_kind kind, struct zvmm_error *error)
{
    char *line = NULL;
    size_t room = 0;
    int result = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, "bench: %s: %s", path, strerror(errno));
    while (result == 0 && getline(&line, &room, file) >= 0)
        result = reader(figures, line, kind);
    free(line);
    fclose(file);
    return result == 0 ? 0 : error_set(error, "bench: %s: out of memory", path);
}

static int read_published(struct figures *figures, const char *line, enum figure_kind kind)
{
    char row[128];
    double zircon, zcore;
    (void)kind;
    if (line[0] == '#' || sscanf(line, "%127[^,],%lf,%lf", row, &zircon, &zcore) != 3)
        return 0;
    if (add(figures, row, FIGURE_ZIRCON, zircon) != 0)
        return -1;
    return add(figures, row, FIGURE_ZCORE, zcore);
}

/* The median of "row NAME ticks SAMPLES MIN MEDIAN ...". */
static int read_count(struct figures *figures, const char *line, enum figure_kind kind)
{
    char row[128];
    double median;
    if (sscanf(line, "row %127s ticks %*u %*f %lf", row, &median) != 2)
        return 0;
    return add(figures, row, kind, median);
}

int figures_read_published(struct figures *figures, const char *path, struct zvmm_error *error)
{
    return read_lines(figures, path, read_published, FIGURE_ZIRCON, error);
}

int figures_read_counts(struct figures *figures, const char *path, enum figure_kind kind,
                        struct zvmm_error *error)
{
    return read_lines(figures, path, read_count, kind, error);
}

double figures_find(const struct figures *figures, enum figure_kind kind, const char *row)
{
    for (size_t i = 0; i < figures->count; i++)
        if (figures->list[i].kind == kind && strcmp(figures->list[i].row, row) == 0)
            return figures->list[i].value;
    return -1;
}

void figures_clear(struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        free(figures->list[i].row);
    free(figures->list);
    *figures = (struct figures){0};
}
