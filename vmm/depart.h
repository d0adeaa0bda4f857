/* depart.h - ending the process without waiting for the kernel to take the VM apart. */
#ifndef ZVMM_DEPART_H
#define ZVMM_DEPART_H

/*
 * End the process with `status` at once. The VM is taken apart afterwards by a helper process,
 * which needs no more than the time for that. Call it with the terminal restored, all output
 * flushed, and no other thread running.
 */
void depart(int status) __attribute__((noreturn));

#endif
