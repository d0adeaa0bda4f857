/* door.h - the hypercall door: everything the guest asks of zvmm comes through here. */
#ifndef ZVMM_DOOR_H
#define ZVMM_DOOR_H

#include <stdint.h>

struct zvmm;

/* Serve the struct zv_call at guest-physical `address` (what the guest wrote to ZV_CALL_PORT). */
void door_enter(struct zvmm *vm, uint32_t address);

#endif
