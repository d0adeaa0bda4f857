/* context.h - the registers of user threads that stay in the processor while the kernel runs. */
#ifndef HAL_LIBOS_CONTEXT_H
#define HAL_LIBOS_CONTEXT_H

#include <hal.h>

/* Finds out what the processor saves and how bases are read; remembers libc's thread pointer. */
void context_init(void);

/*
 * A page fault of the context that the kernel was told of. When it runs again, the page is put in
 * place first, so that user code does not fault a second time.
 */
void context_expect_page(struct hal_context *context, uint64_t address, uint32_t access);

/* Segment bases in the processor now; any instruction set. */
uint64_t context_fs_base(void);
void context_set_fs_base(uint64_t base);
uint64_t context_gs_base(void);

#endif
