/* resume.c - a deterministic run's part of a snapshot, out and in. The file is hostile. */
#include <stdlib.h>
#include <string.h>

#include "determinism-state.h"
#include "determinism.h"
#include "snapshot/file.h"
#include "vm.h"

_Static_assert(sizeof(struct input_text) == sizeof(struct zsnap_input_text), "input_text");

const struct input_script *determinism_save(const struct zvmm *vm, struct zsnap_determinism *saved)
{
    const struct determinism *state = vm->determinism;
    *saved = (struct zsnap_determinism){.events = state->events,
                                        .input_taken = state->taken,
                                        .input_end = state->input.end,
                                        .preemptions = state->preemptions,
                                        .preempt = ZVMM_PREEMPT_TIME};
    const struct instruction_limit *limit = &state->exact.limit;
    if (limit->provider != NULL && instruction_limit_count(limit, &saved->instructions)) {
        saved->preempt = limit->provider == &counter_step ? ZVMM_PREEMPT_STEP : ZVMM_PREEMPT_PMU;
        saved->period = limit->period;
        saved->looked_at = limit->clock;
    }
    return &state->input;
}

static int damaged(const struct snapshot_file *file, const char *what, struct zvmm_error *error)
{
    return error_set(error, "%s: %s; the file is damaged", snapshot_path(file), what);
}

/* Texts follow each other in the bytes, and in time. */
static bool is_in_order(const struct input_script *script, uint64_t bytes)
{
    uint64_t time = 0, at = 0;
    for (uint32_t i = 0; i < script->count; i++) {
        const struct input_text *text = &script->texts[i];
        if (text->start != at || text->time < time)
            return false;
        at += text->length;
        time = text->time;
    }
    return at == bytes && script->end >= time;
}

static int load_input(struct input_script *script, const struct snapshot_file *file,
                      const struct zsnap_determinism *saved, struct zvmm_error *error)
{
    uint64_t bytes = 0, length = 0;
    const void *data = snapshot_section(file, ZSNAP_INPUT, &bytes);
    const void *texts = snapshot_section(file, ZSNAP_INPUT_TEXTS, &length);
    uint64_t count = length / sizeof(script->texts[0]);
    if (length % sizeof(script->texts[0]) != 0 || count > INPUT_SCRIPT_MAX ||
        bytes > 2ul * INPUT_SCRIPT_MAX || saved->input_taken > bytes)
        return damaged(file, "its input script is impossible", error);
    script->bytes = malloc(bytes + 1);
    script->texts = calloc(count + 1, sizeof(script->texts[0]));
    if (script->bytes == NULL || script->texts == NULL)
        return error_set(error, "%s: out of memory", snapshot_path(file));
    if (bytes != 0)
        memcpy(script->bytes, data, bytes);
    if (count != 0)
        memcpy(script->texts, texts, length);
    script->count = (uint32_t)count;
    script->end = saved->input_end;
    if (!is_in_order(script, bytes))
        return damaged(file, "its input script is out of order", error);
    return 0;
}

int determinism_resume(struct zvmm *vm, const struct snapshot_file *file, struct zvmm_error *error)
{
    uint64_t length;
    const struct zsnap_determinism *saved = snapshot_section(file, ZSNAP_DETERMINISM, &length);
    if (saved == NULL || length != sizeof(*saved))
        return error_set(error,
                         "%s: does not say where its deterministic run stands; look at it with "
                         "zvmm inspect, or replay the run",
                         snapshot_path(file));
    if (determinism_new(vm, error) != 0)
        return -1;
    vm->determinism->events = saved->events;
    vm->determinism->taken = saved->input_taken;
    vm->determinism->preemptions = saved->preemptions;
    if (saved->preempt > ZVMM_PREEMPT_STEP || saved->instructions > INT64_MAX ||
        saved->period > INT64_MAX)
        return damaged(file, "its rule of preemption is impossible", error);
    vm->config.preempt = saved->preempt;
    vm->config.preempt_period = saved->period;
    vm->determinism->instructions = saved->instructions;
    vm->determinism->looked_at = saved->looked_at;
    return load_input(&vm->determinism->input, file, saved, error);
}
