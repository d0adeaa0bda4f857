/*
 * hello: prints one line. The smallest program; a boot of it measures what booting costs.
 */
#include <stdio.h>

int main(void)
{
    puts("Hello from user space!");
    return 0;
}
