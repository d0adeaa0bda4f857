/*
 * fuzz SNAPSHOT ROUNDS SEED: damages the kernel's memory at random and runs every command of the
 * inspector on it. Nothing may crash, hang or read outside the snapshot (build it with
 * sanitizers). Half of the damage are flipped bits, half are words copied from elsewhere: pointers
 * that lead to the wrong place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "snapshot/file.h"

enum { HITS = 24, ROUND_SECONDS = 20 };

struct place {
    uint64_t *at, old;
};

/* Pages of the kernel's heap are those that hold pointers into the direct map. */
static uint64_t *find_words(uint8_t *memory, uint64_t bytes, size_t *count)
{
    uint64_t *found = calloc(bytes / 512, sizeof(*found));
    for (uint64_t at = 0; at + 8 <= bytes && *count < bytes / 512; at += 8) {
        uint64_t word;
        memcpy(&word, memory + at, sizeof(word));
        if (word >> 47 == 0x1ffff)
            found[(*count)++] = at;
        if (at % PAGE_BYTES == 0 && word == 0 &&
            memcmp(memory + at, memory + at + 8, PAGE_BYTES - 8) == 0)
            at += PAGE_BYTES - 8;
    }
    return found;
}

static void damage(struct place *place, uint8_t *memory, const uint64_t *words, size_t count)
{
    uint64_t at = words[(size_t)random() % count];
    /* The word itself, or one near it that is no pointer. */
    uint64_t near = (at & ~63ull) + (uint64_t)(random() % 8) * 8;
    place->at = (uint64_t *)(memory + (random() % 2 ? at : near));
    place->old = *place->at;
    switch (random() % 4) {
    case 0:
        *place->at ^= 1ull << random() % 64;
        break;
    case 1:
        *place->at = (uint64_t)random() << (random() % 48);
        break;
    default:
        memcpy(place->at, memory + words[(size_t)random() % count], sizeof(uint64_t));
    }
}

static void run(struct inspector *inspector, FILE *out, const char *line)
{
    char text[128], *argv[8];
    int argc = 0;
    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word != NULL && argc < 8; word = strtok(NULL, " "))
        argv[argc++] = word;
    inspect_run(inspector, argc, argv, out);
}

static void run_all(struct inspector *inspector, FILE *out, unsigned round)
{
    static const char *const lines[] = {
        "summary",
        "jobs",
        "ps",
        "threads",
        "threads --json",
        "threads --dot",
        "jobs --dot",
        "vmo",
        "ports",
        "timers",
        "klog",
        "counters",
        "bt",
        "ktrace",
        "print kernel",
        "print cpu0",
        "print $1024",
        "vmar 1047",
        "handles 1047",
        "bt 1048",
        "bt 1095",
        "object 1047 --dot",
    };
    char line[64];
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        run(inspector, out, lines[i]);
    for (unsigned koid = 1024 + round % 8; koid < 1110; koid += 8) {
        snprintf(line, sizeof(line), "object %u", koid);
        run(inspector, out, line);
        snprintf(line, sizeof(line), "vmo %u", koid);
        run(inspector, out, line);
    }
}

int main(int argc, char *argv[])
{
    struct snapshot_file *file;
    struct inspector *inspector;
    struct target target;
    struct zvmm_error error;
    struct place places[HITS];
    size_t count = 0;
    uint8_t *memory;
    FILE *out = fopen("/dev/null", "w");
    if (argc < 4 || snapshot_open(&file, argv[1], &error) != 0 ||
        snapshot_target(file, &target, &error) != 0 || snapshot_map(file, &memory, &error) != 0) {
        fprintf(stderr, "fuzz: %s\n", argc < 4 ? "usage: fuzz SNAPSHOT ROUNDS SEED" : error.text);
        return 2;
    }
    target.memory = memory;
    if (inspector_open(&target, NULL, false, &inspector, &error) != 0)
        return fprintf(stderr, "fuzz: %s\n", error.text), 2;
    uint64_t *words = find_words(memory, target.memory_bytes, &count);
    if ((getenv("LOUD") == NULL && freopen("/dev/null", "w", stderr) == NULL) || count == 0)
        return 2;
    srandom((unsigned)atoi(argv[3]));
    for (unsigned round = 0; round < (unsigned)atoi(argv[2]); round++) {
        unsigned hits = 1 + (unsigned)random() % HITS;
        alarm(ROUND_SECONDS);
        for (unsigned i = 0; i < hits; i++)
            damage(&places[i], memory, words, count);
        inspector_refresh(inspector);
        run_all(inspector, out, round);
        while (hits-- > 0)
            *places[hits].at = places[hits].old;
    }
    inspector_close(inspector);
    snapshot_close(file);
    munmap(memory, target.memory_bytes);
    free(words);
    fclose(out);
    puts("survived");
    return 0;
}
