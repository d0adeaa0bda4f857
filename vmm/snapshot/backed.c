/* backed.c - guest pages that are there because of a file. */
#include "snapshot/backed.h"

#include "vm.h"

void page_set_add_runs(struct page_set *set, const struct snapshot_file *file)
{
    for (; file != NULL; file = snapshot_parent(file)) {
        uint64_t count;
        const struct zsnap_run *runs = snapshot_runs(file, &count);
        for (uint64_t i = 0; i < count; i++)
            page_set_add(set, runs[i].paddr, runs[i].length);
    }
}

void page_set_add_backed(struct page_set *set, const struct zvmm *vm)
{
    page_set_add_runs(set, vm->origin);
    for (uint32_t i = 0; i < vm->layout.count; i++)
        if (vm->origin == NULL && (vm->layout.ranges[i].type == ZV_MEM_KERNEL ||
                                   vm->layout.ranges[i].type == ZV_MEM_MODULE))
            page_set_add(set, vm->layout.ranges[i].base, vm->layout.ranges[i].length);
}
