/* vm.h - struct zvmm, the machine, as the files of the library see it. */
#ifndef ZVMM_VM_H
#define ZVMM_VM_H

#include <stdatomic.h>
#include <sys/types.h>

#include "bootinfo.h"
#include "clock.h"
#include "console.h"
#include "control/control.h"
#include "kvm.h"
#include "pause.h"
#include "snapshot/plan.h"
#include "snapshot/track.h"
#include "timer.h"

struct gdb;
struct mark;
struct snapshot_file;

struct zvmm {
    struct zvmm_config config; /* strings are the caller's */
    struct kvm kvm;
    struct memory memory;
    struct layout layout;
    struct loader_image image;
    struct modules modules;
    struct boot_block boot;
    struct clock clock;
    struct determinism *determinism; /* NULL: an ordinary run */
    struct symbolizer *symbols;      /* of the guest, opened ahead, or NULL: sandbox.h */
    bool sandboxed;                  /* no file can be written */
    bool native_tsc;               /* see snapshot/time.h; set before it is used */
    uint32_t quirks, features;     /* ZV_QUIRK_*, ZV_FEATURE_* */
    struct zv_shared_page *shared; /* in guest memory: hostile */
    struct snapshot_file *origin;  /* what it was restored from, or NULL; owned */

    pid_t thread;        /* runs the vCPU; set by zvmm_run() */
    atomic_uint pending; /* INTERRUPT_*, to be injected (without irqchip) */
    atomic_bool quit;    /* the user typed Ctrl-A x */
    struct console console;
    struct timer timer;
    struct pauses pauses;
    struct plan plan, stop; /* config.snapshot_at, config.stop_at */
    uint64_t limit_ns; /* CLOCK_MONOTONIC when config.stop_after_ns is over, or 0 */
    struct track track;
    struct mark *mark; /* of zvmm_mark(), or NULL; owned */
    struct control control;

    struct gdb *gdb; /* NULL without --gdb */

    bool ended; /* a hypercall or an exit has ended the run: result is set ... */
    struct zvmm_result result;
    bool failed; /* ... or the host failed: error is set */
    struct zvmm_error error;
    struct zvmm_stats stats;
};

/* A machine without memory and vCPU, for zvmm_create() and zvmm_restore(). NULL: see error. */
struct zvmm *vm_new(const struct zvmm_config *config, struct zvmm_error *error);

/* Bind the calling thread to config.pin_cpu, if one is given. */
int vm_pin(const struct zvmm *vm, struct zvmm_error *error);

/* Finish what the last exit left half done, so that registers can be set; not during a run. */
int vm_finish_exit(struct zvmm *vm, struct zvmm_error *error);

/* The same, so that the vCPU can be saved. */
int vm_settle(struct zvmm *vm, struct zvmm_error *error);

/* End the run after the current exit. */
void vm_end(struct zvmm *vm, enum zvmm_end end, int64_t code);

/* Print a remark on stderr if --verbose was given. */
void vm_remark(const struct zvmm *vm, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
