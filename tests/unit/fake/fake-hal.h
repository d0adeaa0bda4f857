/*
 * fake-hal.h - the machine of the unit tests: shared/hal.h in a process, and handles to move it.
 *
 * Physical memory is one array; frames that are not allocated and frames handed out with content
 * "undefined" are filled with a pattern. The fake checks the contract and aborts with a message
 * when it is broken: freeing a frame twice, freeing a frame that is still mapped, mapping one that
 * is free, reading or writing one that is free, writing the zero frame.
 */
#ifndef ZVMM_TESTS_FAKE_HAL_H
#define ZVMM_TESTS_FAKE_HAL_H

#include <hal.h>

/* A machine of `frames` frames (0: 16384) with nothing in it; may be called again and again. Time
 * is 1 s, entropy restarts from `seed`. Kernel memory of the last machine stays as it is. */
void fake_reset(size_t frames, uint64_t seed);

/* Frames allocated now, the zero frame and boot modules not counted; kernel pages likewise. */
size_t fake_frames_in_use(void);
size_t fake_kernel_pages_in_use(void);
size_t fake_page_tables(void);
/* Pages mapped in a table. */
size_t fake_mapped_pages(struct hal_page_table *table);

/* Failure injection: the n-th allocation of a frame (page table operation that may fail) from now
 * on fails, once; 0: none. */
void fake_fail_frame(uint64_t n);
void fake_fail_map(uint64_t n);

/* Makes `length` bytes a boot module: frames holding a copy of `bytes` (the rest of the last page
 * is zero) which hal_frame_free takes. */
struct hal_module fake_module(const void *bytes, size_t length);

/* Time: set, or moved. hal_idle moves it to the armed deadline. */
void fake_set_now(zx_time_t now);
void fake_advance(zx_duration_t by);
zx_time_t fake_armed_deadline(void);

/* Console output so far (NUL-terminated), and input to come; end: no more will follow. */
const char *fake_console(void);
void fake_console_clear(void);
void fake_console_input(const char *text, bool end);
void fake_raise(uint32_t events);

/* What user code does when hal_context_run runs it: set a script. Without one the trap is
 * HAL_TRAP_INTERRUPT. */
extern void (*fake_run)(struct hal_context *context, struct hal_trap *trap);
extern struct hal_page_table *fake_active_table;

/* hal_panic and hal_exit: recorded and, if `fake_catch` is set, longjmp'ed to with value 1 (panic)
 * or 2 (exit); else they abort the test. Usage: if (setjmp(*(fake_catch = &env)) == 0) ... */
#include <setjmp.h>
extern jmp_buf *fake_catch;
extern char fake_panic_message[256];
extern int64_t fake_exit_code;

extern struct hal_boot fake_boot;

#endif
