/* monitor.c - gdb's "monitor" commands: what gdb has no command for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb/session.h"
#include "inspect/inspect.h"
#include "snapshot/file.h"
#include "vm.h"

/* ---- info exits ----------------------------------------------------------------------------- */

static const char *const exit_names[ZVMM_STATS_REASONS] = {
    [0] = "interrupted by a signal",       [KVM_EXIT_IO] = "port I/O (hypercalls)",
    [KVM_EXIT_DEBUG] = "debugging",        [KVM_EXIT_HLT] = "halt",
    [KVM_EXIT_MMIO] = "memory-mapped I/O", [KVM_EXIT_IRQ_WINDOW_OPEN] = "ready for an interrupt",
    [KVM_EXIT_SHUTDOWN] = "shutdown",      [KVM_EXIT_FAIL_ENTRY] = "entry failed",
    [KVM_EXIT_INTR] = "interrupted",       [KVM_EXIT_INTERNAL_ERROR] = "internal error",
};

static void info_exits(struct gdb *gdb, const char *args, FILE *out)
{
    (void)args;
    const struct zvmm_stats *stats = zvmm_stats(gdb->vm);
    fprintf(out, "%llu stays in the guest, %llu hypercalls, %llu interrupts injected\n",
            (unsigned long long)stats->runs, (unsigned long long)stats->hypercalls,
            (unsigned long long)stats->injected);
    for (unsigned i = 0; i < ZVMM_STATS_REASONS; i++)
        if (stats->exits[i] != 0)
            fprintf(out, "%10llu  %s (KVM exit %u)\n", (unsigned long long)stats->exits[i],
                    exit_names[i] != NULL ? exit_names[i] : "other", i);
}

/* ---- info debug ----------------------------------------------------------------------------- */

static void info_debug(struct gdb *gdb, const char *args, FILE *out)
{
    (void)args;
    bool emulated = (gdb->vm->quirks & ZV_QUIRK_SLOW_RING0) != 0;
    hardware_probe(&gdb->hardware, gdb->vm);
    fprintf(out, "breakpoints (break): in the kernel by %s, in user code by int3\n",
            gdb->vm->kvm.irqchip ? "out or int3" : "hlt");
    fprintf(out, "hardware breakpoints (hbreak): %s\n",
            !gdb->hardware.execute ? "none on this KVM"
            : emulated             ? "4, in the kernel only"
                                   : "4");
    fprintf(out, "watchpoints (watch): %s\n",
            gdb->hardware.watch ? "4, by debug registers"
                                : "by single steps, of values that change");
    fprintf(out, "read watchpoints (rwatch, awatch): %s\n",
            gdb->hardware.watch ? "by debug registers; both stop at reads and writes"
                                : "none on this KVM");
}

/* ---- snapshot ------------------------------------------------------------------------------- */

static void snapshot(struct gdb *gdb, const char *args, FILE *out)
{
    struct zvmm_error error;
    if (args[0] == '\0')
        fputs("monitor: snapshot needs a file: monitor snapshot FILE\n", out);
    else if (zvmm_snapshot(gdb->vm, args, NULL, &error) != 0)
        fprintf(out, "monitor: %s\n", error.text);
    else
        fprintf(out, "the machine is in %s\n", args);
}

/* ---- inspect -------------------------------------------------------------------------------- */

enum { WORDS_MAX = 32 };

static void run_inspector(struct inspector *inspector, char *line, FILE *out)
{
    char *words[WORDS_MAX], *save = NULL;
    struct zvmm_error error;
    int count = 0;
    for (char *word = strtok_r(line, " \t", &save); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " \t", &save))
        words[count++] = word;
    if (count == 0)
        inspect_print_commands(out);
    else if (inspect_answer(inspector, count, words, out, &error) != 0)
        fprintf(out, "monitor: %s\n", error.text);
}

static void inspect(struct gdb *gdb, const char *args, FILE *out)
{
    struct zvmm_error error;
    struct target target;
    struct inspector *inspector;
    char *line = strdup(args);
    if (line == NULL)
        return;
    if (target_from_vm(gdb->vm, &target, &error) != 0 ||
        inspector_open(&target, NULL, false, &inspector, &error) != 0) {
        fprintf(out, "monitor: %s\n", error.text);
    } else {
        run_inspector(inspector, line, out);
        inspector_close(inspector);
    }
    free(line);
}

/* ---- The table ------------------------------------------------------------------------------ */

static void help(struct gdb *gdb, const char *args, FILE *out);

static const struct {
    const char *name, *arguments, *summary;
    void (*run)(struct gdb *gdb, const char *args, FILE *out);
} table[] = {
    {"help", "", "this text", help},
    {"info debug", "", "which breakpoints and watchpoints this KVM has", info_debug},
    {"info exits", "", "how often the guest has left KVM_RUN, and why", info_exits},
    {"inspect", " COMMAND ...", "what zvmm inspect shows; without COMMAND a list", inspect},
    {"snapshot", " FILE", "write the machine to a snapshot file", snapshot},
};

static void help(struct gdb *gdb, const char *args, FILE *out)
{
    (void)gdb;
    (void)args;
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int width = fprintf(out, "monitor %s%s", table[i].name, table[i].arguments);
        fprintf(out, "%*s%s\n", width < 30 ? 30 - width : 1, "", table[i].summary);
    }
}

static void run(struct gdb *gdb, const char *command, FILE *out)
{
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t length = strlen(table[i].name);
        const char *args = command + length;
        if (strncmp(command, table[i].name, length) != 0 || (*args != '\0' && *args != ' '))
            continue;
        cpu_release(&gdb->cpu); /* what gdb has written is in the machine */
        table[i].run(gdb, args + strspn(args, " "), out);
        return;
    }
    fprintf(out, "monitor: no command '%.80s'; monitor help lists them\n", command);
}

char *monitor_run(struct gdb *gdb, const char *command)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return NULL;
    run(gdb, command, out);
    return fclose(out) == 0 ? text : NULL;
}
