/* rows_create.c - creating and closing an object of each common kind. */
#include "object.h"
#include "rows.h"

static void create_close(struct run *run, const struct row *row)
{
    object_t objects[2];

    RUN_TURNS(run) {
        size_t count = object_create(run, row->flags, objects);

        run_step(run);
        for (size_t i = 0; i < count; i++)
            object_close(run, objects[i]);
    }
}

#define CREATE(name, kind)                                                                         \
    {                                                                                              \
        "HandleCreate_" name, create_close, .steps = "create close", .flags = kind                 \
    }

const struct row create_rows[] = {
    CREATE("Vmo", A_VMO),         CREATE("Event", AN_EVENT),  CREATE("Eventpair", AN_EVENTPAIR),
    CREATE("Channel", A_CHANNEL), CREATE("Port", A_PORT),     CREATE("Timer", A_TIMER),
    CREATE("Fifo", A_FIFO),       CREATE("Socket", A_SOCKET), {0},
};
