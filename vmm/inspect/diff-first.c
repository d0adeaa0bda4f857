/* diff-first.c - zvmm diff's explanation: which inputs differ, and what is the first difference. */
#include "inspect/diff-first.h"

#include <string.h>

#include "hypercall.h"
#include "inspect/locate.h"

enum { TEXT = 256 };

/* A value of one side as text. */
static void value_words(struct inspector *inspector, const struct value *value, char text[TEXT])
{
    struct report *report = report_new(), *before = inspector->report;
    struct item *map = report != NULL ? item_map(report, NULL, NULL) : NULL;
    text[0] = '\0';
    inspector->report = report;
    if (map != NULL)
        value_report(inspector, value, 1, map, "value");
    inspector->report = before;
    if (map != NULL && map->first != NULL)
        item_scalar_text(map->first, text, TEXT);
    report_free(report);
}

static void add_row(struct report *report, struct item *list, const char *field, const char *before,
                    const char *after)
{
    struct item *map = item_map(report, list, NULL);
    item_text(report, map, "field", field);
    item_text(report, map, "before", before);
    item_text(report, map, "after", after);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static const struct zv_boot_info *boot_info(struct inspector *inspector)
{
    struct value machine;
    uint64_t at;
    if (!value_variable(inspector, "machine", &machine))
        return NULL;
    at = value_number(inspector, &machine, "info");
    return at < ZV_DIRECT_MAP_BASE || at % 8 != 0
               ? NULL
               : target_physical(inspector->target, gpa(at - ZV_DIRECT_MAP_BASE),
                                 sizeof(struct zv_boot_info));
}

/* As --seed takes it. */
static void seed_words(const struct zv_boot_info *info, char text[TEXT])
{
    size_t top = sizeof(info->seed) - 1;
    while (top > 0 && info->seed[top] == 0)
        top--;
    int used = snprintf(text, TEXT, "0x");
    for (size_t i = top + 1; i-- > 0;)
        used += snprintf(text + used, TEXT - (size_t)used, "%02x", info->seed[i]);
}

static void cmdline_words(struct inspector *inspector, const struct zv_boot_info *info,
                          char text[TEXT])
{
    uint64_t length = info->cmdline_length < TEXT - 1 ? info->cmdline_length : TEXT - 1;
    const char *from = target_physical(inspector->target, gpa(info->cmdline_paddr), length);
    snprintf(text, TEXT, "%.*s", from != NULL ? (int)length : 0, from != NULL ? from : "");
}

static void add_number(struct report *report, struct item *list, const char *field, uint64_t a,
                       uint64_t b)
{
    char before[32], after[32];
    if (a == b)
        return;
    snprintf(before, sizeof(before), "%#llx", (unsigned long long)a);
    snprintf(after, sizeof(after), "%#llx", (unsigned long long)b);
    add_row(report, list, field, before, after);
}

void diff_inputs(struct report *report, struct item *root, const struct diff_side *a,
                 const struct diff_side *b)
{
    const struct zv_boot_info *x = boot_info(a->inspector), *y = boot_info(b->inspector);
    struct item *list = item_list(report, root, "inputs");
    char before[TEXT], after[TEXT];
    if (x == NULL || y == NULL)
        return;
    cmdline_words(a->inspector, x, before);
    cmdline_words(b->inspector, y, after);
    if (strcmp(before, after) != 0)
        add_row(report, list, "command line", before, after);
    if (memcmp(x->seed, y->seed, sizeof(x->seed)) != 0) {
        seed_words(x, before);
        seed_words(y, after);
        add_row(report, list, "seed", before, after);
    }
    add_number(report, list, "memory", x->memory_bytes, y->memory_bytes);
    add_number(report, list, "quirks", x->quirks, y->quirks);
    add_number(report, list, "features", x->features, y->features);
    add_number(report, list, "wall clock", x->wall_clock_ns, y->wall_clock_ns);
}

/* ---- The first difference -------------------------------------------------------------------- */

/* Only what the second machine uses is looked into. */
static bool is_worth_a_look(const struct diff_side *b, uint64_t frame)
{
    static const char *const skipped[] = {"never used", "free", "boot data", "frame records"};
    const struct object *object;
    uint64_t index;
    const char *class = frames_owner(b->frames, frame, &object, &index);
    for (unsigned i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (strcmp(class, skipped[i]) == 0)
            return false;
    return true;
}

static void add_first(struct report *report, struct item *root, const struct diff_side *a,
                      const struct diff_side *b, gpa_t at, const struct place *place)
{
    char before[TEXT], after[TEXT];
    uint64_t x, y, paddr = at.value & ~7ull;
    struct item *map = item_map(report, root, "first");
    if (place->typed) {
        value_words(a->inspector, &place->value, before);
        value_words(b->inspector, &place->value, after);
    } else {
        memcpy(&x, a->inspector->target->memory + paddr, sizeof(x));
        memcpy(&y, b->inspector->target->memory + paddr, sizeof(y));
        snprintf(before, sizeof(before), "%#llx", (unsigned long long)x);
        snprintf(after, sizeof(after), "%#llx", (unsigned long long)y);
    }
    item_hex(report, map, "physical", at.value);
    item_text(report, map, "what", place->words);
    item_text(report, map, "before", before);
    item_text(report, map, "after", after);
}

/* Whether the page has a difference that counts; the first is added. */
static bool look_into(struct report *report, struct item *root, const struct diff_side *a,
                      const struct diff_side *b, uint64_t paddr)
{
    const uint8_t *x = a->inspector->target->memory + paddr;
    const uint8_t *y = b->inspector->target->memory + paddr;
    struct place place;
    if (memcmp(x, y, PAGE_BYTES) == 0)
        return false;
    for (uint64_t i = 0; i < PAGE_BYTES; i++) {
        if (x[i] == y[i])
            continue;
        locate(b->inspector, b->frames, gpa(paddr + i), &place);
        if (place.in_use) {
            add_first(report, root, a, b, gpa(paddr + i), &place);
            return true;
        }
        i |= 7; /* the rest of the word is of the same kind */
    }
    return false;
}

void diff_first(struct report *report, struct item *root, const struct diff_side *a,
                const struct diff_side *b)
{
    uint64_t bytes = a->inspector->target->memory_bytes;
    if (b->inspector->target->memory_bytes < bytes)
        bytes = b->inspector->target->memory_bytes;
    for (uint64_t paddr = 0; paddr + PAGE_BYTES <= bytes; paddr += PAGE_BYTES)
        if (is_worth_a_look(b, paddr / PAGE_BYTES) && look_into(report, root, a, b, paddr))
            return;
}
