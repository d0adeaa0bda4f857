/* cache.c - the user's folder for what zvmm keeps from one run to the next. */
#include "cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cache_path(char path[CACHE_PATH_ROOM], const char *name)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length;
    if (cache != NULL && cache[0] == '/')
        length = snprintf(path, CACHE_PATH_ROOM, "%s/zvmm/%s", cache, name);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, CACHE_PATH_ROOM, "%s/.cache/zvmm/%s", home, name);
    else
        return -1;
    return length < CACHE_PATH_ROOM ? 0 : -1;
}

static int make_one(const char *path, struct zvmm_error *error)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_set(error, "cannot make the cache folder %s: %s; set XDG_CACHE_HOME", path,
                     strerror(errno));
}

/* Somebody else who can write there could put in a machine of his own. */
static int check_owner(const char *path, const struct stat *status, struct zvmm_error *error)
{
    if (!S_ISDIR(status->st_mode))
        return error_set(error, "%s: is no folder; set XDG_CACHE_HOME", path);
    if (status->st_uid != geteuid() || (status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(error,
                         "%s: belongs to another user or can be written by others; set "
                         "XDG_CACHE_HOME, or chown and chmod go-w it",
                         path);
    return 0;
}

int cache_make_folder(const char *path, struct zvmm_error *error)
{
    char folder[CACHE_PATH_ROOM];
    struct stat status;
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    if (stat(folder, &status) == 0)
        return check_owner(folder, &status, error);
    char *own = strrchr(folder, '/');
    *own = '\0';
    if (make_one(folder, error) != 0)
        return -1;
    *own = '/';
    if (make_one(folder, error) != 0)
        return -1;
    return stat(folder, &status) == 0
               ? check_owner(folder, &status, error)
               : error_set(error, "%s: %s; set XDG_CACHE_HOME", folder, strerror(errno));
}
