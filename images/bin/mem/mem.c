/*
 * mem: what the machine's memory is used for, and how much of it each process has.
 */
#include <stdio.h>
#include <zircon/zircon.h>
#include <zircon/process.h>
#include <zvmm/tasks.h>

static void print_line(const char *what, uint64_t bytes)
{
    printf("%-20s %10lu KiB\n", what, bytes / 1024);
}

static void print_process(const struct task *task, void *context)
{
    zx_info_task_stats_t stats;
    char name[ZX_MAX_NAME_LEN];

    (void)context;
    if (task->type != TASK_PROCESS || zx_object_get_info(task->handle, ZX_INFO_TASK_STATS, &stats,
                                                         sizeof(stats), NULL, NULL) != ZX_OK)
        return;
    object_name(task->handle, name);
    printf("%6lu %-20s %10lu %10lu %10lu\n", task->koid, name, stats.mem_mapped_bytes / 1024,
           stats.mem_private_bytes / 1024, stats.mem_shared_bytes / 1024);
}

static zx_status_t print_machine(void)
{
    zx_info_kmem_stats_t stats;

    zx_status_t status = zx_object_get_info(zx_get_startup_handle(PA_HND(PA_RESOURCE, 0)),
                                            ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL);
    if (status != ZX_OK)
        return status;
    print_line("total", stats.total_bytes);
    print_line("free", stats.free_bytes);
    print_line("kernel image", stats.wired_bytes);
    print_line("kernel heap", stats.total_heap_bytes);
    print_line("  of it free", stats.free_heap_bytes);
    print_line("memory objects", stats.vmo_bytes);
    print_line("page tables", stats.mmu_overhead_bytes);
    print_line("messages", stats.ipc_bytes);
    print_line("other", stats.other_bytes);
    return ZX_OK;
}

int main(void)
{
    zx_status_t status = print_machine();

    if (status == ZX_OK) {
        printf("\n%6s %-20s %10s %10s %10s\n", "KOID", "PROCESS (KiB)", "MAPPED", "PRIVATE",
               "SHARED");
        status = tasks_walk(zx_job_default(), print_process, NULL);
    }
    if (status != ZX_OK) {
        fprintf(stderr, "mem: %s\n", zx_status_get_string(status));
        return 1;
    }
    return 0;
}
