/*
 * control.h - the control socket (--ctl SOCK) of a running machine and its client, zvmm ctl.
 *
 * One request a connection: the client's working folder and the words of the command, each ended
 * by a 0 byte, then the end of the stream. The answer is one byte, the client's exit status, and
 * text: output, or with a status other than 0 the line that says what is wrong.
 */
#ifndef ZVMM_CONTROL_H
#define ZVMM_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "error.h"

struct zvmm;

enum { CONTROL_REQUEST_MAX = 64 << 10, CONTROL_WORDS_MAX = 64 };

struct control {
    pthread_t thread;
    int listen_fd, wake_fd; /* -1: there is no socket */
    const char *path;
};

/* A request as a verb sees it. argv[0] is the verb's name. */
struct control_request {
    const char *folder; /* of the client: relative file names start there */
    int argc;
    char **argv;
    FILE *out;
};

/*
 * What can be asked for. `run` is called in the control thread, or, if `paused`, in the vCPU's
 * thread while the machine stands still (target_from_vm() works there).
 */
struct control_verb {
    const char *name;
    const char *arguments; /* for the usage text */
    bool paused;
    int (*run)(struct zvmm *vm, struct control_request *request, struct zvmm_error *error);
};

/* Ends with a row whose name is NULL. */
extern const struct control_verb control_verbs[];

/* Listen at config.control_path, if there is one. The run must be about to begin. */
int control_begin(struct zvmm *vm, struct zvmm_error *error);

/* Answer no more, remove the socket; after pause_close(). */
void control_end(struct zvmm *vm);

/* `name` as the server must open it, to be freed. NULL: out of memory. */
char *control_file(const struct control_request *request, const char *name);

#endif
