/*
 * user-traps.h - make RDTSC of guest user code fault where it runs in the host's own user mode (a
 * software-ring-0 KVM), which the guest's CR4.TSD does not reach. On hardware KVM CR4.TSD does it,
 * and this is without effect on the guest.
 */
#ifndef ZVMM_REPLAY_USER_TRAPS_H
#define ZVMM_REPLAY_USER_TRAPS_H

#include "kvm.h"

/* KVM_RUN with RDTSC switched off in this thread. Result and errno are ioctl()'s. */
int user_traps_run(const struct kvm *kvm);

#endif
