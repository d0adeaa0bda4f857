/* user-traps.c - make RDTSC of guest user code fault. */
#include "user-traps.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* Between the two calls this thread must not read the TSC either, so not even the time. */
int user_traps_run(const struct kvm *kvm)
{
    prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
    int result = ioctl(kvm->vcpu_fd, KVM_RUN, 0);
    int reason = errno;
    prctl(PR_SET_TSC, PR_TSC_ENABLE);
    errno = reason;
    return result;
}
