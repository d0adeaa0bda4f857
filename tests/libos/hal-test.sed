# Makes tests/hal/hal-test.c fit hal-libos: the first address space is the first slice, and a page
# table has no frame of its own while it maps nothing.
s/^#define CODE .*/#define CODE 0x201000000ull/
s/^#define DATA .*/#define DATA 0x240000000ull/
s/^#define FAR .*/#define FAR  0x9000000000ull/
s/hal_page_table_unmap\(table, HAL_USER_BASE, .*/hal_page_table_unmap(table, 0x200000000ull, 0xf000000);/
s/is\(stats.page_table_frames, 1,/is(stats.page_table_frames, 0,/
