/* host.h - whether a snapshot's machine can go on here. */
#ifndef ZVMM_SNAPSHOT_HOST_H
#define ZVMM_SNAPSHOT_HOST_H

#include "snapshot/file.h"
#include "snapshot/state.h"

enum { HOST_ID_ROOM = 64 };

/* What tells this host, since it was started, from every other; "" if it does not say. */
const char *host_id(char text[HOST_ID_ROOM]);

/*
 * Check the machine's needs against what this host's KVM does: processor features, quirks, the
 * TSC's frequency. On the host that the snapshot was taken on that is known and costs nothing.
 */
int host_check(const struct snapshot_file *file, const struct zsnap_machine *machine,
               const struct vcpu_state *state, const struct kvm *kvm, struct zvmm_error *error);

#endif
