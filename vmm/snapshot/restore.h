/* restore.h - a machine out of a snapshot file that is open already. */
#ifndef ZVMM_SNAPSHOT_RESTORE_H
#define ZVMM_SNAPSHOT_RESTORE_H

#include "snapshot/file.h"
#include "zvmm.h"

/* As zvmm_restore(). Consumes `file` in every case. */
int restore_file(const struct zvmm_config *config, struct snapshot_file *file, struct zvmm **out,
                 struct zvmm_error *error);

#endif
