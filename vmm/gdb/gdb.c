/* gdb.c - the debugger's hooks in the run loop. */
#include "gdb/gdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gdb/session.h"
#include "signals.h"
#include "terminal.h"
#include "vm.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_TRAP = 5, SIGNAL_ABORT = 6, LOOK_EVERY = 256 };

#define XCR0_AVX 4u

static bool has_avx(const struct zvmm *vm)
{
    struct kvm_xcrs xcrs;
    return ioctl(vm->kvm.vcpu_fd, KVM_GET_XCRS, &xcrs) == 0 && xcrs.nr_xcrs != 0 &&
           (xcrs.xcrs[0].value & XCR0_AVX) != 0;
}

int gdb_open(struct zvmm *vm, const char *where, struct zvmm_error *error)
{
    struct gdb *gdb = calloc(1, sizeof(*gdb));
    if (gdb == NULL)
        return error_set(error, "out of memory");
    gdb->vm = gdb->cpu.vm = vm;
    if (link_open(&gdb->link, where, error) != 0) {
        free(gdb);
        return -1;
    }
    link_attach(&gdb->link);
    /* The first KVM_RUN takes the entry state: until then the vCPU's registers are not the guest's.
     */
    vm->kvm.run->immediate_exit = 1;
    ioctl(vm->kvm.vcpu_fd, KVM_RUN, 0);
    vm->kvm.run->immediate_exit = 0;
    gdb->avx = has_avx(vm);
    gdb->stopped = true;
    snprintf(gdb->reason, sizeof(gdb->reason), "T%02xthread:1;", SIGNAL_TRAP);
    fprintf(stderr, "zvmm: waiting for gdb: gdb %s -ex 'target remote %s'\n", vm->config.guest_path,
            gdb->link.where);
    vm->gdb = gdb;
    return 0;
}

/* While nobody is connected to a machine that has not started: wait for the first gdb. */
static void wait_for_first(struct gdb *gdb)
{
    while (gdb->link.fd < 0 && signals_stop() == 0 && !atomic_load(&gdb->vm->quit))
        if (!link_accept(&gdb->link))
            link_wait(&gdb->link);
    if (gdb->link.fd < 0)
        gdb->stopped = false;
}

/* The machine runs: has gdb sent Ctrl-C, has it gone, has a new one come? */
static void look(struct gdb *gdb)
{
    if (!link_pending(&gdb->link))
        return;
    if (gdb->link.fd < 0) {
        if (link_accept(&gdb->link)) {
            control_stop(gdb, SIGNAL_TRAP, "");
            gdb->announce = false; /* it will ask */
        }
        return;
    }
    switch (link_receive(&gdb->link, false)) {
    case LINK_INTERRUPT:
        control_stop(gdb, SIGNAL_INTERRUPT, "");
        break;
    case LINK_CLOSED:
        control_clear(gdb);
        points_remove_all(&gdb->points);
        gdb->goal = GOAL_RUN;
        break;
    default:
        break;
    }
}

static bool time_to_look(struct gdb *gdb)
{
    bool stepping = gdb->motion == MOTION_NATIVE || gdb->motion == MOTION_FLAG;
    if (stepping && ++gdb->since_look < LOOK_EVERY)
        return false;
    gdb->since_look = 0;
    return true;
}

void gdb_attend(struct zvmm *vm)
{
    struct gdb *gdb = vm->gdb;
    if (gdb == NULL)
        return;
    if (gdb->stopped && gdb->link.fd < 0)
        wait_for_first(gdb);
    control_other_exit(gdb);
    do {
        if (!gdb->stopped && time_to_look(gdb))
            look(gdb);
        if (gdb->stopped) {
            cpu_complete_io(&gdb->cpu);
            serve(gdb);
        }
    } while (!vm->ended && signals_stop() == 0 && !control_prepare(gdb));
    if (vm->ended || signals_stop() != 0)
        cpu_release(&gdb->cpu);
}

bool gdb_take_exit(struct zvmm *vm)
{
    return vm->gdb != NULL && control_take_exit(vm->gdb);
}

bool gdb_wanted(struct zvmm *vm)
{
    return vm->gdb != NULL && link_pending(&vm->gdb->link);
}

void gdb_hide(struct zvmm *vm)
{
    if (vm->gdb != NULL)
        points_withdraw(&vm->gdb->points, vm);
}

/* A guest that failed can be looked at as it is; there is nothing to go on with. */
static void show_failure(struct gdb *gdb)
{
    cpu_complete_io(&gdb->cpu);
    control_stop(gdb, SIGNAL_ABORT, "");
    serve(gdb);
}

static void tell_end(struct gdb *gdb)
{
    char text[16];
    const struct zvmm_result *result = &gdb->vm->result;
    if (result->end == ZVMM_END_EXIT)
        snprintf(text, sizeof(text), "W%02x", (unsigned)zvmm_exit_status(result) & 0xff);
    else
        snprintf(text, sizeof(text), "X%02x",
                 result->end == ZVMM_END_SIGNAL ? (unsigned)result->code & 0x7f : SIGNAL_ABORT);
    link_send_text(&gdb->link, text);
}

void gdb_close(struct zvmm *vm)
{
    struct gdb *gdb = vm->gdb;
    if (gdb == NULL)
        return;
    points_withdraw(&gdb->points, vm); /* snapshots and digests are still to come */
    if (gdb->link.fd >= 0 && vm->ended && vm->result.end == ZVMM_END_GUEST)
        show_failure(gdb);
    if (gdb->link.fd >= 0 && vm->ended)
        tell_end(gdb);
    link_close(&gdb->link);
    vm->gdb = NULL;
    free(gdb);
}
