/* control.c - the control socket of a running machine: its thread, one request after another. */
#include "control/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm.h"

char *control_file(const struct control_request *request, const char *name)
{
    char *path = NULL;
    if (name[0] == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", request->folder, name) < 0 ? NULL : path;
}

/* ---- One request ------------------------------------------------------------------------------
 */

/* What pause_do() carries to the vCPU's thread. */
struct paused_call {
    const struct control_verb *verb;
    struct control_request *request;
    struct zvmm_error *error;
    int result;
};

static void run_paused(struct zvmm *vm, void *argument)
{
    struct paused_call *call = argument;
    call->result = call->verb->run(vm, call->request, call->error);
}

static int call_verb(struct zvmm *vm, const struct control_verb *verb,
                     struct control_request *request, struct zvmm_error *error)
{
    struct paused_call call = {.verb = verb, .request = request, .error = error};
    struct pause_job job = {.run = run_paused, .argument = &call};
    if (!verb->paused)
        return verb->run(vm, request, error);
    if (!pause_do(vm, &job))
        return error_set(error, "the machine has ended");
    return call.result;
}

static int dispatch(struct zvmm *vm, struct control_request *request, struct zvmm_error *error)
{
    const char *name = request->argc > 0 ? request->argv[0] : "";
    for (const struct control_verb *verb = control_verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return call_verb(vm, verb, request, error);
    return error_set(error, "'%.80s' is no control command; zvmm ctl --help lists them", name);
}

/* The whole request: until the client ends its side, or sends more than there can be. */
static size_t receive(int fd, char *buffer, size_t room)
{
    size_t used = 0;
    ssize_t got;
    while (used < room &&
           ((got = read(fd, buffer + used, room - used)) > 0 || (got < 0 && errno == EINTR)))
        used += got > 0 ? (size_t)got : 0;
    return used;
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length != 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return;
        data += sent;
        length -= (size_t)sent;
    }
}

/* Folder and words, each ended by a 0 byte; -1 if that is not what came. */
static int split(char *buffer, size_t length, struct control_request *request, char *words[])
{
    if (length == 0 || buffer[length - 1] != '\0')
        return -1;
    request->folder = buffer;
    request->argv = words;
    for (char *at = buffer + strlen(buffer) + 1; at < buffer + length; at += strlen(at) + 1) {
        if (request->argc == CONTROL_WORDS_MAX)
            return -1;
        words[request->argc++] = at;
    }
    words[request->argc] = NULL;
    return 0;
}

static void answer(struct zvmm *vm, int fd, char *buffer)
{
    char *words[CONTROL_WORDS_MAX + 1], *text = NULL;
    size_t length = 0;
    struct zvmm_error error;
    struct control_request request = {.out = open_memstream(&text, &length)};
    if (request.out == NULL)
        return;
    int result = split(buffer, receive(fd, buffer, CONTROL_REQUEST_MAX), &request, words);
    if (result != 0)
        error_set(&error, "the request is too long or not one of zvmm ctl");
    else
        result = dispatch(vm, &request, &error);
    fclose(request.out);
    send_all(fd, result == 0 ? "\0" : (char[]){ZVMM_EXIT_HOST}, 1);
    if (text != NULL && length != 0)
        send_all(fd, text, length);
    if (result != 0)
        send_all(fd, error.text, strlen(error.text));
    free(text);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void *control_thread(void *argument)
{
    struct zvmm *vm = argument;
    struct pollfd fds[] = {{.fd = vm->control.listen_fd, .events = POLLIN},
                           {.fd = vm->control.wake_fd, .events = POLLIN}};
    const struct timeval patience = {.tv_sec = 2}; /* with a client that does not speak */
    char *buffer = malloc(CONTROL_REQUEST_MAX);
    while (buffer != NULL) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            break;
        int fd = fds[0].revents != 0 ? accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        answer(vm, fd, buffer);
        close(fd);
    }
    free(buffer);
    return NULL;
}

static int refuse(const char *path, const char *what, struct zvmm_error *error)
{
    return error_set(error,
                     "--ctl %s: cannot %s: %s; name a socket in a folder that you may write "
                     "to",
                     path, what, strerror(errno));
}

/* A socket that nobody listens at is left over from a zvmm that was killed. */
static int remove_stale(const struct sockaddr_un *address, struct zvmm_error *error)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale = S_ISSOCK(status.st_mode) && fd >= 0 &&
                 connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                 errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    if (!stale)
        return error_set(error, "--ctl %s: is there already and in use; name another one",
                         address->sun_path);
    unlink(address->sun_path);
    return 0;
}

static int open_socket(struct control *control, const char *path, struct zvmm_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(error, "--ctl %.80s: is longer than %zu bytes; name a shorter path", path,
                         sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, path);
    if (remove_stale(&address, error) != 0)
        return -1;
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listen_fd < 0)
        return refuse(path, "make a socket", error);
    /* Whoever can write to the socket can write files as this user. */
    mode_t mask = umask(077);
    int result = bind(control->listen_fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (result != 0)
        return refuse(path, "create it", error);
    control->path = path;
    return listen(control->listen_fd, 8) != 0 ? refuse(path, "listen", error) : 0;
}

static int start_thread(struct zvmm *vm, struct zvmm_error *error)
{
    sigset_t all, before;
    vm->control.wake_fd = eventfd(0, EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&vm->control.thread, NULL, control_thread, vm);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        return 0;
    return error_set(error, "--ctl %s: no thread for it: %s", vm->control.path, strerror(result));
}

static void close_socket(struct control *control)
{
    if (control->path != NULL)
        unlink(control->path);
    if (control->wake_fd >= 0)
        close(control->wake_fd);
    if (control->listen_fd >= 0)
        close(control->listen_fd);
    *control = (struct control){.listen_fd = -1, .wake_fd = -1};
}

int control_begin(struct zvmm *vm, struct zvmm_error *error)
{
    vm->control = (struct control){.listen_fd = -1, .wake_fd = -1};
    if (vm->config.control_path == NULL)
        return 0;
    if (open_socket(&vm->control, vm->config.control_path, error) == 0 &&
        start_thread(vm, error) == 0)
        return 0;
    close_socket(&vm->control);
    return -1;
}

void control_end(struct zvmm *vm)
{
    uint64_t one = 1;
    if (vm->control.listen_fd < 0)
        return;
    if (write(vm->control.wake_fd, &one, sizeof(one)) == sizeof(one))
        pthread_join(vm->control.thread, NULL);
    close_socket(&vm->control);
}
