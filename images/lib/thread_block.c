/*
 * The block at the thread pointer, and the TLS data below it.
 */
#include "thread.h"
#include "musl.h"
#include "relocate.h"

#include <string.h>
#include <zircon/syscalls.h>

/* As the linker computes it: the data ends at the thread pointer, keeping its alignment. */
size_t thread_tls_size(size_t *alignment)
{
    const Elf64_Phdr *tls = own_segment(PT_TLS);

    *alignment = tls && tls->p_align > 64 ? tls->p_align : 64;
    if (!tls)
        return 0;
    size_t align = tls->p_align ? tls->p_align : 1;
    return tls->p_memsz + (-(tls->p_memsz + tls->p_vaddr) & (align - 1));
}

void thread_block_init(struct thread *block, int tid)
{
    const Elf64_Phdr *tls = own_segment(PT_TLS);
    size_t alignment;

    block->self = block;
    block->tid = tid;
    block->locale = __libc.global_locale;
    /* Unpredictable enough: addresses are random, and so is the moment. */
    block->canary = ((uintptr_t)block ^ (uint64_t)zx_ticks_get()) * 0x9e3779b97f4a7c15u;
    if (tls)
        memcpy((char *)block - thread_tls_size(&alignment),
               (const void *)(own_bias() + tls->p_vaddr), tls->p_filesz);
}
