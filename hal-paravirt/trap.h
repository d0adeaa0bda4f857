/* trap.h - descriptor tables and system-call entry of the boot CPU; gate.S has the paths. */
#ifndef HAL_PARAVIRT_TRAP_H
#define HAL_PARAVIRT_TRAP_H

#include <hal.h>

/* From here on GS points at cpu_boot, and a fault of the kernel ends in a report. */
void trap_init(void);

/* Called by gate.S. Fills *trap for a trap from user mode other than a system call. */
void trap_report(struct hal_trap *trap, uint64_t vector, uint64_t error_code);

/* Halts until there is an interrupt, which is taken; interrupts are off before and after. */
void trap_halt(void);

#endif
