/* user.h - forgetting translations that user.c remembers. */
#ifndef HAL_PARAVIRT_USER_H
#define HAL_PARAVIRT_USER_H

#include <hal.h>

/*
 * A small translation cache, the software's counterpart of the TLB: copies of one system call meet
 * the same few pages, and a walk is most of what a short copy costs.
 */
#define USER_LINES   16u
#define USER_NO_PAGE 1u /* no page's address, not even that of page 0 */

struct user_line {
    const struct hal_page_table *table;
    uint64_t read_page, write_page; /* page address if mapped, if writable; else USER_NO_PAGE */
    uint64_t distance;              /* from a user address of the page to the kernel's, wrapping */
};

extern struct user_line user_lines[USER_LINES];

static inline struct user_line *user_line(uint64_t address)
{
    return &user_lines[address / HAL_PAGE_SIZE % USER_LINES];
}

/* The entry that maps `address` in some table changes or goes. */
static inline void user_forget(uint64_t address)
{
    struct user_line *line = user_line(address);

    line->read_page = line->write_page = USER_NO_PAGE;
}

void user_forget_all(void);

#endif
