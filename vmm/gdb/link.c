/* link.c - gdb's connection: listening, framing and acknowledging packets. */
#include "gdb/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "signals.h"

enum { PORT = 1234, CTRL_C = 3 };

/* ---- Listening ------------------------------------------------------------------------------ */

static int listen_failed(struct link *link, const char *where, struct zvmm_error *error)
{
    int reason = errno;
    if (link->listener >= 0)
        close(link->listener);
    link->listener = -1;
    return error_set(error, "--gdb: cannot listen at %.120s: %s; use --gdb=PORT or --gdb=unix:PATH",
                     where, strerror(reason));
}

static int open_unix(struct link *link, const char *path, struct zvmm_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
        return error_set(error, "--gdb: a socket's path has 1 to %zu bytes; use a shorter one",
                         sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, path);
    link->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->listener < 0 ||
        bind(link->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(link->listener, 1) != 0)
        return listen_failed(link, path, error);
    strcpy(link->unlink_path, path);
    snprintf(link->where, sizeof(link->where), "%s", path);
    return 0;
}

/* Only this host can connect: whoever can, reads and writes everything in the machine. */
static int open_tcp(struct link *link, const char *text, struct zvmm_error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    char *end;
    unsigned long port = text[0] == '\0' ? PORT : strtoul(text, &end, 10);
    if (text[0] != '\0' && (strchr("0123456789", text[0]) == NULL || *end != '\0' || port > 65535))
        return error_set(error,
                         "--gdb: '%.80s' is not a place to listen at; use a port (0: any free "
                         "one) or unix:PATH",
                         text);
    address.sin_port = htons((uint16_t)port);
    link->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->listener >= 0)
        setsockopt(link->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (link->listener < 0 || bind(link->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(link->listener, 1) != 0 ||
        getsockname(link->listener, (struct sockaddr *)&address, &length) != 0)
        return listen_failed(link, text[0] == '\0' ? "port 1234" : text, error);
    snprintf(link->where, sizeof(link->where), "localhost:%u", ntohs(address.sin_port));
    return 0;
}

int link_open(struct link *link, const char *where, struct zvmm_error *error)
{
    memset(link, 0, sizeof(*link));
    link->listener = link->fd = -1;
    if (strncmp(where, "unix:", 5) == 0)
        return open_unix(link, where + 5, error);
    return open_tcp(link, where, error);
}

static void notify_this_thread(int fd)
{
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
    fcntl(fd, F_SETOWN_EX, &owner);
    fcntl(fd, F_SETSIG, KICK_SIGNAL);
    fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
}

void link_attach(struct link *link)
{
    notify_this_thread(link->listener);
}

static struct pollfd watched(const struct link *link)
{
    return (struct pollfd){.fd = link->fd >= 0 ? link->fd : link->listener, .events = POLLIN};
}

bool link_pending(const struct link *link)
{
    struct pollfd wanted = watched(link);
    return link->input_length != 0 || poll(&wanted, 1, 0) > 0;
}

bool link_accept(struct link *link)
{
    int fd = link->fd < 0 ? accept4(link->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (fd < 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    notify_this_thread(fd);
    link->fd = fd;
    link->acknowledge = true;
    link->input_length = 0;
    return true;
}

bool link_wait(const struct link *link)
{
    sigset_t before;
    struct pollfd wanted = watched(link);
    int ready = 0;
    signals_block(&before);
    if (signals_stop() == 0)
        ready = ppoll(&wanted, 1, NULL, &before);
    signals_unblock(&before);
    return ready > 0;
}

void link_drop(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->input_length = 0;
}

void link_close(struct link *link)
{
    link_drop(link);
    if (link->listener >= 0)
        close(link->listener);
    link->listener = -1;
    if (link->unlink_path[0] != '\0')
        unlink(link->unlink_path);
}

/* ---- Sending -------------------------------------------------------------------------------- */

static void send_all(struct link *link, const uint8_t *data, size_t length)
{
    while (length != 0 && link->fd >= 0) {
        ssize_t sent = send(link->fd, data, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            data += sent;
            length -= (size_t)sent;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = link->fd, .events = POLLOUT}, 1, -1);
            if (signals_stop() != 0)
                return;
        } else if (errno != EINTR) {
            return; /* receiving will find the connection closed */
        }
    }
}

void link_send(struct link *link, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    uint8_t frame[2 * LINK_PACKET_MAX + 4], sum = 0;
    size_t used = 0;
    frame[used++] = '$';
    for (size_t i = 0; i < length && used < 2 * LINK_PACKET_MAX; i++) {
        uint8_t byte = from[i];
        if (byte == '$' || byte == '#' || byte == '}' || byte == '*') {
            frame[used++] = '}';
            byte ^= 0x20;
        }
        frame[used++] = byte;
    }
    for (size_t i = 1; i < used; i++)
        sum = (uint8_t)(sum + frame[i]);
    frame[used++] = '#';
    frame[used++] = (uint8_t)digits[sum >> 4];
    frame[used++] = (uint8_t)digits[sum & 15];
    send_all(link, frame, used);
}

void link_send_text(struct link *link, const char *text)
{
    link_send(link, text, strlen(text));
}

/* ---- Receiving ------------------------------------------------------------------------------ */

/* Whether bytes have come; *closed if none ever will. */
static bool fill(struct link *link, bool *closed)
{
    size_t room = sizeof(link->input) - link->input_length;
    ssize_t got = recv(link->fd, link->input + link->input_length, room, 0);
    if (got > 0)
        link->input_length += (size_t)got;
    *closed = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    return got > 0;
}

static void consume(struct link *link, size_t count)
{
    link->input_length -= count;
    memmove(link->input, link->input + count, link->input_length);
}

static void unescape(struct link *link, const uint8_t *from, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '}' && i + 1 < length)
            link->packet[used++] = (char)(from[++i] ^ 0x20);
        else
            link->packet[used++] = (char)from[i];
    }
    link->packet[used] = '\0';
    link->packet_length = used;
}

/* Whether the two digits at `at` are the sum of [from, from + length). */
static bool sum_is_right(const uint8_t *from, size_t length, const uint8_t *at)
{
    char digits[3] = {(char)at[0], (char)at[1], '\0'};
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + from[i]);
    return strtoul(digits, NULL, 16) == sum;
}

/* Take an event out of what has been received; LINK_NOTHING if it is not all there. */
static enum link_event parse(struct link *link)
{
    while (link->input_length != 0 && link->input[0] != '$') {
        bool interrupt = link->input[0] == CTRL_C;
        consume(link, 1); /* otherwise an acknowledgement, or noise */
        if (interrupt)
            return LINK_INTERRUPT;
    }
    const uint8_t *start = link->input + 1;
    const uint8_t *end =
        link->input_length != 0 ? memchr(link->input, '#', link->input_length) : NULL;
    if (end == NULL || (size_t)(end - link->input) + 3 > link->input_length) {
        if (link->input_length == sizeof(link->input))
            link->input_length = 0; /* longer than what we said we take */
        return LINK_NOTHING;
    }
    size_t length = (size_t)(end - start);
    bool right = length <= LINK_PACKET_MAX && sum_is_right(start, length, end + 1);
    if (right)
        unescape(link, start, length);
    consume(link, length + 4);
    if (link->acknowledge)
        send_all(link, (const uint8_t *)(right ? "+" : "-"), 1);
    return right ? LINK_PACKET : LINK_NOTHING;
}

enum link_event link_receive(struct link *link, bool wait)
{
    bool closed = false;
    for (;;) {
        enum link_event event = parse(link);
        if (event != LINK_NOTHING)
            return event;
        if (fill(link, &closed))
            continue;
        if (closed) {
            link_drop(link);
            return LINK_CLOSED;
        }
        if (!wait || signals_stop() != 0)
            return LINK_NOTHING;
        if (!link_wait(link))
            return LINK_NOTHING;
    }
}
