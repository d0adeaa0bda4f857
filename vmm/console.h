/* console.h - the guest's console: output ring and writes, input by a thread of its own. */
#ifndef ZVMM_CONSOLE_H
#define ZVMM_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

struct zvmm;

enum { CONSOLE_INPUT_BYTES = 4096 }; /* a power of two */

struct console {
    int in_fd, out_fd;
    uint32_t out_tail; /* zvmm's own copy: the one in the shared page is only published */

    bool started; /* the input thread exists; vCPU's thread only */
    pthread_t thread;
    int wake_fd; /* an eventfd that ends the thread */

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t room;
    uint8_t in[CONSOLE_INPUT_BYTES];
    uint32_t in_head, in_tail; /* free-running */
    bool in_ended;
    bool announced; /* the guest has been told of what is there */
    bool closing;
    bool quiet; /* `in` holds words of zvmm's: taking them is no wish for the user's input */
};

void console_init(struct console *console, int in_fd, int out_fd);

/* Write out what the guest has put into the ring; at every exit. False: the host failed. */
bool console_drain(struct zvmm *vm);

/* Write bytes to the console, all of them. False: the host failed, vm->error says why. */
bool console_write(struct zvmm *vm, const void *data, uint64_t length);

/* Take input: bytes copied, 0 = none yet, ZV_EEOF. Starts the input thread when first called. */
int64_t console_read(struct zvmm *vm, uint8_t *to, uint64_t length);

/* Give the guest a text of zvmm's to read, at most CONSOLE_INPUT_BYTES, before any input. */
int console_type(struct console *console, const char *text, size_t length);

/* At each exit: start the thread if the guest wants input, and announce input that came before it
 * was wanted. */
void console_poll(struct zvmm *vm);

/* End the thread and restore the terminal. */
void console_close(struct console *console);

#endif
