/*
 * zvmm.h - the public header of libzvmm.a: make a virtual machine, run it, read the result.
 *
 * One struct zvmm is one machine with one vCPU. Create and run it from the same thread; several
 * machines may live in one process, each in a thread of its own. Lengths are bytes, times are
 * nanoseconds. A function that can fail returns 0 or -1 and on -1 has written one line (what,
 * why, remedy; no newline) to the struct zvmm_error it was given.
 */
#ifndef ZVMM_H
#define ZVMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef ZVMM_VERSION
#define ZVMM_VERSION "unknown" /* the build names the commit */
#endif

/* Exit statuses of zvmm(1) that are not the guest program's own; see docs/zvmm.1. */
#define ZVMM_EXIT_KILLED 128 /* 128..133: Zircon's kill codes -1024..-1029          */
#define ZVMM_EXIT_OTHER  255 /* any other code outside 0..255                       */
#define ZVMM_EXIT_HOST   125 /* zvmm or the host failed                             */
#define ZVMM_EXIT_GUEST  126 /* guest kernel panic, triple fault, KVM internal error */

struct zvmm_error {
    char text[512];
};

/* Told of what happens to a machine while it runs, by the thread that runs it; NULL: not wanted. */
struct zvmm_observer {
    void (*left)(void *context); /* the guest has been left: KVM_RUN has returned */
    void (*marker)(void *context, uint32_t id, uint64_t value); /* ZV_CALL_MARKER */
    void *context;
};

/* When user code that never enters the kernel is preempted in a deterministic run. */
enum zvmm_preempt {
    ZVMM_PREEMPT_AUTO, /* by a performance counter if this host has one, else by time           */
    ZVMM_PREEMPT_TIME, /* after 100 to 200 ms of CPU time: not guaranteed to repeat             */
    ZVMM_PREEMPT_PMU,  /* after a number of instructions, counted by a performance counter      */
    ZVMM_PREEMPT_STEP, /* ... counted by stepping: slow                                         */
};

/*
 * What to build. The caller keeps every string alive until zvmm_destroy(). Start from
 * zvmm_config_defaults(), then set at least guest_path.
 */
struct zvmm_config {
    const char *guest_path;    /* the kernel, an ELF64 file                                  */
    const char *kvm_path;      /* the KVM device node                                        */
    uint64_t memory_bytes;     /* rounded up to 2 MiB; ZV_MEMORY_MIN..ZV_MEMORY_MAX          */
    const char *cmdline;       /* whole kernel command line, at most 4095 bytes              */
    const char *bootfs_dir;    /* NULL, or a directory merged over the boot file system      */
    const char *zbi_path;      /* NULL, or a file instead of the guest's built-in module ... */
    const char *vdso_path;     /* ... */
    const char *userboot_path; /* ... */
    bool has_seed;             /* seed is given; otherwise the host's random numbers         */
    uint8_t seed[32];
    int pin_cpu;     /* host CPU for the vCPU thread, or -1                        */
    bool has_quirks; /* quirks (ZV_QUIRK_*) replace the probe's finding            */
    uint32_t quirks;
    bool force_probe;        /* probe even where nothing new is to be found                */
    bool keep_finding;       /* the probe's finding, in the user's cache folder: finding.h   */
    bool baseline_cpu;       /* offer the baseline processor even if there is more         */
    bool deterministic;      /* virtual time and the baseline machine: docs/determinism.md   */
    const char *input_path;  /* deterministic: console input script, or NULL for none        */
    enum zvmm_preempt preempt; /* deterministic: when user code loses the processor ... */
    uint64_t preempt_period;   /* ... after how many instructions; 0: the default      */
    bool digest;             /* deterministic: print digests on stderr                       */
    const char *log_path;    /* deterministic: record the run in this new file, or NULL    */
    const char *replay_path; /* deterministic: compare with this record, or NULL           */
    uint64_t replay_to;      /* stop after this event of it; 0: at its end                 */
    int argument_count;      /* the command line, for the record: argc and argv            */
    char *const *arguments;
    const char *gdb;             /* NULL, or where to wait for gdb: see gdb_open() in gdb/gdb.h */
    bool verbose;                /* remarks on stderr                                          */
    int in_fd;                   /* console input, -1 for none                                 */
    int out_fd;                  /* console output                                             */
    bool own_process;            /* take SIGINT, SIGTERM, SIGHUP, SIGQUIT and the terminal     */
    bool resettable;             /* zvmm_mark() will be called: KVM must know written pages   */
    bool incremental;            /* snapshots with a parent will be taken: the same           */
    const char *stop_at;         /* NULL, or at which event zvmm_run() returns, as snapshot_at */
    uint64_t stop_after_ns;      /* 0, or how long a run may take: ZVMM_STOP_LATE           */
    const char *control_path;    /* NULL, or where zvmm_run() makes a control socket          */
    const char *snapshot_at;     /* NULL, or at which event zvmm_run() takes a snapshot: see   */
    const char *snapshot_path;   /* zvmm(1), --snapshot-at; where to, NULL for GUEST.zsnap;    */
    const char *snapshot_parent; /* NULL, or the snapshot that it is to be the difference from */
    bool panic_snapshot; /* a guest that fails leaves GUEST.panic.zsnap                    */
    struct zvmm_observer observer;
};

enum zvmm_end {
    ZVMM_END_EXIT,   /* the guest asked to end; code is its value                        */
    ZVMM_END_GUEST,  /* panic, triple fault, internal error; the report is on stderr     */
    ZVMM_END_SIGNAL, /* a signal ended the run; code is its number                       */
    ZVMM_END_QUIT,   /* the user typed Ctrl-A x                                          */
    ZVMM_END_STOP,   /* config.stop_at has happened, and zvmm_run() again goes on; or a
                        replay has come to the event config.replay_to; or as below       */
};

/* Codes of ZVMM_END_STOP that are not the number of a marker. */
enum {
    ZVMM_STOP_LATE = -1,  /* config.stop_after_ns has passed                              */
    ZVMM_STOP_STUCK = -2, /* deterministic, with a mark: every thread waits, for ever     */
};

struct zvmm_result {
    enum zvmm_end end;
    int64_t code;
};

enum { ZVMM_STATS_REASONS = 48, ZVMM_STATS_MARKERS = 8 };

/* Counters of one run. Times count from zvmm_create()'s first instruction. */
struct zvmm_stats {
    uint64_t runs;                      /* KVM_RUN calls for the guest (not the probe's) */
    uint64_t probe_runs;                /* KVM_RUN calls of the behaviour probe          */
    uint64_t exits[ZVMM_STATS_REASONS]; /* by KVM_EXIT_*; [0] also counts interruptions  */
    uint64_t hypercalls;
    uint64_t injected;                      /* interrupts given to the guest by zvmm         */
    uint64_t console_bytes;                 /* written by the guest                          */
    uint64_t created_ns;                    /* CLOCK_MONOTONIC at zvmm_create()              */
    uint64_t first_run_ns;                  /* until the guest's first KVM_RUN               */
    uint64_t end_ns;                        /* until the run ended                           */
    uint64_t first_run_cpu_ns;              /* CPU time of the process at the first KVM_RUN  */
    uint64_t snapshots;                     /* taken                                         */
    uint64_t resets, reset_pages;           /* zvmm_reset() calls, pages they copied         */
    uint64_t snapshot_pause_ns;             /* how long the guest stood still for the last   */
    uint64_t marker_ns[ZVMM_STATS_MARKERS]; /* first ZV_CALL_MARKER with this id; 0 = none   */
};

struct zvmm;

/* Fill `config` with the documented defaults; never fails. */
void zvmm_config_defaults(struct zvmm_config *config);

/*
 * Load the guest, build the machine and bring its vCPU to the entry state of shared/hypercall.h.
 * On success *out is the caller's, to be given to zvmm_destroy().
 */
int zvmm_create(const struct zvmm_config *config, struct zvmm **out, struct zvmm_error *error);

/*
 * Run until the machine ends, or until config.stop_at happens. Again after that, or after
 * zvmm_reset(). -1 is a host failure. Console output has
 * been written and the terminal is as it was before when this returns.
 */
int zvmm_run(struct zvmm *vm, struct zvmm_result *result, struct zvmm_error *error);

/*
 * Make a machine out of the snapshot file `path`: it goes on where that was taken. Of `config`
 * kvm_path, pin_cpu, verbose, in_fd, out_fd and own_process are used, and guest_path: NULL for the
 * kernel's file that the snapshot names. The memory is mapped from the file copy on write, so any
 * number of machines may be restored from it at once; the file must not be changed meanwhile.
 */
int zvmm_restore(const struct zvmm_config *config, const char *path, struct zvmm **out,
                 struct zvmm_error *error);

/*
 * Write the machine to the snapshot file `path`; `parent` is NULL, or the path of a snapshot that
 * the file is to hold only the difference from. Not while zvmm_run() is running: that takes
 * snapshots when config.snapshot says so. Returns when the file is complete.
 */
int zvmm_snapshot(struct zvmm *vm, const char *path, const char *parent, struct zvmm_error *error);

/*
 * The same in two steps: after the first the machine may run again, while the file is being
 * written; the second waits for it, and has to come before zvmm_destroy(). If config.incremental
 * was set, a file whose parent is the snapshot that this machine was restored from or that it took
 * last costs what was written since; zvmm_memory() is then for reading only.
 */
struct take;
int zvmm_snapshot_begin(struct zvmm *vm, const char *path, const char *parent, struct take **out,
                        struct zvmm_error *error);
int zvmm_snapshot_end(struct take *take, struct zvmm_error *error);

/*
 * Remember the machine as it is now, between runs; config.resettable must have been set.
 * zvmm_reset() puts it back: memory, vCPU, timers, clock, and no console input. Only what was
 * written since is copied, so a reset costs microseconds. A later mark replaces the earlier one.
 */
int zvmm_mark(struct zvmm *vm, struct zvmm_error *error);
int zvmm_reset(struct zvmm *vm, struct zvmm_error *error);

/* Write guest-physical memory between runs; a reset takes it back, unlike what is written through
 * zvmm_memory(). */
int zvmm_write(struct zvmm *vm, uint64_t paddr, const void *data, uint64_t length,
               struct zvmm_error *error);

/* Console input for the next run, before what in_fd has; the number of bytes taken, up to 4096. */
uint64_t zvmm_type(struct zvmm *vm, const void *data, uint64_t length);

/* Print the counters as one line of key=value words on stderr (zvmm --stats). */
void zvmm_print_stats(const struct zvmm *vm);

/* Counters so far; the pointer lives as long as `vm`. */
const struct zvmm_stats *zvmm_stats(const struct zvmm *vm);

/*
 * Guest-physical memory [paddr, paddr + length), or NULL if that is not all inside RAM. The
 * pointer lives as long as `vm`; what it points at changes while the guest runs.
 */
void *zvmm_memory(const struct zvmm *vm, uint64_t paddr, uint64_t length);

/* Whether the interrupt controllers are the kernel's: such a VM takes long to take apart. */
bool zvmm_has_irqchip(const struct zvmm *vm);

/* Free everything. NULL is fine. */
void zvmm_destroy(struct zvmm *vm);

/* zvmm(1)'s exit status for a result. */
int zvmm_exit_status(const struct zvmm_result *result);

#endif
