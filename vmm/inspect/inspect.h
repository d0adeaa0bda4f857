/*
 * inspect.h - look into a stopped machine: the commands of `zvmm inspect`.
 *
 * One entry for everybody who has a target: a snapshot file, a paused VM, the debugger's monitor.
 */
#ifndef ZVMM_INSPECT_INSPECT_H
#define ZVMM_INSPECT_INSPECT_H

#include <stdio.h>

#include "target.h"

struct inspector;

/*
 * An inspector of `target`, which must outlive it. `guest_path` (NULL: target->guest_path) is read
 * for symbols and types; without debugging information in it, or with no file at all, most commands
 * refuse and say so. Another build than the one that runs in the target is refused unless `force`.
 */
int inspector_open(const struct target *target, const char *guest_path, bool force,
                   struct inspector **out, struct zvmm_error *error);
/* Where programs with debugging information are looked for by build id; NULL: next to guest.elf. */
void inspector_set_programs(struct inspector *inspector, const char *folder);
void inspector_close(struct inspector *inspector);

/*
 * Run one command: argv[0] is its name ("ps"), --json and --dot may stand anywhere. Writes to
 * `out`, errors and remarks to stderr. Returns the exit status: 0 or ZVMM_EXIT_HOST. The target
 * must not change meanwhile; what was learned of it is forgotten by inspector_refresh().
 */
int inspect_run(struct inspector *inspector, int argc, char *argv[], FILE *out);
/* The same for somebody else's terminal: remarks go to `out` too, 0 or -1 with a line in `error`.
 */
int inspect_answer(struct inspector *inspector, int argc, char *argv[], FILE *out,
                   struct zvmm_error *error);
void inspector_refresh(struct inspector *inspector);

/* The commands, one line each, for help texts. */
void inspect_print_commands(FILE *out);

/* zvmm inspect, zvmm diff. */
int inspect_command(int argc, char *argv[]);
int diff_command(int argc, char *argv[]);

#endif
