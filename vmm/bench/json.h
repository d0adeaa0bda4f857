/*
 * json.h - results as JSON, and reading them back.
 *
 * The fuchsiaperf form is an array of objects {label, test_suite, unit, values}, where values are
 * the samples that were vouched for. It has no place for the machine, so that is a label of its
 * own: an entry of the test suite "zvmm.context" whose label is "machine: ...; zvmm VERSION".
 */
#ifndef ZVMM_BENCH_JSON_H
#define ZVMM_BENCH_JSON_H

#include "bench/host.h"
#include "bench/session.h"

/*
 * Whether `path` can be written, tried with PATH.new. Called before measuring; what stands in
 * `path` stays until json_write_*() has everything to replace it.
 */
int json_prepare(const char *path, struct zvmm_error *error);

int json_write_fuchsiaperf(const char *path, const struct session *session, const struct host *host,
                           struct zvmm_error *error);
int json_write_google(const char *path, const struct session *session, const struct host *host,
                      struct zvmm_error *error);

/*
 * Read the fuchsiaperf form as the samples of a baseline: subjects are matched by name with those
 * of `session`. A file of another machine or version, or that is no such file, is refused.
 */
int json_read_baseline(const char *path, const struct session *session, const struct host *host,
                       struct samples *out, struct zvmm_error *error);

#endif
