/*
 * kcounter.h - counters of the kernel's own events, which programs can read.
 *
 * A counter is two entries of the section .kcounters: a descriptor with its name in a table that
 * the linker sorts, and its value at the same place of an array. Userboot gets both as VMOs, in
 * Zircon's layout: "counters/desc" is struct kcounter_table, "counters/arena" the values. To add a
 * counter, define it in the file that counts:
 *
 *     KCOUNTER(threads_created, "thread.created");
 *     ...
 *     kcounter_add(&threads_created, 1);
 *
 * Each value has one CPU's events; there is one CPU today. A debugger finds both arrays by the
 * names kcounter_descriptors and kcounter_values.
 */
#ifndef ZVMM_OBJECT_KCOUNTER_H
#define ZVMM_OBJECT_KCOUNTER_H

#include <stdint.h>

#define KCOUNTER_MAGIC 1547273975u /* the layout's, in kcounter_table.magic */
#define KCOUNTER_SUM   1u          /* the only type there is */

struct kcounter_descriptor {
    char name[56];
    uint64_t type;
};

struct kcounter_table {
    uint64_t magic;
    uint64_t max_cpus; /* arrays of values in the arena */
    uint64_t bytes;    /* of descriptors */
    struct kcounter_descriptor descriptors[];
};

/* Made by the linker script: whole pages. */
extern const struct kcounter_table kcounter_table;
extern const struct kcounter_descriptor kcounter_descriptors[], kcounter_descriptors_end[];
extern int64_t kcounter_values[], kcounter_values_end[];

#define KCOUNTER(id, text)                                                                         \
    static const struct kcounter_descriptor descriptor_of_##id                                     \
        __attribute__((section("kcounter_desc." text), used, aligned(8))) = {text, KCOUNTER_SUM};  \
    static int64_t id __attribute__((section("kcounter_value." text), used, aligned(8)))

static inline void kcounter_add(int64_t *counter, int64_t n)
{
    *counter += n;
}

#endif
