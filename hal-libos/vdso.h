/*
 * vdso.h - how user code enters the kernel: the vDSO's system-call instructions are replaced.
 *
 * Each `mov $number,%eax; syscall` of the list in the vDSO's note becomes the one seven-byte
 * instruction `jmp *slot`, where slot is an absolute address in STUB_TABLE. The slot leads to a stub
 * that knows the number and the return address's offset in the image; switch_syscall adds where the
 * running process has the image. Nothing is pushed: a thread may make its last call on a stack that
 * is not its own any more.
 *
 * A `syscall` instruction anywhere else, also in a vDSO without the note, raises SIGSYS in user
 * mode (syscall user dispatch, Linux 5.11) and becomes the same trap, only slower.
 */
#ifndef HAL_LIBOS_VDSO_H
#define HAL_LIBOS_VDSO_H

#include <hal.h>

/* Patches the module in physical memory and writes the stubs. Ends the process if it cannot. */
void vdso_patch(const struct hal_module *module);

/* Switches the dispatch of other system calls on, for the calling thread. */
void vdso_catch_syscalls(void);

/* Executable pages are being mapped at `address`, the first of them frame `first`: remembers where
 * a process has the vDSO's code. */
void vdso_mapped(struct hal_page_table *table, uint64_t address, hal_paddr_t first);

#endif
