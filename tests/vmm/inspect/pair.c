/*
 * pair NAME: half of a deadlock. Two of these are started, each the other's server: instead of
 * serving, each first asks the other and waits for ever. tests/vmm/inspect.t and docs/debugging.md
 * find out why.
 */
#include <stdint.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/zircon.h>

struct message {
    zx_txid_t txid;
    char text[12];
};

/* Not inlined: its name shall be in the backtrace. */
__attribute__((noinline)) static zx_status_t ask_peer(zx_handle_t channel)
{
    struct message question = {.text = "your turn?"}, answer;
    uint32_t bytes, handles;
    zx_channel_call_args_t call = {.wr_bytes = &question,
                                   .wr_num_bytes = sizeof(question),
                                   .rd_bytes = &answer,
                                   .rd_num_bytes = sizeof(answer)};
    zx_status_t status = zx_channel_call(channel, 0, ZX_TIME_INFINITE, &call, &bytes, &handles);

    return status == ZX_OK ? ZX_ERR_INTERNAL : status;
}

int main(int argc, char *argv[])
{
    zx_handle_t client = zx_take_startup_handle(PA_HND(PA_USER0, 0));
    const char *name = argc > 1 ? argv[1] : "?";

    zx_object_set_property(zx_process_self(), ZX_PROP_NAME, name, strlen(name));
    return ask_peer(client) == ZX_OK ? 0 : 1;
}
