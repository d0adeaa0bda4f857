/*
 * finding.h - the behaviour probe's finding, kept from one run to the next.
 *
 * The probe takes a fifth of zvmm's start where ring 0 is emulated, and finds the same each time
 * until the host is started again. What is kept is only believed for the host, the start, the
 * kernel, the KVM device and the zvmm that it was found with.
 */
#ifndef ZVMM_FINDING_H
#define ZVMM_FINDING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The quirks (ZV_QUIRK_*) found earlier with the KVM that is open as `kvm_fd`; false if there is
 * nothing that can be believed.
 */
bool finding_read(int kvm_fd, uint32_t *quirks);

/* Keep a finding. Not being able to is no reason not to run, and nobody is told. */
void finding_keep(int kvm_fd, uint32_t quirks);

#endif
