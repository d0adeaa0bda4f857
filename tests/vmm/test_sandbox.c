/* test_sandbox.c - what a sandboxed process can still do, and what ends it. Each case is a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox.h"
#include "vm.h"

enum { GOOD = 0, BAD = 1, REFUSED = 77 };

/* The exit status of `body` in a sandboxed child; its standard error goes to `text`. */
static int in_sandbox(int (*body)(void), char *text, size_t room)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        static struct zvmm vm = {.config.guest_path = "/proc/self/exe"};
        struct zvmm_error error;
        dup2(ends[1], STDERR_FILENO);
        _exit(sandbox_enter(&vm, &error) != 0 ? REFUSED : body());
    }
    close(ends[1]);
    ssize_t got = read(ends[0], text, room - 1);
    text[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(int (*body)(void), int status, const char *shown)
{
    char text[512];
    int got = in_sandbox(body, text, sizeof(text));
    if (got == REFUSED)
        skip(); /* a kernel without seccomp filters */
    assert_int_equal(got, status);
    assert_non_null(strstr(text, shown));
}

static int works(void)
{
    void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return write(STDERR_FILENO, "here", 4) == 4 && memory != MAP_FAILED &&
                   munmap(memory, 1 << 20) == 0
               ? GOOD
               : BAD;
}

static int opens(void)
{
    return open("/dev/null", O_RDONLY) < 0 && errno == EACCES ? GOOD : BAD;
}

static int forks(void)
{
    return fork() < 0 && errno == EPERM ? GOOD : BAD;
}

static int connects(void)
{
    socket(AF_UNIX, SOCK_STREAM, 0);
    return BAD;
}

static int maps_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return BAD;
}

static int executes(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return BAD;
}

static void test_kept(void **state)
{
    (void)state;
    expect(works, GOOD, "here");
}

static void test_denied(void **state)
{
    (void)state;
    expect(opens, GOOD, "");
    expect(forks, GOOD, "");
}

static void test_fatal(void **state)
{
    (void)state;
    expect(connects, ZVMM_EXIT_HOST, "zvmm: system call 41 is not on the list");
    expect(maps_code, ZVMM_EXIT_HOST, "system call 9 ");
    expect(executes, ZVMM_EXIT_HOST, "system call 59 ");
}

/* Options that need more are refused before anything is given up. */
static void test_conflicts(void **state)
{
    struct zvmm vm = {.config.gdb = "1234"};
    struct zvmm_error error;
    (void)state;
    assert_int_equal(sandbox_enter(&vm, &error), -1);
    assert_non_null(strstr(error.text, "does not go with --gdb"));
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_conflicts),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
