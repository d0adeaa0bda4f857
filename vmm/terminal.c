/*
 * terminal.c - the user's terminal: raw while the guest reads it, restored on every way out.
 *
 * The state is global because signal handlers need it: a process has one controlling terminal.
 */
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved, raw;
static int terminal_fd = -1;
static volatile sig_atomic_t is_raw;

/* Signals that end the process by default and that nobody else here handles. */
static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU};

void terminal_restore(void)
{
    if (is_raw) {
        is_raw = 0;
        tcsetattr(terminal_fd, TCSANOW, &saved);
    }
}

/* SA_RESETHAND has put the default action back: restore, then die of the same signal. */
static void on_deadly(int number)
{
    terminal_restore();
    raise(number);
}

/* Restore, stop as if there were no handler, and go on raw when continued. */
static void on_stop(int number)
{
    bool was_raw = is_raw;
    struct sigaction ours, plain = {.sa_handler = SIG_DFL};
    sigset_t only, before;
    terminal_restore();
    sigaction(number, &plain, &ours);
    sigemptyset(&only);
    sigaddset(&only, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &only, &before); /* stops here */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(number, &ours, NULL);
    if (was_raw) {
        tcsetattr(terminal_fd, TCSANOW, &raw);
        is_raw = 1;
    }
}

bool terminal_raw(int fd)
{
    if (is_raw || tcgetattr(fd, &saved) != 0)
        return false;
    raw = saved;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;

    struct sigaction action = {.sa_handler = on_deadly, .sa_flags = SA_RESETHAND};
    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        sigaction(deadly[i], &action, NULL);
    action = (struct sigaction){.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigaction(SIGTSTP, &action, NULL);
    atexit(terminal_restore);

    terminal_fd = fd;
    is_raw = 1;
    tcsetattr(fd, TCSANOW, &raw);
    return true;
}
