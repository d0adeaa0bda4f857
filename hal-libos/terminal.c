/* terminal.c - see terminal.h. Global state: signal handlers need it, and there is one terminal. */
#include "terminal.h"

#include <signal.h>
#include <termios.h>

static struct termios saved, raw;
static int terminal_fd = -1;
static volatile sig_atomic_t is_raw;

bool terminal_raw(int fd)
{
    if (tcgetattr(fd, &saved) != 0)
        return false;
    raw = saved;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal_fd = fd;
    terminal_resume();
    return true;
}

bool terminal_restore(void)
{
    bool was_raw = is_raw;

    is_raw = 0;
    if (was_raw)
        tcsetattr(terminal_fd, TCSANOW, &saved);
    return was_raw;
}

void terminal_resume(void)
{
    is_raw = 1;
    tcsetattr(terminal_fd, TCSANOW, &raw);
}
