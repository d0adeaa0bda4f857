/* link.h - gdb's connection: listening, framing and acknowledging packets. */
#ifndef ZVMM_GDB_LINK_H
#define ZVMM_GDB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "error.h"

enum { LINK_PACKET_MAX = 0x4000 }; /* bytes of a packet's data, either way */

enum link_event {
    LINK_PACKET,    /* a packet is in link->packet */
    LINK_INTERRUPT, /* Ctrl-C */
    LINK_CLOSED,    /* gdb has gone */
    LINK_NOTHING,   /* a signal ended the wait */
};

struct link {
    int listener;
    int fd;                                                        /* -1: no gdb */
    bool acknowledge;                                              /* until QStartNoAckMode */
    char where[sizeof(((struct sockaddr_un *)0)->sun_path) + 16];  /* as `target remote` wants it */
    char unlink_path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" for TCP */
    uint8_t input[LINK_PACKET_MAX + 16];                           /* received, not yet used */
    size_t input_length;
    char packet[LINK_PACKET_MAX + 1]; /* the last packet's data, NUL-terminated, unescaped */
    size_t packet_length;
};

int link_open(struct link *link, const char *where, struct zvmm_error *error);

/* From now on bytes for this link send the kick signal to the calling thread. */
void link_attach(struct link *link);

/* Whether there is something to receive or somebody to accept. */
bool link_pending(const struct link *link);

/* Accept a waiting gdb, if there is none yet. True if one has come. */
bool link_accept(struct link *link);

/*
 * The next event; waits for one if `wait`. Signals that the vCPU's thread takes end the wait.
 */
enum link_event link_receive(struct link *link, bool wait);

/* Sleep until there is something to receive or somebody to accept; false if a signal came. */
bool link_wait(const struct link *link);

/* Send one packet; the data is escaped where the protocol wants it. */
void link_send(struct link *link, const void *data, size_t length);
void link_send_text(struct link *link, const char *text);

void link_drop(struct link *link);
void link_close(struct link *link);

#endif
