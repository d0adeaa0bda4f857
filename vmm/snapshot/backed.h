/* backed.h - guest pages that are there because of a file. */
#ifndef ZVMM_SNAPSHOT_BACKED_H
#define ZVMM_SNAPSHOT_BACKED_H

#include "snapshot/file.h"
#include "snapshot/pages.h"

struct zvmm;

/* Add the pages that a snapshot holds, it and its parents. NULL is none. */
void page_set_add_runs(struct page_set *set, const struct snapshot_file *file);

/* Pages of mapped files are part of a machine's memory even if nobody has touched them. */
void page_set_add_backed(struct page_set *set, const struct zvmm *vm);

#endif
