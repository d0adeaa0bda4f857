/*
 * Making a process: create it, load a program and the vDSO into it, give it a stack, send it the
 * start-up message, start it. Used by userboot for the first program and by zx_launch for all
 * others.
 */
#ifndef ZX_LIB_NEW_PROCESS_H
#define ZX_LIB_NEW_PROCESS_H

#include "elf_load.h"
#include "procargs.h"

struct new_process {
    zx_handle_t process;
    zx_handle_t root_vmar;
    zx_handle_t thread;
    zx_handle_t channel;       /* our end of the bootstrap channel */
    zx_handle_t child_channel; /* the end the process will get */
    zx_vaddr_t entry;
    zx_vaddr_t vdso_base;
    zx_vaddr_t stack_pointer;
    zx_handle_t spent[8]; /* no longer needed; closed at the end, all in one call */
    size_t spent_count;
};

/* name becomes that of the process and of its first thread. */
zx_status_t new_process_create(struct new_process *p, zx_handle_t job, const char *name);

/*
 * Loads what shall run first, the program or its dynamic linker, and maps a stack. If loaded_vmar
 * is not NULL it gets the region that holds the image.
 */
zx_status_t new_process_load(struct new_process *p, const struct elf_file *file,
                             const struct elf_headers *headers, zx_handle_t *loaded_vmar);

zx_status_t new_process_load_vdso(struct new_process *p, zx_handle_t vdso_vmo);

/* Handles for the process about itself, to be sent with a message. */
zx_status_t new_process_self_handles(const struct new_process *p, zx_handle_t *process,
                                     zx_handle_t *thread);

/* Sends a message; its handles are gone afterwards, whatever the result. */
zx_status_t new_process_send(const struct new_process *p, const struct procargs *message,
                             const zx_handle_t *handles, size_t handle_count);

/* Lets it run. The program and the vDSO are loaded, and what it shall know has been sent. */
zx_status_t new_process_start(struct new_process *p);

/* Closes every handle that is left but the one of the process itself. */
void new_process_close(struct new_process *p);

#endif
