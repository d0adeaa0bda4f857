/* waits.c - what a thread does: what it waits on, for how long, and who could end it. */
#include <string.h>
#include <zircon/object.h>
#include <zircon/time.h>
#include <zircon/types.h>

#include "inspect/verb.h"

enum { WORDS = 512, NAME = 128 };

/* A blocked thread's wait record. */
struct waiting {
    struct inspector *inspector;
    struct value thread;
    char kind[48]; /* symbol of its struct wait_kind: "wait_kind_port" */
    char call[48]; /* the kind's own name: "port_wait" */
    char *text;
    size_t room;
};

static void say(struct waiting *waiting, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct waiting *waiting, const char *format, ...)
{
    size_t used = strlen(waiting->text);
    va_list args;
    va_start(args, format);
    vsnprintf(waiting->text + used, waiting->room - used, format, args);
    va_end(args);
}

void holders_words(const struct object *object, struct inspector *inspector, char *text,
                   size_t room)
{
    uint64_t stamp = census_stamp(inspector->census);
    size_t used = 0;
    text[0] = '\0';
    for (const struct reference *at = object->references; at != NULL; at = at->next) {
        char words[NAME];
        if (at->kind != REFERENCE_HANDLE || at->holder == NULL || at->holder->stamp == stamp)
            continue;
        at->holder->stamp = stamp;
        object_words(inspector, at->holder, words, sizeof(words));
        if (used + strlen(words) + sizeof(", ...") > room) {
            snprintf(text + used, room - used, ", ...");
            break;
        }
        used += (size_t)snprintf(text + used, room - used, "%s%s", used > 0 ? ", " : "", words);
    }
}

/* ---- What each kind waits on ----------------------------------------------------------------- */

static struct object *object_at(struct waiting *waiting, const char *path)
{
    struct census *census = waiting->inspector->census;
    uint64_t address = value_number(waiting->inspector, &waiting->thread, path);
    return census_by_address(census, address);
}

static struct object *peer_of(struct inspector *inspector, const struct object *object)
{
    struct value value = object_value(inspector, object);
    uint64_t peer = value_number(inspector, &value, "peer");
    return peer != 0 ? census_by_address(inspector->census, peer) : NULL;
}

/* Two-ended objects are signaled from the other end. */
static void say_object(struct waiting *waiting, const struct object *object)
{
    char words[NAME], holders[WORDS];
    if (object == NULL) {
        say(waiting, "an object that is gone");
        return;
    }
    object_words(waiting->inspector, object, words, sizeof(words));
    const struct object *peer = peer_of(waiting->inspector, object);
    holders_words(peer != NULL ? peer : object, waiting->inspector, holders, sizeof(holders));
    say(waiting, "%s", words);
    if (peer != NULL)
        say(waiting, " (other end %llu held by %s)", (unsigned long long)peer->koid,
            holders[0] != '\0' ? holders : "nobody");
    else
        say(waiting, " (held by %s)", holders[0] != '\0' ? holders : "nobody");
}

static void say_signals(struct waiting *waiting, const struct object *object, uint64_t trigger)
{
    char words[NAME];
    signals_words(object != NULL ? object->type->number : 0, (uint32_t)trigger, words,
                  sizeof(words));
    say(waiting, "%s on ", words);
}

static void say_one(struct waiting *waiting)
{
    const struct object *object = object_at(waiting, "wait.u.one.observer.object");
    say(waiting, "waits for ");
    say_signals(waiting, object,
                value_number(waiting->inspector, &waiting->thread, "wait.u.one.observer.trigger"));
    say_object(waiting, object);
}

/* The i-th item of a wait for many. */
static bool many_item(struct inspector *inspector, const struct value *thread, uint64_t i,
                      struct object **object, uint32_t *signals)
{
    struct value items, item;
    if (i >= value_number(inspector, thread, "wait.u.many.count") || i >= ZX_WAIT_MANY_MAX_ITEMS ||
        !value_path(inspector, thread, "wait.u.many.items", &items) ||
        !value_index(inspector, &items, i, &item))
        return false;
    *object =
        census_by_address(inspector->census, value_number(inspector, &item, "observer.object"));
    *signals = (uint32_t)value_number(inspector, &item, "observer.trigger");
    return true;
}

static void say_many(struct waiting *waiting)
{
    struct object *object;
    uint32_t signals;
    uint64_t i = 0;
    say(waiting, "waits for ");
    for (; many_item(waiting->inspector, &waiting->thread, i, &object, &signals); i++) {
        say(waiting, "%s", i > 0 ? " or " : "");
        say_signals(waiting, object, signals);
        say_object(waiting, object);
    }
    if (i == 0)
        say(waiting, "its deadline, on no object");
}

static void say_port(struct waiting *waiting)
{
    say(waiting, "waits for a packet on ");
    say_object(waiting, object_at(waiting, "wait.u.port.port"));
}

static void say_futex(struct waiting *waiting)
{
    struct inspector *inspector = waiting->inspector;
    char words[NAME];
    say(waiting, "waits for the futex at %#llx",
        (unsigned long long)value_number(inspector, &waiting->thread,
                                         "wait.u.futex.futex->address"));
    const struct object *owner = object_at(waiting, "wait.u.futex.futex->owner");
    if (owner == NULL)
        return;
    object_words(inspector, owner, words, sizeof(words));
    say(waiting, " (owned by %s)", words);
}

static void say_call(struct waiting *waiting)
{
    say(waiting, "waits for the answer to call %#llx on ",
        (unsigned long long)value_number(waiting->inspector, &waiting->thread, "wait.call.txid"));
    say_object(waiting, object_at(waiting, "wait.call.channel"));
}

static void say_interrupt(struct waiting *waiting)
{
    say(waiting, "waits for ");
    say_object(waiting, object_at(waiting, "wait.u.interrupt.interrupt"));
}

static void say_page(struct waiting *waiting)
{
    struct inspector *inspector = waiting->inspector;
    char words[NAME] = "a pager that is gone";
    uint64_t source = value_number(inspector, &waiting->thread, "wait.page.source");
    const struct object *pager = object_at(waiting, "wait.page.source->pager");
    if (source != 0 && pager != NULL)
        object_words(inspector, pager, words, sizeof(words));
    say(waiting, "waits for page %llu of vmo %llu from %s",
        (unsigned long long)value_number(inspector, &waiting->thread, "wait.page.index"),
        (unsigned long long)value_number(inspector, &waiting->thread, "wait.page.vmo"), words);
}

static void say_exception(struct waiting *waiting)
{
    const struct object *exception = object_at(waiting, "exception");
    char holders[WORDS] = "";
    say(waiting, "is stopped in ");
    if (exception == NULL) {
        say(waiting, "an exception");
        return;
    }
    struct value value = object_value(waiting->inspector, exception);
    holders_words(exception, waiting->inspector, holders, sizeof(holders));
    say(waiting, "exception %llu, type %#llx (held by %s)", (unsigned long long)exception->koid,
        (unsigned long long)value_number(waiting->inspector, &value, "cause.type"),
        holders[0] != '\0' ? holders : "nobody yet");
}

static void say_suspended(struct waiting *waiting)
{
    say(waiting, "is suspended (count %llu)",
        (unsigned long long)value_number(waiting->inspector, &waiting->thread, "suspend_count"));
}

static void say_sleep(struct waiting *waiting)
{
    say(waiting, "sleeps");
}

static void say_console(struct waiting *waiting)
{
    say(waiting, "waits for console input");
}

/* By the symbol of the kind; a kind that is not here is told by its own name. */
static const struct {
    const char *kind;
    void (*say)(struct waiting *);
    const char *object; /* path of the one object that ends it; NULL: see wait_visit */
    const char *signals;
} kinds[] = {
    {"wait_kind_one", say_one, "wait.u.one.observer.object", "wait.u.one.observer.trigger"},
    {"wait_kind_many", say_many, NULL, NULL},
    {"wait_kind_port", say_port, "wait.u.port.port", NULL},
    {"wait_kind_futex", say_futex, "wait.u.futex.futex->owner", NULL},
    {"wait_kind_channel_call", say_call, "wait.call.channel", NULL},
    {"wait_kind_interrupt", say_interrupt, "wait.u.interrupt.interrupt", NULL},
    {"wait_kind_page", say_page, "wait.page.source->pager", NULL},
    {"wait_kind_exception", say_exception, "exception", NULL},
    {"wait_kind_suspended", say_suspended, NULL, NULL},
    {"wait_kind_sleep", say_sleep, NULL, NULL},
    {"wait_kind_console", say_console, NULL, NULL},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Link-time optimisation adds a suffix to a static symbol. */
static void kind_symbol(struct inspector *inspector, const struct value *thread, char *text,
                        size_t room)
{
    symbols_describe(inspector->symbols, value_number(inspector, thread, "wait.kind"), text, room);
    text[strcspn(text, ".+")] = '\0';
}

static unsigned find_kind(const char *symbol)
{
    unsigned i = 0;
    while (i < KINDS && strcmp(kinds[i].kind, symbol) != 0)
        i++;
    return i;
}

void wait_visit(struct inspector *inspector, const struct object *thread,
                void (*visit)(void *arg, struct object *object, uint32_t signals), void *arg)
{
    struct value value = object_value(inspector, thread);
    char symbol[48];
    struct object *object;
    uint32_t signals = 0;
    kind_symbol(inspector, &value, symbol, sizeof(symbol));
    unsigned kind = find_kind(symbol);
    if (value_number(inspector, &value, "wait.kind") == 0 || kind == KINDS)
        return;
    if (strcmp(symbol, "wait_kind_many") == 0)
        for (uint64_t i = 0; many_item(inspector, &value, i, &object, &signals); i++)
            if (object != NULL)
                visit(arg, object, signals);
    if (kinds[kind].object == NULL)
        return;
    object =
        census_by_address(inspector->census, value_number(inspector, &value, kinds[kind].object));
    if (kinds[kind].signals != NULL)
        signals = (uint32_t)value_number(inspector, &value, kinds[kind].signals);
    if (object != NULL)
        visit(arg, object, signals);
}

/* ---- State ----------------------------------------------------------------------------------- */

static void say_times(struct waiting *waiting)
{
    struct inspector *inspector = waiting->inspector;
    char text[48];
    int64_t since = (int64_t)value_number(inspector, &waiting->thread, "wait.since");
    int64_t now = inspect_now(inspector);
    duration_words(now - since, text, sizeof(text));
    say(waiting, ", for %s", text);
    if (value_number(inspector, &waiting->thread, "wait.timer.armed") == 0) {
        say(waiting, ", no deadline");
        return;
    }
    int64_t deadline = (int64_t)value_number(inspector, &waiting->thread, "wait.timer.deadline");
    duration_words(deadline - now, text, sizeof(text));
    say(waiting, ", deadline in %s", text);
}

static void say_blocked(struct waiting *waiting)
{
    struct inspector *inspector = waiting->inspector;
    kind_symbol(inspector, &waiting->thread, waiting->kind, sizeof(waiting->kind));
    value_text(inspector, &waiting->thread, "wait.kind->name", waiting->call,
               sizeof(waiting->call));
    unsigned kind = find_kind(waiting->kind);
    if (kind < KINDS)
        kinds[kind].say(waiting);
    else
        say(waiting, "waits in %s", waiting->call[0] != '\0' ? waiting->call : "an unknown call");
    say_times(waiting);
}

static void add_waiting_on(void *arg, struct object *object, uint32_t signals)
{
    struct {
        struct inspector *inspector;
        struct item *list;
    } *to = arg;
    struct report *report = to->inspector->report;
    struct item *map = item_map(report, to->list, NULL);
    char words[NAME];
    item_number(report, map, "koid", object->koid);
    item_text(report, map, "type", object->type->name);
    signals_words(object->type->number, signals, words, sizeof(words));
    if (signals != 0)
        item_text(report, map, "signals", words);
}

/* For programs: the call, the objects and the times as numbers. */
static void report_wait(struct waiting *waiting, const struct object *thread, struct item *row)
{
    struct inspector *inspector = waiting->inspector;
    struct item *map = item_map(inspector->report, row, "wait");
    if (map == NULL)
        return;
    map->quiet = true;
    item_text(inspector->report, map, "call", waiting->call);
    item_signed(inspector->report, map, "since_ns",
                (int64_t)value_number(inspector, &waiting->thread, "wait.since"));
    item_signed(inspector->report, map, "waited_ns",
                inspect_now(inspector) -
                    (int64_t)value_number(inspector, &waiting->thread, "wait.since"));
    if (value_number(inspector, &waiting->thread, "wait.timer.armed") != 0)
        item_signed(inspector->report, map, "deadline_ns",
                    (int64_t)value_number(inspector, &waiting->thread, "wait.timer.deadline"));
    struct {
        struct inspector *inspector;
        struct item *list;
    } to = {inspector, item_list(inspector->report, map, "on")};
    wait_visit(inspector, thread, add_waiting_on, &to);
}

static bool is_current(struct inspector *inspector, const struct object *thread)
{
    struct value cpu;
    return value_variable(inspector, "boot_cpu", &cpu) &&
           value_number(inspector, &cpu, "current") == thread->address;
}

void thread_report(struct inspector *inspector, const struct object *thread, struct item *row)
{
    char text[WORDS * 2] = "", state[NAME];
    struct waiting waiting = {.inspector = inspector,
                              .thread = object_value(inspector, thread),
                              .text = text,
                              .room = sizeof(text)};
    struct value at;
    const char *name = NULL;
    if (value_path(inspector, &waiting.thread, "state", &at))
        name = type_enumerator(&at.type, (int64_t)value_number(inspector, &at, ""));
    snprintf(state, sizeof(state), "%s", name != NULL ? name : "THREAD_(damaged)");
    item_text(inspector->report, row, "state",
              strncmp(state, "THREAD_", 7) == 0 ? state + 7 : state);
    bool blocked = strcmp(state, "THREAD_BLOCKED") == 0;
    if (blocked)
        say_blocked(&waiting);
    else if (strcmp(state, "THREAD_DEAD") != 0 && is_current(inspector, thread))
        say(&waiting, "runs");
    else if (strcmp(state, "THREAD_RUNNABLE") == 0)
        say(&waiting, "is ready, priority %llu",
            (unsigned long long)value_number(inspector, &waiting.thread, "priority"));
    else if (strcmp(state, "THREAD_NEW") == 0)
        say(&waiting, "has not been started");
    else
        say(&waiting, "has ended");
    item_text(inspector->report, row, "what", text);
    if (blocked)
        report_wait(&waiting, thread, row);
}
