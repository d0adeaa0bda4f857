/* serve.c - gdb's packets, one function each, and the table that finds them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb/hex.h"
#include "gdb/registers.h"
#include "gdb/session.h"
#include "signals.h"
#include "vm.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_KILL = 9, SIGNAL_TRAP = 5, MEMORY_MAX = LINK_PACKET_MAX / 2 };

static void reply(struct gdb *gdb, const char *text)
{
    link_send_text(&gdb->link, text);
}

static void refuse(struct gdb *gdb, const char *why)
{
    char text[256];
    snprintf(text, sizeof(text), "E.%s", why);
    reply(gdb, text);
}

/* ---- Registers ------------------------------------------------------------------------------ */

static void read_all(struct gdb *gdb, const char *args)
{
    char text[LINK_PACKET_MAX], *at = text;
    uint8_t value[REGISTER_BYTES_MAX];
    (void)args;
    for (unsigned i = 0; i < registers_count(gdb->avx); i++) {
        registers_read(&gdb->cpu, i, value);
        at = hex_write(at, value, registers_bytes(i));
    }
    reply(gdb, text);
}

static void write_all(struct gdb *gdb, const char *args)
{
    uint8_t value[REGISTER_BYTES_MAX];
    bool all = true;
    for (unsigned i = 0; i < registers_count(gdb->avx); i++) {
        unsigned bytes = registers_bytes(i);
        if (!hex_read(args, value, bytes))
            break;
        all = registers_write(&gdb->cpu, i, value) && all;
        args += 2 * bytes;
    }
    reply(gdb, all ? "OK" : "E01");
}

static void read_one(struct gdb *gdb, const char *args)
{
    uint64_t number;
    uint8_t value[REGISTER_BYTES_MAX];
    char text[2 * REGISTER_BYTES_MAX + 1];
    if (!hex_number(&args, &number) || number >= registers_count(gdb->avx)) {
        reply(gdb, "E01");
        return;
    }
    registers_read(&gdb->cpu, (unsigned)number, value);
    hex_write(text, value, registers_bytes((unsigned)number));
    reply(gdb, text);
}

static void write_one(struct gdb *gdb, const char *args)
{
    uint64_t number;
    uint8_t value[REGISTER_BYTES_MAX];
    if (!hex_number(&args, &number) || !hex_skip(&args, '=') ||
        number >= registers_count(gdb->avx) ||
        !hex_read(args, value, registers_bytes((unsigned)number)))
        reply(gdb, "E01");
    else if (!registers_write(&gdb->cpu, (unsigned)number, value))
        refuse(gdb, "segment selectors cannot be written");
    else
        reply(gdb, "OK");
}

/* ---- Memory --------------------------------------------------------------------------------- */

static void read_memory(struct gdb *gdb, const char *args)
{
    uint64_t address, length;
    uint8_t data[MEMORY_MAX];
    char text[LINK_PACKET_MAX + 1];
    if (!hex_number(&args, &address) || !hex_skip(&args, ',') || !hex_number(&args, &length)) {
        reply(gdb, "E01");
        return;
    }
    if (length > MEMORY_MAX)
        length = MEMORY_MAX;
    uint64_t got = cpu_read(&gdb->cpu, address, data, length);
    if (got == 0 && length != 0) {
        reply(gdb, "E14");
        return;
    }
    hex_write(text, data, got);
    reply(gdb, text);
}

static void store(struct gdb *gdb, uint64_t address, const void *data, uint64_t length)
{
    reply(gdb, cpu_write(&gdb->cpu, address, data, length) == length ? "OK" : "E14");
}

static void write_memory(struct gdb *gdb, const char *args)
{
    uint64_t address, length;
    uint8_t data[MEMORY_MAX];
    if (!hex_number(&args, &address) || !hex_skip(&args, ',') || !hex_number(&args, &length) ||
        !hex_skip(&args, ':') || length > sizeof(data) || !hex_read(args, data, length))
        reply(gdb, "E01");
    else
        store(gdb, address, data, length);
}

static void write_binary(struct gdb *gdb, const char *args)
{
    uint64_t address, length;
    if (!hex_number(&args, &address) || !hex_skip(&args, ',') || !hex_number(&args, &length) ||
        !hex_skip(&args, ':') ||
        length > gdb->link.packet_length - (size_t)(args - gdb->link.packet))
        reply(gdb, "E01");
    else
        store(gdb, address, args, length);
}

/* ---- Running -------------------------------------------------------------------------------- */

static void resume(struct gdb *gdb, enum goal goal)
{
    gdb->goal = goal;
    gdb->stopped = false;
}

/* "c [address]", "s [address]" */
static void resume_at(struct gdb *gdb, const char *args, enum goal goal)
{
    uint64_t address;
    if (hex_number(&args, &address)) {
        cpu_want_regs(&gdb->cpu);
        gdb->cpu.regs.rip = address;
        gdb->cpu.regs_changed = true;
    }
    resume(gdb, goal);
}

static void go_on(struct gdb *gdb, const char *args)
{
    resume_at(gdb, args, GOAL_RUN);
}

static void step(struct gdb *gdb, const char *args)
{
    resume_at(gdb, args, GOAL_STEP);
}

/* There is one thread, so the first action is the one for it. Signals mean nothing to a vCPU. */
static void resume_by_actions(struct gdb *gdb, const char *args)
{
    switch (args[0]) {
    case 'c':
    case 'C':
        resume(gdb, GOAL_RUN);
        break;
    case 's':
    case 'S':
        resume(gdb, GOAL_STEP);
        break;
    case 'r':
        args++;
        if (hex_number(&args, &gdb->range_start) && hex_skip(&args, ',') &&
            hex_number(&args, &gdb->range_end)) {
            resume(gdb, GOAL_RANGE);
            break;
        }
        /* fall through */
    default:
        reply(gdb, "E01");
    }
}

static void list_actions(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "vCont;c;C;s;S;r");
}

static void tell_stop(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, gdb->reason);
}

static void leave(struct gdb *gdb)
{
    points_remove_all(&gdb->points);
    link_drop(&gdb->link);
    resume(gdb, GOAL_RUN);
}

static void detach(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "OK");
    leave(gdb);
}

static void end_machine(struct gdb *gdb, const char *args)
{
    (void)args;
    leave(gdb);
    if (!gdb->vm->ended)
        vm_end(gdb->vm, ZVMM_END_SIGNAL, SIGNAL_KILL);
}

static void kill_politely(struct gdb *gdb, const char *args)
{
    reply(gdb, "OK");
    end_machine(gdb, args);
}

/* ---- Breakpoints ---------------------------------------------------------------------------- */

static bool parse_point(const char *args, uint64_t *kind, uint64_t *address, uint64_t *length)
{
    return hex_number(&args, kind) && hex_skip(&args, ',') && hex_number(&args, address) &&
           hex_skip(&args, ',') && hex_number(&args, length) && *kind <= POINT_ACCESS &&
           *length >= 1;
}

/* Why this machine cannot have such a breakpoint, or NULL. */
static const char *why_not(struct gdb *gdb, enum point_kind kind, uint64_t address, uint64_t length)
{
    bool is_size = length == 1 || length == 2 || length == 4 || length == 8;
    if (kind != POINT_SOFTWARE)
        hardware_probe(&gdb->hardware, gdb->vm);
    if (kind == POINT_HARDWARE && !gdb->hardware.execute)
        return "hardware breakpoints do not work on this KVM: use break";
    if (kind == POINT_HARDWARE && (gdb->vm->quirks & ZV_QUIRK_SLOW_RING0) != 0 &&
        address >> 63 == 0)
        return "hardware breakpoints reach only the kernel on this KVM: use break";
    if (kind >= POINT_READ && !gdb->hardware.watch)
        return "this KVM cannot watch reads: use watch, which stops when the value changes";
    if (kind >= POINT_WRITE && (!is_size || address % length != 0))
        return "a watchpoint has 1, 2, 4 or 8 bytes at a multiple of that: watch a smaller value";
    return NULL;
}

static void insert_point(struct gdb *gdb, const char *args)
{
    uint64_t kind, address, length;
    if (!parse_point(args, &kind, &address, &length)) {
        reply(gdb, "E01");
        return;
    }
    const char *reason = why_not(gdb, (enum point_kind)kind, address, length);
    if (reason != NULL) {
        fprintf(stderr, "zvmm: gdb: %s\n", reason);
        refuse(gdb, reason);
        return;
    }
    bool done = points_insert(&gdb->points, &gdb->cpu, (enum point_kind)kind, address, length);
    reply(gdb, done ? "OK" : "E14");
}

static void remove_point(struct gdb *gdb, const char *args)
{
    uint64_t kind, address, length;
    if (!parse_point(args, &kind, &address, &length) ||
        !points_remove(&gdb->points, (enum point_kind)kind, address))
        reply(gdb, "E01");
    else
        reply(gdb, "OK");
}

/* ---- Questions ------------------------------------------------------------------------------ */

static void tell_features(struct gdb *gdb, const char *args)
{
    char text[256];
    gdb->says_swbreak = strstr(args, "swbreak+") != NULL;
    gdb->says_hwbreak = strstr(args, "hwbreak+") != NULL;
    snprintf(text, sizeof(text),
             "PacketSize=%x;qXfer:features:read+;qXfer:threads:read+;QStartNoAckMode+;"
             "vContSupported+;swbreak+;hwbreak+",
             LINK_PACKET_MAX - 1);
    reply(gdb, text);
}

/* A part of a document: "offset,length". */
static void send_part(struct gdb *gdb, const char *document, const char *args)
{
    uint64_t offset, length, all = strlen(document);
    char text[LINK_PACKET_MAX / 2];
    if (!hex_number(&args, &offset) || !hex_skip(&args, ',') || !hex_number(&args, &length)) {
        reply(gdb, "E01");
        return;
    }
    if (offset > all)
        offset = all;
    if (length > sizeof(text) - 1)
        length = sizeof(text) - 1;
    if (length > all - offset)
        length = all - offset;
    text[0] = offset + length < all ? 'm' : 'l';
    memcpy(text + 1, document + offset, length);
    link_send(&gdb->link, text, length + 1);
}

static void read_features(struct gdb *gdb, const char *args)
{
    char *document = registers_describe(gdb->avx);
    if (document != NULL)
        send_part(gdb, document, args);
    else
        reply(gdb, "E12");
    free(document);
}

static void describe_thread(struct gdb *gdb, char *text, size_t room)
{
    snprintf(text, room, "vCPU 0, %s", cpu_ring(&gdb->cpu) == 0 ? "kernel" : "user code");
}

static void read_threads(struct gdb *gdb, const char *args)
{
    char what[64], document[256];
    describe_thread(gdb, what, sizeof(what));
    snprintf(document, sizeof(document),
             "<?xml version=\"1.0\"?><threads><thread id=\"1\" core=\"0\">%s</thread></threads>",
             what);
    send_part(gdb, document, args);
}

static void tell_thread(struct gdb *gdb, const char *args)
{
    char what[64], text[129];
    (void)args;
    describe_thread(gdb, what, sizeof(what));
    hex_write(text, what, strlen(what));
    reply(gdb, text);
}

static void list_threads(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "m1");
}

static void end_of_threads(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "l");
}

static void current_thread(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "QC1");
}

static void attached(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "1");
}

static void say_ok(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "OK");
}

static void stop_acknowledging(struct gdb *gdb, const char *args)
{
    (void)args;
    reply(gdb, "OK");
    gdb->link.acknowledge = false;
}

/* monitor: the command comes and its output goes in hexadecimal, the output in several packets. */
static void monitor(struct gdb *gdb, const char *args)
{
    enum { PIECE = LINK_PACKET_MAX / 4 };
    char command[LINK_PACKET_MAX / 2 + 1], packet[2 * PIECE + 2];
    size_t length = strlen(args) / 2;
    if (!hex_read(args, command, length)) {
        reply(gdb, "E01");
        return;
    }
    command[length] = '\0';
    char *output = monitor_run(gdb, command);
    for (size_t at = 0, all = output != NULL ? strlen(output) : 0; at < all; at += PIECE) {
        packet[0] = 'O';
        hex_write(packet + 1, output + at, all - at < PIECE ? all - at : PIECE);
        reply(gdb, packet);
    }
    reply(gdb, output != NULL ? "OK" : "E12");
    free(output);
}

/* ---- The table ------------------------------------------------------------------------------ */

/* The first row whose name begins the packet takes it, with what follows the name. */
static const struct {
    const char *name;
    void (*run)(struct gdb *gdb, const char *args);
} table[] = {
    {"?", tell_stop},
    {"D", detach},
    {"G", write_all},
    {"H", say_ok},
    {"M", write_memory},
    {"P", write_one},
    {"QStartNoAckMode", stop_acknowledging},
    {"T", say_ok},
    {"X", write_binary},
    {"Z", insert_point},
    {"c", go_on},
    {"g", read_all},
    {"k", end_machine},
    {"m", read_memory},
    {"p", read_one},
    {"qAttached", attached},
    {"qC", current_thread},
    {"qRcmd,", monitor},
    {"qSupported", tell_features},
    {"qSymbol", say_ok},
    {"qThreadExtraInfo,", tell_thread},
    {"qXfer:features:read:target.xml:", read_features},
    {"qXfer:threads:read::", read_threads},
    {"qfThreadInfo", list_threads},
    {"qsThreadInfo", end_of_threads},
    {"s", step},
    {"vCont;", resume_by_actions},
    {"vCont?", list_actions},
    {"vKill", kill_politely},
    {"z", remove_point},
};

static void dispatch(struct gdb *gdb)
{
    const char *packet = gdb->link.packet;
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t length = strlen(table[i].name);
        if (strncmp(packet, table[i].name, length) == 0) {
            table[i].run(gdb, packet + length);
            return;
        }
    }
    reply(gdb, ""); /* what is not known gets the empty answer */
}

/* zvmm ctl and SIGUSR1 want something of the machine, which is stopped. */
static void serve_others(struct gdb *gdb)
{
    struct zvmm_error error;
    if (!atomic_load(&gdb->vm->pauses.wanted))
        return;
    cpu_release(&gdb->cpu);
    if (vm_settle(gdb->vm, &error) == 0)
        pause_serve(gdb->vm);
}

void serve(struct gdb *gdb)
{
    if (gdb->announce)
        reply(gdb, gdb->reason);
    gdb->announce = false;
    while (gdb->stopped) {
        switch (link_receive(&gdb->link, true)) {
        case LINK_PACKET:
            dispatch(gdb);
            break;
        case LINK_CLOSED:
            leave(gdb);
            break;
        case LINK_INTERRUPT:
            break; /* it is stopped already */
        case LINK_NOTHING:
            if (signals_stop() != 0 || atomic_load(&gdb->vm->quit))
                leave(gdb);
            serve_others(gdb);
            break;
        }
    }
}
