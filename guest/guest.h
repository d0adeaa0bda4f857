/*
 * guest.h - the parts of the kernel program: start-up (main.c), the boot images (image.c), the
 * first process (userboot.c) and the loop that runs threads (loop.c).
 */
#ifndef ZVMM_GUEST_GUEST_H
#define ZVMM_GUEST_GUEST_H

#include <hal.h>

#include "dispatch.h"
#include "executor.h"

struct vmo;

/* Kernel options found on the command line (docs/kernel-options.md). */
struct options {
    bool verbose; /* kernel.verbose: log lines go to the console, too */
    bool markers; /* kernel.markers: tell the VMM about the first user instruction */
};

/* ---- image.c -------------------------------------------------------------------------------- */

#define IMAGE_SEGMENTS 2 /* userboot and vDSO: read-only, then code */

/* An ELF image of the boot protocol, checked: segments in order, page aligned, file = memory. */
struct image {
    struct vmo *vmo; /* referenced; its size is `size` */
    uint64_t size;   /* bytes in memory, multiple of the page size */
    uint64_t entry;  /* offset */
    uint32_t num_segments;
    struct {
        uint64_t start, end; /* offsets, page aligned */
        bool executable;
    } segment[IMAGE_SEGMENTS];
};

/* Makes a VMO of a boot module and reads its headers; panics, naming the module and the reason, if
 * it is not what the protocol asks for: the machine cannot start then. */
void image_load(const struct hal_module *module, const char *name, struct image *out);

/* Reads the vDSO's notes (or assumes the reference image), stores the machine's constants in it and
 * tells the dispatcher where system calls may come from. */
void image_prepare_vdso(struct image *vdso, const struct hal_boot *boot);

/* ---- userboot.c ----------------------------------------------------------------------------- */

/* Starts the first process as abi/boot.md says. Panics if memory is out. */
void userboot_start(const struct hal_boot *boot);

/* ---- loop.c --------------------------------------------------------------------------------- */

/* Runs threads until nothing can run any more, then ends the machine. */
_Noreturn void kernel_loop(const struct options *options);

#endif
