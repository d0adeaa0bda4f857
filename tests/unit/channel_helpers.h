/*
 * channel_helpers.h - what the channel tests share.
 */
#ifndef ZVMM_TESTS_CHANNEL_HELPERS_H
#define ZVMM_TESTS_CHANNEL_HELPERS_H

#include "helpers.h"

#include <zircon/ipc.h>

#include "channel.h"

/* Where things are in the fixture's user memory. */
enum {
    OUT0 = 0,
    OUT1 = 8,
    ACTUAL_BYTES = 16,
    ACTUAL_HANDLES = 24,
    ARGS = 64,
    HANDLES = 0x400,
    HANDLES_OUT = 0x2400,
    BYTES = 0x8000,
    BYTES_OUT = 0x20000,
};

static inline void make(zx_handle_t *a, zx_handle_t *b)
{
    assert_int_equal(sys_channel_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    *a = fixture_handle_at(OUT0);
    *b = fixture_handle_at(OUT1);
}

static inline struct channel *get(zx_handle_t handle)
{
    struct channel *channel;

    assert_int_equal(handle_get(fix.process, handle, ZX_OBJ_TYPE_CHANNEL, 0, &channel), ZX_OK);
    return channel;
}

static inline int write_text(zx_handle_t handle, const char *text)
{
    fixture_poke(BYTES, text, strlen(text));
    return (int)sys_channel_write(SELF, handle, 0, U(BYTES), (uint32_t)strlen(text), NONE, 0);
}

static inline int write_handles(zx_handle_t handle, const zx_handle_t *handles, uint32_t n)
{
    fixture_poke(HANDLES, handles, n * sizeof *handles);
    return (int)sys_channel_write(SELF, handle, 0, NONE, 0, U(HANDLES), n);
}

static inline int read_any(zx_handle_t handle)
{
    return (int)sys_channel_read(SELF, handle, 0, U(BYTES_OUT), U(HANDLES_OUT), 65536, 64,
                                 U(ACTUAL_BYTES), U(ACTUAL_HANDLES));
}

static inline void expect_text(zx_handle_t handle, const char *text)
{
    char got[64] = "";

    assert_int_equal(read_any(handle), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_BYTES), strlen(text));
    fixture_peek(BYTES_OUT, got, strlen(text));
    assert_string_equal(got, text);
}

static inline void set_args(uint32_t wr_bytes, uint32_t wr_handles, uint32_t rd_bytes,
                            uint32_t rd_handles)
{
    zx_channel_call_args_t args = {
        .wr_bytes = (void *)U(BYTES).va,
        .wr_handles = (void *)U(HANDLES).va,
        .rd_bytes = (void *)U(BYTES_OUT).va,
        .rd_handles = (void *)U(HANDLES_OUT).va,
        .wr_num_bytes = wr_bytes,
        .wr_num_handles = wr_handles,
        .rd_num_bytes = rd_bytes,
        .rd_num_handles = rd_handles,
    };

    fixture_poke(ARGS, &args, sizeof args);
}

static inline int64_t call(struct thread *thread, zx_handle_t handle, zx_time_t deadline)
{
    return AS(thread, sys_channel_call_noretry(thread, handle, 0, deadline, U(ARGS),
                                               U(ACTUAL_BYTES), U(ACTUAL_HANDLES)));
}

#endif
