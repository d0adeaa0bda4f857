/* cgroup.c - the memory limit of a control group. */
#include "bench/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_text.h"

enum { PATH_ROOM = 4096 };

/* Where a version keeps its groups, and the file that has the limit. */
struct hierarchy {
    const char *mount, *file;
};
static const struct hierarchy version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"};
static const struct hierarchy version_2 = {"/sys/fs/cgroup", "memory.max"};

/* "max" is none, and so is what version 1 says of a group without limit: nearly 2^63. */
static uint64_t limit_in(const char *path)
{
    char text[PROC_TEXT_ROOM], *end;
    if (!proc_text_read(path, text))
        return UINT64_MAX;
    uint64_t limit = strtoull(text, &end, 10);
    return end == text ? UINT64_MAX : limit;
}

/*
 * The least limit from `group` up to the hierarchy's root. Groups that are not there are passed
 * over: in a container the name may be one of outside, and the root the container's own group.
 */
static uint64_t least_limit(const char *root, const struct hierarchy *hierarchy, char *group)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        char path[PATH_ROOM];
        int length = snprintf(path, sizeof(path), "%s%s%s/%s", root, hierarchy->mount, group,
                              hierarchy->file);
        uint64_t limit = length < (int)sizeof(path) ? limit_in(path) : UINT64_MAX;
        if (limit < least)
            least = limit;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* "memory" among the words of a list with commas. */
static bool has_memory(const char *controllers)
{
    char list[256];
    snprintf(list, sizeof(list), ",%s,", controllers);
    return strstr(list, ",memory,") != NULL;
}

/* The version of a line "ID:CONTROLLERS:GROUP" of /proc/self/cgroup; NULL: not about memory. */
static const struct hierarchy *hierarchy_of(const char *id, const char *controllers)
{
    if (strcmp(id, "0") == 0 && *controllers == '\0')
        return &version_2;
    return has_memory(controllers) ? &version_1 : NULL;
}

uint64_t cgroup_memory_limit(const char *root)
{
    char path[PATH_ROOM], text[PROC_TEXT_ROOM], *rest = text, *line;
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (!proc_text_read(path, text))
        return least;
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *group = line, *id = strsep(&group, ":"), *controllers = strsep(&group, ":");
        const struct hierarchy *hierarchy = group != NULL ? hierarchy_of(id, controllers) : NULL;
        uint64_t limit = hierarchy != NULL ? least_limit(root, hierarchy, group) : UINT64_MAX;
        if (limit < least)
            least = limit;
    }
    return least;
}
