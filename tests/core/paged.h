/*
 * A pager-backed VMO and the test as its pager.
 */
#ifndef CORE_PAGED_H
#define CORE_PAGED_H

#include "memory.h"
#include "memory_task.h"

#define PAGED_KEY 0x1234u

/* What the page begins with that paged_supply supplies. */
#define PAGED_WORD(page) (UINT64_C(1000) + (page))

struct paged {
    zx_handle_t pager, port, vmo;
    uint64_t pages;
    zx_vaddr_t at; /* a mapping of all of it, readable and writable */
};

struct paged paged_new(uint64_t pages);
struct paged paged_new_resizable(uint64_t pages);
/* Closes what is not closed yet (handles that are 0 have been) and unmaps. */
void paged_close(struct paged *p);

zx_status_t paged_supply(const struct paged *p, uint64_t first, uint64_t pages);
zx_status_t paged_fail(const struct paged *p, uint64_t first, uint64_t pages, zx_status_t error);

/* Waits for the next packet; whether it is this one. */
bool paged_request(const struct paged *p, uint64_t first, uint64_t pages);
bool paged_complete(const struct paged *p);
/* Whether no packet is there. */
bool paged_is_quiet(const struct paged *p);

/* A reader of a page, of the VMO by a system call or of its mapping. */
struct task paged_reader(const struct paged *p, uint64_t page, bool mapped);
struct task paged_committer(const struct paged *p, uint64_t first, uint64_t pages);
/* Whether it ended well, having read what was supplied. */
bool paged_has_read(struct task *task);
/* Whether it failed, with `status` or, if it read the mapping, with a fault. */
bool paged_has_failed(struct task *task, zx_status_t status);

/* Tests `function`(bool mapped) both ways. */
#define TEST_BOTH(name_, function_)                                                                \
    TEST(Pager, name_##ByCall)                                                                     \
    {                                                                                              \
        function_(false);                                                                          \
    }                                                                                              \
    TEST(Pager, name_##InMapping)                                                                  \
    {                                                                                              \
        function_(true);                                                                           \
    }

#endif
