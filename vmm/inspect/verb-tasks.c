/* verb-tasks.c - jobs, ps, threads: who runs. */
#include <string.h>

#include "inspect/verb.h"

enum { WORDS = 256, DEPTH_MAX = 64 };

static void add_name(struct inspector *inspector, const struct object *object, struct item *map)
{
    char name[64];
    object_name(inspector, object, name, sizeof(name));
    item_text(inspector->report, map, "name", name);
}

static uint64_t count_held(const struct object *object, enum reference_kind kind, const char *label)
{
    uint64_t count = 0;
    for (const struct reference *at = object->holds; at != NULL; at = at->other)
        count += at->kind == kind && strcmp(at->label, label) == 0;
    return count;
}

static void add_state(struct inspector *inspector, const struct object *object, const char *prefix,
                      struct item *map)
{
    struct value value = object_value(inspector, object), at;
    const char *name = NULL;
    if (value_path(inspector, &value, "state", &at))
        name = type_enumerator(&at.type, (int64_t)value_number(inspector, &at, ""));
    if (name != NULL && strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    item_text(inspector->report, map, "state", name != NULL ? name : "(damaged)");
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void add_process_row(struct inspector *inspector, const struct object *process,
                            struct item *list)
{
    struct item *map = item_map(inspector->report, list, NULL);
    struct value value = object_value(inspector, process);
    item_number(inspector->report, map, "koid", process->koid);
    add_name(inspector, process, map);
    add_state(inspector, process, "PROCESS_", map);
    item_number(inspector->report, map, "threads",
                count_held(process, REFERENCE_POINTER, "threads"));
    item_number(inspector->report, map, "handles",
                value_number(inspector, &value, "handles.count"));
}

static void add_job(struct inspector *inspector, const struct object *job, struct item *map,
                    unsigned depth)
{
    struct value value = object_value(inspector, job);
    item_number(inspector->report, map, "koid", job->koid);
    add_name(inspector, job, map);
    add_state(inspector, job, "JOB_", map);
    if (value_number(inspector, &value, "kill_on_oom") != 0)
        item_bool(inspector->report, map, "kill_on_oom", true);
    struct item *processes = item_list(inspector->report, map, "processes");
    struct item *jobs = item_list(inspector->report, map, "jobs");
    for (const struct reference *at = job->holds; at != NULL; at = at->other) {
        if (strcmp(at->label, "processes") == 0 && object_is(at->object, "process"))
            add_process_row(inspector, at->object, processes);
        else if (strcmp(at->label, "jobs") == 0 && object_is(at->object, "job") &&
                 depth < DEPTH_MAX)
            add_job(inspector, at->object, item_map(inspector->report, jobs, NULL), depth + 1);
    }
}

static struct item *run_jobs(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct census *census = census_of(inspector);
    (void)argc;
    (void)argv;
    if (census == NULL)
        return NULL;
    if (census_count(census) > 0 && object_is(census_object(census, 0), "job"))
        add_job(inspector, census_object(census, 0), root, 0);
    return root;
}

static void print_line(FILE *out, const struct item *map, const char *type, unsigned depth)
{
    fprintf(out, "%*s%s %llu", (int)depth * 4, "", type,
            (unsigned long long)item_find_number(map, "koid"));
    if (item_find_text(map, "name")[0] != '\0') {
        fputs(" '", out);
        print_harmless(out, item_find_text(map, "name"));
        fputc('\'', out);
    }
    fprintf(out, " %s", item_find_text(map, "state"));
}

static void print_job(FILE *out, const struct item *job, unsigned depth)
{
    const struct item *processes = item_find(job, "processes"), *jobs = item_find(job, "jobs");
    print_line(out, job, "job", depth);
    fputc('\n', out);
    for (const struct item *at = processes != NULL ? processes->first : NULL; at != NULL;
         at = at->next) {
        print_line(out, at, "process", depth + 1);
        fprintf(out, ", %llu threads, %llu handles\n",
                (unsigned long long)item_find_number(at, "threads"),
                (unsigned long long)item_find_number(at, "handles"));
    }
    for (const struct item *at = jobs != NULL ? jobs->first : NULL; at != NULL; at = at->next)
        print_job(out, at, depth + 1);
}

static void print_jobs(FILE *out, const struct item *root)
{
    print_job(out, root, 0);
}

const struct verb verb_jobs = {
    .name = "jobs",
    .arguments = "",
    .summary = "the tree of jobs and processes",
    .run = run_jobs,
    .print = print_jobs,
    .draw = draw_all,
};

/* ---- ps -------------------------------------------------------------------------------------- */

static struct item *run_ps(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct census *census = census_of(inspector);
    (void)argc;
    (void)argv;
    if (census == NULL)
        return NULL;
    struct item *list = item_list(inspector->report, root, "processes");
    for (size_t i = 0; i < census_count(census); i++) {
        struct object *process = census_object(census, i);
        if (!object_is(process, "process"))
            continue;
        struct value value = object_value(inspector, process);
        struct item *map = item_map(inspector->report, list, NULL);
        const struct object *job =
            census_by_address(census, value_number(inspector, &value, "job"));
        item_number(inspector->report, map, "koid", process->koid);
        item_number(inspector->report, map, "job", job != NULL ? job->koid : 0);
        add_state(inspector, process, "PROCESS_", map);
        item_number(inspector->report, map, "threads",
                    count_held(process, REFERENCE_POINTER, "threads"));
        item_number(inspector->report, map, "handles",
                    value_number(inspector, &value, "handles.count"));
        item_number(inspector->report, map, "mapped_kib",
                    value_number(inspector, &value, "aspace->mapped_pages") * 4);
        item_signed(inspector->report, map, "exit",
                    (int64_t)value_number(inspector, &value, "return_code"));
        add_name(inspector, process, map);
    }
    return root;
}

const struct verb verb_ps = {
    .name = "ps",
    .arguments = "",
    .summary = "all processes",
    .run = run_ps,
    .print = report_print_list,
};

/* ---- threads --------------------------------------------------------------------------------- */

static void add_thread(struct inspector *inspector, const struct object *thread, struct item *list)
{
    struct value value = object_value(inspector, thread);
    struct item *map = item_map(inspector->report, list, NULL);
    char words[WORDS];
    const struct object *process =
        census_by_address(inspector->census, value_number(inspector, &value, "process"));
    item_number(inspector->report, map, "koid", thread->koid);
    add_name(inspector, thread, map);
    item_number(inspector->report, map, "pid", process != NULL ? process->koid : 0);
    if (process != NULL)
        object_name(inspector, process, words, sizeof(words));
    item_text(inspector->report, map, "process", process != NULL ? words : "");
    thread_report(inspector, thread, map);
}

static struct item *run_threads(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct census *census = census_of(inspector);
    struct object *only = NULL;
    if (census == NULL ||
        (argc > 1 && (only = object_argument(inspector, argv[1], "process")) == NULL))
        return NULL;
    struct item *list = item_list(inspector->report, root, "threads");
    for (size_t i = 0; i < census_count(census); i++) {
        struct object *thread = census_object(census, i);
        struct value value = object_value(inspector, thread);
        if (object_is(thread, "thread") &&
            (only == NULL || value_number(inspector, &value, "process") == only->address))
            add_thread(inspector, thread, list);
    }
    return root;
}

const struct verb verb_threads = {
    .name = "threads",
    .arguments = "[PID]",
    .summary = "threads: what each does, what it waits on and for how long",
    .max = 1,
    .run = run_threads,
    .print = report_print_list,
    .draw = draw_waits,
};
