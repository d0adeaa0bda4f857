/*
 * gdb-client.c - plays gdb to a zvmm that waits at a Unix socket, and prints TAP.
 *
 *   gdb-client SOCKET HAL-START HAL-CONTEXT-RUN
 *
 * The numbers are the addresses (hexadecimal) of two functions of guest.elf: the first is reached
 * before the kernel has its trap handlers, the second each time it is about to enter user mode. It
 * is for where gdb itself does not run, the nested rig; tests/cli/gdb.t runs it here, too, so that
 * both kinds of KVM do the same.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { RBX = 1, RDI = 5, RSP = 7, RIP = 16, EFLAGS = 17, CS = 18, STEPS_MAX = 2000 };

static int fd, cases, failures;
static char answer[1 << 16];

static void check(bool good, const char *what)
{
    printf("%sok %d - %s%s%.60s\n", good ? "" : "not ", ++cases, what,
           good ? "" : "; answer: ", good ? "" : answer);
    fflush(stdout);
    failures += !good;
}

static void give_up(const char *why)
{
    printf("Bail out! %s (last answer: %.60s)\n", why, answer);
    exit(1);
}

static uint8_t get(void)
{
    uint8_t byte;
    if (read(fd, &byte, 1) != 1)
        give_up("zvmm has closed the connection");
    return byte;
}

static void put(const char *data, size_t length)
{
    if (write(fd, data, length) != (ssize_t)length)
        give_up("cannot send to zvmm");
}

/* The next packet's data, in `answer`. */
static void receive(void)
{
    size_t length = 0;
    while (get() != '$')
        ;
    for (uint8_t byte = get(); byte != '#'; byte = get())
        if (length < sizeof(answer) - 1)
            answer[length++] = (char)byte;
    answer[length] = '\0';
    get();
    get();
    send(fd, "+", 1, MSG_NOSIGNAL); /* zvmm may have gone already, after its last answer */
}

static void send_packet(const char *data)
{
    char frame[512];
    unsigned sum = 0;
    for (const char *at = data; *at != '\0'; at++)
        sum += (uint8_t)*at;
    put(frame, (size_t)snprintf(frame, sizeof(frame), "$%s#%02x", data, sum & 0xff));
}

static const char *ask(const char *data)
{
    send_packet(data);
    receive();
    return answer;
}

static bool answers(const char *data, const char *start)
{
    return strncmp(ask(data), start, strlen(start)) == 0;
}

/* A little-endian number out of hexadecimal digits. */
static uint64_t number(const char *digits, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        value = value << 8 | strtoul(pair, NULL, 16);
    }
    return value;
}

static uint64_t read_register(unsigned which)
{
    char packet[16];
    snprintf(packet, sizeof(packet), "p%x", which);
    const char *digits = ask(packet);
    return number(digits, (unsigned)strlen(digits) / 2);
}

static uint64_t read_word(uint64_t address)
{
    char packet[64];
    snprintf(packet, sizeof(packet), "m%llx,8", (unsigned long long)address);
    return number(ask(packet), 8);
}

static bool point(const char *operation, uint64_t address, unsigned length)
{
    char packet[64];
    snprintf(packet, sizeof(packet), "%s,%llx,%x", operation, (unsigned long long)address, length);
    return answers(packet, "OK");
}

static bool in_user_mode(void)
{
    return (read_register(CS) & 3) == 3;
}

static void make_contact(void)
{
    check(strstr(ask("qSupported:swbreak+;hwbreak+"), "qXfer:features:read+") != NULL, "features");
    check(strstr(ask("qXfer:features:read:target.xml:0,3f00"), "k_gs_base") != NULL,
          "target description");
    check(answers("?", "T05"), "it is stopped");
    check(strlen(ask("g")) > 800, "all registers");
    check(strcmp(ask("vNoSuchPacket"), "") == 0, "the empty answer to what is unknown");
    check(answers("m10,8", "E"), "an error for memory that is not mapped");
    check(answers("P1=3412000000000000", "OK") && read_register(RBX) == 0x1234,
          "a register is written");
    check(answers("P1=0000000000000000", "OK"), "and put back");
    check(answers("qfThreadInfo", "m1") && answers("qsThreadInfo", "l"), "one thread");
    check(answers("qRcmd,68656c70", "O"), "monitor help");
    while (answer[0] == 'O' && answer[1] != 'K')
        receive();
}

static void run_to(const char *what, uint64_t address)
{
    check(point("Z0", address, 1), what);
    check(answers("vCont;c", "T05") && strstr(answer, "swbreak") != NULL, "it is hit");
    check(read_register(RIP) == address, "with rip at it");
    check(point("z0", address, 1), "it is removed");
}

static void step_into_user_code(void)
{
    unsigned steps = 0;
    do {
        if (!answers("vCont;s:1", "T05"))
            break;
    } while (++steps < STEPS_MAX && !in_user_mode());
    printf("# %u steps\n", steps);
    check(in_user_mode(), "single steps lead into user code");
    bool all = true;
    uint64_t last = read_register(RIP);
    for (int i = 0; i < 8; i++) {
        uint64_t rip = answers("vCont;s:1", "T05") ? read_register(RIP) : last;
        all = all && rip != last && in_user_mode();
        last = rip;
    }
    check(all, "single steps in user code");
    check((read_register(EFLAGS) & 0x100) == 0, "no trap flag is left");
}

static void stop_in_user_code(uint64_t context_run)
{
    run_to("a breakpoint in the kernel", context_run);
    uint64_t context = read_register(RDI);
    run_to("a breakpoint in user code", read_word(context + 8 * RIP));
    check(in_user_mode(), "it is in user code");
    run_to("back in the kernel", context_run);
}

static void watch(void)
{
    uint64_t context = read_register(RDI), before = read_word(context + 8 * RIP);
    check(point("Z2", context + 8 * RIP, 8), "a watchpoint");
    check(answers("vCont;c", "T05") && strstr(answer, "watch:") != NULL, "it is hit");
    check(read_word(context + 8 * RIP) != before, "the value has changed");
    check(point("z2", context + 8 * RIP, 8), "it is removed");
}

static void interrupt(void)
{
    send_packet("vCont;c");
    put("\003", 1);
    receive();
    check(strncmp(answer, "T02", 3) == 0, "Ctrl-C stops it");
    check(answers("D", "OK"), "it is left alone");
}

int main(int argc, char *argv[])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 4 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fputs("usage: gdb-client SOCKET HAL-START HAL-CONTEXT-RUN\n", stderr);
        return 2;
    }
    strcpy(address.sun_path, argv[1]);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        give_up("cannot connect");
    uint64_t context_run = strtoull(argv[3], NULL, 16);
    make_contact();
    run_to("a breakpoint before there are trap handlers", strtoull(argv[2], NULL, 16));
    run_to("a breakpoint on the way to user code", context_run);
    step_into_user_code();
    stop_in_user_code(context_run);
    watch();
    interrupt();
    printf("1..%d\n", cases);
    return failures != 0;
}
