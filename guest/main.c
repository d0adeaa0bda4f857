/*
 * main.c - the life of the kernel on one page.
 *
 * The HAL has set up the processor, memory, traps and console before it calls kernel_main. What is
 * made here once (struct kernel, struct cpu) is reached from then on through the CPU pointer.
 */
#include <zircon/errors.h>
#include <zircon/log.h>

#include "debuglog.h"
#include "format.h"
#include "guest.h"
#include "job.h"
#include "name.h"
#include "resource.h"
#include "string.h"

#define LOG_SIZE (32u << 10) /* bytes of kernel log */

static struct cpu boot_cpu;
static struct kernel the_kernel;

/* Whether `word` is one of the space-separated words of the command line. */
static bool has_word(const char *cmdline, const char *word)
{
    size_t length = strlen(word);

    while (*cmdline) {
        const char *end = strchr(cmdline, ' ');
        size_t n = end ? (size_t)(end - cmdline) : strlen(cmdline);

        if (n == length && memcmp(cmdline, word, n) == 0)
            return true;
        cmdline += n + (end != NULL);
    }
    return false;
}

static void must(zx_status_t status, const char *what)
{
    if (status != ZX_OK)
        panic("start-up: %s: status %d", what, status);
}

_Noreturn void kernel_main(const struct hal_boot *boot)
{
    struct kernel *k = &the_kernel;
    struct options options = {
        .verbose = has_word(boot->cmdline, "kernel.verbose"),
        .markers = has_word(boot->cmdline, "kernel.markers"),
    };

    k->boot = boot;
    k->next_koid = ZX_KOID_FIRST;
    k->verbose = options.verbose;
    k->process_markers = has_word(boot->cmdline, "kernel.process-markers");
    k->utc_offset = hal_wall_clock_offset();
    TAILQ_INIT(&k->console_readers);
    TAILQ_INIT(&k->dying);
    STAILQ_INIT(&k->dead_messages);
    k->in_steps = true;
    executor_init(&boot_cpu, k);

    must(debuglog_create(LOG_SIZE, &k->log), "kernel log");
    must(job_create(NULL, &k->root_job), "root job");
    must(resource_create_root(&k->root_resource), "root resource");
    name_set(k->root_job->name, ZX_MAX_NAME_LEN, "root", ZX_MAX_NAME_LEN);
    klog(ZX_LOG_INFO, "kernel: %lu MiB, command line \"%s\"", boot->memory_bytes >> 20,
         boot->cmdline);

    userboot_start(boot);
    kernel_loop(&options);
}
