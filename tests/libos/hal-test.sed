# The first address space has the first slice.
s/^#define CODE .*/#define CODE 0x201000000ull/
s/^#define DATA .*/#define DATA 0x240000000ull/
s/^#define FAR .*/#define FAR  0x9000000000ull/
s/hal_page_table_unmap\(table, HAL_USER_BASE, .*/hal_page_table_unmap(table, 0x200000000ull, 0x10000000);/
s/is\(stats.page_table_frames, 1,/is(stats.page_table_frames, 0,/
