/* cache.h - the user's folder for what zvmm keeps from one run to the next. */
#ifndef ZVMM_CACHE_H
#define ZVMM_CACHE_H

#include "error.h"

enum { CACHE_PATH_ROOM = 4096 };

/*
 * The path of `name` in $XDG_CACHE_HOME/zvmm, or in ~/.cache/zvmm. Nothing is looked at or made.
 * -1 without a message if the environment names no folder, or a path that is too long.
 */
int cache_path(char path[CACHE_PATH_ROOM], const char *name);

/*
 * Make the folder that `path` is in, and the one above it, if they are missing; then it must
 * belong to the user, and nobody else may write to it.
 */
int cache_make_folder(const char *path, struct zvmm_error *error);

#endif
