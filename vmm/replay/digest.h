/*
 * digest.h - one number for the state of a stopped machine: XXH3 with 128 bits over all guest
 * memory and the vCPU. docs/determinism.md says what is in it and what is left out.
 */
#ifndef ZVMM_REPLAY_DIGEST_H
#define ZVMM_REPLAY_DIGEST_H

#include "error.h"

struct zvmm;

struct digest {
    uint8_t bytes[16]; /* big-endian, as it is printed */
};

enum { DIGEST_TEXT = 33 };

/*
 * The digest of `vm`, whose vCPU is in a hypercall or has not run yet. A pending hypercall is
 * completed towards KVM; the guest does not run.
 */
int digest_take(struct zvmm *vm, struct digest *digest, struct zvmm_error *error);

/* Hexadecimal, with a NUL. */
void digest_text(const struct digest *digest, char text[DIGEST_TEXT]);

#endif
