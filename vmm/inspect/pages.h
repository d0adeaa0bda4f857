/* pages.h - the pages of VMOs and the memory of processes, also where no page table says so yet. */
#ifndef ZVMM_INSPECT_PAGES_H
#define ZVMM_INSPECT_PAGES_H

#include "inspect/kernel.h"

/* The frame that `vmo` shows at page `index`; false: none, it reads as zero. */
bool vmo_frame(struct inspector *inspector, const struct value *vmo, uint64_t index, gpa_t *frame);
/* Calls `visit` for each frame in the VMO's own page tree, in order, until it returns false. */
void vmo_visit(struct inspector *inspector, const struct value *vmo,
               bool (*visit)(void *arg, uint64_t index, gpa_t frame), void *arg);
/* Frames in its tree; shared ones included. */
uint64_t vmo_count(struct inspector *inspector, const struct value *vmo);
/* Bytes copied; absent pages read as zero. */
uint64_t vmo_read(struct inspector *inspector, const struct value *vmo, uint64_t offset,
                  void *buffer, uint64_t length);

/* A mapping of a process, with what the VMARs say of it. */
struct mapped {
    struct value mapping;
    uint64_t base, size, offset; /* offset: into `pages`, the VMO whose pages these are */
    const struct object *vmo, *pages;
};

/* Calls `visit` for each mapping below a VMAR, by address. */
void mappings_visit(struct inspector *inspector, const struct value *vmar,
                    void (*visit)(void *arg, const struct mapped *mapped, unsigned depth),
                    void *arg);
/* The address of a process's page table; 0 if it has none. */
uint64_t process_cr3(struct inspector *inspector, const struct object *process);
/* Memory of a process: by its page table, else by what its mappings would show. */
uint64_t process_read(struct inspector *inspector, const struct object *process, uint64_t address,
                      void *buffer, uint64_t length);

/*
 * What each frame of RAM is for, for `zvmm diff`: text such as "vmo 1040 'bootfs' page 12",
 * "kernel heap", "page table of process 1034 'sh'".
 */
struct frames;
struct frames *frames_map(struct inspector *inspector); /* NULL: no memory */
void frames_free(struct frames *frames);
/* The owner's class ("vmo", "kernel heap", ...) and, if one owns it, the object and its page. */
const char *frames_owner(const struct frames *frames, uint64_t frame, const struct object **object,
                         uint64_t *index);

#endif
