/* draw.c - objects and what connects them, in Graphviz's language. */
#include <string.h>

#include "inspect/verb.h"

enum { WORDS = 160, SIGNALS = 128 };

/* The colours are those of one of Graphviz's schemes: tasks, memory, channels, the rest. */
static const struct {
    const char *type, *shape, *colour;
} looks[] = {
    {"job", "folder", "#fdb462"}, {"process", "box3d", "#ffffb3"}, {"thread", "ellipse", "#b3de69"},
    {"vmo", "note", "#bebada"},   {"vmar", "tab", "#d9d9d9"},      {"channel", "cds", "#80b1d3"},
    {"socket", "cds", "#80b1d3"}, {"fifo", "cds", "#80b1d3"},      {"eventpair", "cds", "#8dd3c7"},
    {"port", "house", "#fb8072"},
};

static void print_quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fputc('\\', out);
        fputc(byte >= ' ' && byte < 0x7f ? byte : '.', out);
    }
}

static void draw_node(struct inspector *inspector, const struct object *object)
{
    char words[WORDS];
    const char *shape = "box", *colour = "#ffffff";
    for (unsigned i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        if (object_is(object, looks[i].type)) {
            shape = looks[i].shape;
            colour = looks[i].colour;
        }
    }
    object_words(inspector, object, words, sizeof(words));
    fprintf(inspector->out, "  o%llu [label=\"", (unsigned long long)object->koid);
    print_quoted(inspector->out, words);
    fprintf(inspector->out, "\" shape=%s fillcolor=\"%s\"];\n", shape, colour);
}

/* One edge for all the handles that a process has to an object. */
static bool is_first(const struct reference *reference)
{
    for (const struct reference *at = reference->object->references; at != reference; at = at->next)
        if (at->holder == reference->holder && at->kind == reference->kind &&
            strcmp(at->label, reference->label) == 0)
            return false;
    return true;
}

static void draw_edge(struct inspector *inspector, const struct reference *at)
{
    const char *style = at->kind == REFERENCE_HANDLE    ? "color=black"
                        : at->kind == REFERENCE_MESSAGE ? "color=blue"
                        : at->kind == REFERENCE_MAPPING ? "color=purple style=dashed"
                                                        : "color=gray50 style=dotted";
    if (at->holder == NULL || !at->holder->drawn || at->holder == at->object || !is_first(at))
        return;
    /* Lists show these from above. */
    if (strcmp(at->label, "process") == 0 || strcmp(at->label, "job") == 0 ||
        strcmp(at->label, "parent") == 0)
        return;
    bool peers = strcmp(at->label, "peer") == 0;
    if (peers && at->holder->koid > at->object->koid)
        return; /* drawn from the other end */
    fprintf(inspector->out, "  o%llu -> o%llu [%s", (unsigned long long)at->holder->koid,
            (unsigned long long)at->object->koid, style);
    if (at->kind != REFERENCE_HANDLE)
        fprintf(inspector->out, " label=\"%s\"", at->label);
    fprintf(inspector->out, "%s];\n", peers ? " dir=both" : "");
}

struct waiter {
    struct inspector *inspector;
    const struct object *thread;
};

static void draw_wait(void *arg, struct object *object, uint32_t signals)
{
    const struct waiter *waiter = arg;
    char words[SIGNALS] = "waits for it";
    if (!object->drawn)
        return;
    if (signals != 0)
        signals_words(object->type->number, signals, words, sizeof(words));
    fprintf(waiter->inspector->out,
            "  o%llu -> o%llu [color=red penwidth=2 fontcolor=red label=\"%s%s\"];\n",
            (unsigned long long)waiter->thread->koid, (unsigned long long)object->koid,
            signals != 0 ? "waits for " : "", words);
}

static bool is_blocked(struct inspector *inspector, const struct object *object)
{
    struct value value = object_value(inspector, object);
    return object_is(object, "thread") && value_number(inspector, &value, "wait.kind") != 0;
}

static int draw_marked(struct inspector *inspector)
{
    struct census *census = inspector->census;
    fputs("digraph objects {\n"
          "  rankdir=LR;\n"
          "  node [fontname=\"sans-serif\" fontsize=10 style=filled];\n"
          "  edge [fontname=\"sans-serif\" fontsize=8];\n",
          inspector->out);
    for (size_t i = 0; i < census_count(census); i++)
        if (census_object(census, i)->drawn)
            draw_node(inspector, census_object(census, i));
    for (size_t i = 0; i < census_count(census); i++) {
        const struct object *object = census_object(census, i);
        if (!object->drawn)
            continue;
        for (const struct reference *at = object->references; at != NULL; at = at->next)
            draw_edge(inspector, at);
        struct waiter waiter = {.inspector = inspector, .thread = object};
        if (is_blocked(inspector, object))
            wait_visit(inspector, object, draw_wait, &waiter);
    }
    fputs("}\n", inspector->out);
    return 0;
}

static void mark_all(struct census *census, bool drawn)
{
    for (size_t i = 0; i < census_count(census); i++)
        census_object(census, i)->drawn = drawn;
}

int draw_all(struct inspector *inspector, int argc, char *argv[])
{
    struct census *census = census_of(inspector);
    (void)argc;
    (void)argv;
    if (census == NULL)
        return -1;
    mark_all(census, true);
    return draw_marked(inspector);
}

static void mark_holders(struct object *object)
{
    object->drawn = true;
    for (const struct reference *at = object->references; at != NULL; at = at->next)
        if (at->kind == REFERENCE_HANDLE && at->holder != NULL)
            at->holder->drawn = true;
}

static void mark_waited(void *arg, struct object *object, uint32_t signals)
{
    struct inspector *inspector = arg;
    struct value value = object_value(inspector, object);
    struct object *peer =
        census_by_address(inspector->census, value_number(inspector, &value, "peer"));
    (void)signals;
    mark_holders(object);
    if (peer != NULL)
        mark_holders(peer);
}

static void mark_thread(struct inspector *inspector, struct object *thread)
{
    struct value value = object_value(inspector, thread);
    struct object *process =
        census_by_address(inspector->census, value_number(inspector, &value, "process"));
    thread->drawn = true;
    if (process != NULL)
        process->drawn = true;
    wait_visit(inspector, thread, mark_waited, inspector);
}

/* The blocked threads of `only`, or of every process that is in the picture: whether there were
 * new ones. */
static bool mark_blocked(struct inspector *inspector, const struct object *only)
{
    bool found = false;
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        struct object *thread = census_object(inspector->census, i);
        struct value value = object_value(inspector, thread);
        const struct object *process =
            census_by_address(inspector->census, value_number(inspector, &value, "process"));
        if (thread->drawn || process == NULL || !is_blocked(inspector, thread) ||
            (only != NULL ? process != only : !process->drawn))
            continue;
        mark_thread(inspector, thread);
        found = true;
    }
    return found;
}

int draw_waits(struct inspector *inspector, int argc, char *argv[])
{
    struct census *census = census_of(inspector);
    struct object *only = NULL;
    if (census == NULL ||
        (argc > 1 && (only = object_argument(inspector, argv[1], "process")) == NULL))
        return -1;
    mark_all(census, false);
    for (size_t i = 0; only == NULL && i < census_count(census); i++)
        census_object(census, i)->drawn = object_is(census_object(census, i), "process");
    mark_blocked(inspector, only);
    /* Who could end a wait may wait, too: so a circle is drawn whole. */
    while (mark_blocked(inspector, NULL)) {
    }
    return draw_marked(inspector);
}

static void mark_neighbours(struct object *object)
{
    object->drawn = true;
    for (const struct reference *at = object->references; at != NULL; at = at->next)
        if (at->holder != NULL)
            at->holder->drawn = true;
    for (const struct reference *at = object->holds; at != NULL; at = at->other)
        at->object->drawn = true;
}

int draw_object(struct inspector *inspector, int argc, char *argv[])
{
    struct object *object = object_argument(inspector, argv[1], NULL);
    (void)argc;
    if (object == NULL)
        return -1;
    mark_all(inspector->census, false);
    mark_neighbours(object);
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        struct object *thread = census_object(inspector->census, i);
        if (is_blocked(inspector, thread)) {
            struct value value = object_value(inspector, thread);
            struct object *process =
                census_by_address(inspector->census, value_number(inspector, &value, "process"));
            thread->drawn = thread->drawn || (process != NULL && process->drawn);
        }
    }
    return draw_marked(inspector);
}
