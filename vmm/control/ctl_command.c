/* ctl_command.c - zvmm ctl: ask something of a running machine. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "control/control.h"

static int usage(FILE *to)
{
    fputs("usage: zvmm ctl SOCK COMMAND [ARGUMENTS]\n"
          "Ask a machine that was started with --ctl SOCK:\n",
          to);
    for (const struct control_verb *verb = control_verbs; verb->name != NULL; verb++)
        fprintf(to, "  %s %s\n", verb->name, verb->arguments);
    return to == stdout ? 0 : ZVMM_EXIT_HOST;
}

static int open_connection(const char *path, struct zvmm_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(error, "%.80s: is too long for a socket's name", path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    return error_set(error, "%s: no machine answers there: %s; start one with --ctl %s", path,
                     strerror(reason), path);
}

/* A word and its 0 byte. */
static int send_word(int fd, const char *word, struct zvmm_error *error)
{
    size_t length = strlen(word) + 1;
    if (send(fd, word, length, MSG_NOSIGNAL) == (ssize_t)length)
        return 0;
    return error_set(error, "the machine has closed the connection: %s", strerror(errno));
}

static int print_answer(int fd)
{
    char buffer[4096];
    unsigned char status;
    ssize_t got = read(fd, &status, 1);
    if (got != 1) {
        fputs("zvmm: the machine has gone without an answer\n", stderr);
        return ZVMM_EXIT_HOST;
    }
    FILE *to = status == 0 ? stdout : stderr;
    if (status != 0)
        fputs("zvmm: ", stderr);
    while ((got = read(fd, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            fwrite(buffer, 1, (size_t)got, to);
    if (status != 0)
        fputc('\n', stderr);
    return fflush(to) != 0 ? ZVMM_EXIT_HOST : status;
}

int ctl_command(int argc, char *argv[])
{
    struct zvmm_error error;
    char folder[PATH_MAX];
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc < 3)
        return usage(stderr);
    int fd = open_connection(argv[1], &error);
    if (fd < 0 || send_word(fd, getcwd(folder, sizeof(folder)) != NULL ? folder : "/", &error) != 0)
        error_fatal(&error);
    for (int i = 2; i < argc; i++)
        if (send_word(fd, argv[i], &error) != 0)
            error_fatal(&error);
    shutdown(fd, SHUT_WR);
    int status = print_answer(fd);
    close(fd);
    return status;
}
