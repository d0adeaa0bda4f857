/* words.c - numbers of the system-call ABI in words. */
#include <inttypes.h>
#include <string.h>
#include <zircon/object.h>
#include <zircon/rights.h>
#include <zircon/types.h>

#include "inspect/kernel.h"

struct bit {
    uint32_t mask;
    const char *word;
};

static void append_word(char *text, size_t room, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s%s", used > 0 ? " " : "", word);
}

static uint32_t append_bits(const struct bit *bits, size_t count, uint32_t value, char *text,
                            size_t room)
{
    for (size_t i = 0; i < count; i++) {
        if ((value & bits[i].mask) != 0) {
            append_word(text, room, bits[i].word);
            value &= ~bits[i].mask;
        }
    }
    return value;
}

static void append_rest(uint32_t rest, char *text, size_t room)
{
    char number[16];
    snprintf(number, sizeof(number), "%#" PRIx32, rest);
    if (rest != 0)
        append_word(text, room, number);
    if (text[0] == '\0')
        append_word(text, room, "none");
}

void rights_words(uint32_t rights, char *text, size_t room)
{
    static const struct bit bits[] = {
        {ZX_RIGHT_DUPLICATE, "DUPLICATE"},
        {ZX_RIGHT_TRANSFER, "TRANSFER"},
        {ZX_RIGHT_READ, "READ"},
        {ZX_RIGHT_WRITE, "WRITE"},
        {ZX_RIGHT_EXECUTE, "EXECUTE"},
        {ZX_RIGHT_MAP, "MAP"},
        {ZX_RIGHT_GET_PROPERTY, "GET_PROPERTY"},
        {ZX_RIGHT_SET_PROPERTY, "SET_PROPERTY"},
        {ZX_RIGHT_ENUMERATE, "ENUMERATE"},
        {ZX_RIGHT_DESTROY, "DESTROY"},
        {ZX_RIGHT_SET_POLICY, "SET_POLICY"},
        {ZX_RIGHT_GET_POLICY, "GET_POLICY"},
        {ZX_RIGHT_SIGNAL, "SIGNAL"},
        {ZX_RIGHT_SIGNAL_PEER, "SIGNAL_PEER"},
        {ZX_RIGHT_WAIT, "WAIT"},
        {ZX_RIGHT_INSPECT, "INSPECT"},
        {ZX_RIGHT_MANAGE_JOB, "MANAGE_JOB"},
        {ZX_RIGHT_MANAGE_PROCESS, "MANAGE_PROCESS"},
        {ZX_RIGHT_MANAGE_THREAD, "MANAGE_THREAD"},
        {ZX_RIGHT_APPLY_PROFILE, "APPLY_PROFILE"},
    };
    text[0] = '\0';
    append_rest(append_bits(bits, sizeof(bits) / sizeof(bits[0]), rights, text, room), text, room);
}

/* Most bits have a meaning by type. */
void signals_words(uint32_t type, uint32_t signals, char *text, size_t room)
{
    static const struct bit channel[] = {{ZX_CHANNEL_READABLE, "READABLE"},
                                         {ZX_CHANNEL_WRITABLE, "WRITABLE"},
                                         {ZX_CHANNEL_PEER_CLOSED, "PEER_CLOSED"}};
    static const struct bit socket[] = {{ZX_SOCKET_READABLE, "READABLE"},
                                        {ZX_SOCKET_WRITABLE, "WRITABLE"},
                                        {ZX_SOCKET_PEER_CLOSED, "PEER_CLOSED"},
                                        {ZX_SOCKET_PEER_WRITE_DISABLED, "PEER_WRITE_DISABLED"},
                                        {ZX_SOCKET_WRITE_DISABLED, "WRITE_DISABLED"},
                                        {ZX_SOCKET_READ_THRESHOLD, "READ_THRESHOLD"},
                                        {ZX_SOCKET_WRITE_THRESHOLD, "WRITE_THRESHOLD"}};
    static const struct bit event[] = {{ZX_EVENT_SIGNALED, "SIGNALED"},
                                       {ZX_EVENTPAIR_PEER_CLOSED, "PEER_CLOSED"}};
    static const struct bit task[] = {{ZX_TASK_TERMINATED, "TERMINATED"}};
    static const struct bit thread[] = {{ZX_THREAD_TERMINATED, "TERMINATED"},
                                        {ZX_THREAD_RUNNING, "RUNNING"},
                                        {ZX_THREAD_SUSPENDED, "SUSPENDED"}};
    static const struct bit job[] = {{ZX_JOB_TERMINATED, "TERMINATED"},
                                     {ZX_JOB_NO_JOBS, "NO_JOBS"},
                                     {ZX_JOB_NO_PROCESSES, "NO_PROCESSES"}};
    static const struct bit clock[] = {{ZX_CLOCK_STARTED, "STARTED"}};
    static const struct bit vmo[] = {{ZX_VMO_ZERO_CHILDREN, "ZERO_CHILDREN"}};
    static const struct bit log[] = {{ZX_LOG_READABLE, "READABLE"}};
#define BITS(list) list, sizeof(list) / sizeof((list)[0])
    static const struct {
        uint32_t type;
        const struct bit *bits;
        size_t count;
    } rows[] = {
        {ZX_OBJ_TYPE_CHANNEL, BITS(channel)}, {ZX_OBJ_TYPE_SOCKET, BITS(socket)},
        {ZX_OBJ_TYPE_FIFO, BITS(channel)},    {ZX_OBJ_TYPE_EVENT, BITS(event)},
        {ZX_OBJ_TYPE_EVENTPAIR, BITS(event)}, {ZX_OBJ_TYPE_TIMER, BITS(event)},
        {ZX_OBJ_TYPE_PROCESS, BITS(task)},    {ZX_OBJ_TYPE_THREAD, BITS(thread)},
        {ZX_OBJ_TYPE_JOB, BITS(job)},         {ZX_OBJ_TYPE_CLOCK, BITS(clock)},
        {ZX_OBJ_TYPE_VMO, BITS(vmo)},         {ZX_OBJ_TYPE_LOG, BITS(log)},
    };
#undef BITS
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].type == type)
            signals = append_bits(rows[i].bits, rows[i].count, signals, text, room);
    for (unsigned i = 0; i < 8; i++) {
        char user[16];
        snprintf(user, sizeof(user), "USER_%u", i);
        if ((signals & (1u << (24 + i))) != 0)
            append_word(text, room, user);
    }
    append_rest(signals & 0xffffffu, text, room);
}

void duration_words(int64_t ns, char *text, size_t room)
{
    const char *sign = ns < 0 ? "-" : "";
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (size < 1000)
        snprintf(text, room, "%s%" PRIu64 " ns", sign, size);
    else if (size < 1000000)
        snprintf(text, room, "%s%.1f us", sign, (double)size / 1e3);
    else if (size < 1000000000)
        snprintf(text, room, "%s%.1f ms", sign, (double)size / 1e6);
    else
        snprintf(text, room, "%s%.3f s", sign, (double)size / 1e9);
}

void flag_words(struct inspector *inspector, const char *type, const char *prefix, uint64_t value,
                char *text, size_t room)
{
    Dwarf_Die die;
    text[0] = '\0';
    if (inspector->symbols == NULL || !symbols_type(inspector->symbols, type, 0, &die)) {
        append_rest((uint32_t)value, text, room);
        return;
    }
    for (unsigned i = 0; i < 32; i++) {
        const char *word = type_enumerator(&die, (int64_t)(1ull << i));
        if ((value & 1ull << i) == 0 || word == NULL)
            continue;
        size_t skip = strncmp(word, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        append_word(text, room, word + skip);
        value &= ~(1ull << i);
    }
    append_rest((uint32_t)value, text, room);
}
