/*
 * Threads that do one thing with memory, which may block or crash.
 */
#ifndef CORE_MEMORY_TASK_H
#define CORE_MEMORY_TASK_H

#include "raw_thread.h"

struct task {
    /* What to do; the rest is its business. */
    zx_status_t (*run)(struct task *task);
    zx_handle_t vmo;
    uint64_t first, pages;
    zx_vaddr_t at;
    uint64_t word;

    zx_status_t status; /* what it returned */
    struct raw_thread thread;
    zx_handle_t exceptions;
};

/* Things to do. They begin at page `first`. */
zx_status_t reads_vmo(struct task *task);    /* a word, into `word` */
zx_status_t writes_vmo(struct task *task);   /* `word` */
zx_status_t commits(struct task *task);      /* `pages` */
zx_status_t reads_memory(struct task *task); /* a word of what is mapped at `at` */
zx_status_t writes_memory(struct task *task);
zx_status_t calls_memory(struct task *task); /* jumps to what is mapped at `at` */

void task_start(struct task *task);
/* Waits until it waits for a page; false: it does not. */
bool task_blocks(struct task *task);
/* Waits for its end; what it returned. */
zx_status_t task_end(struct task *task);
/* Waits for its crash and ends it; the exception's type. */
uint32_t task_crash(struct task *task);

#endif
