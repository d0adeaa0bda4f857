/*
 * args.c - arguments from input bytes.
 *
 * Every choice is one byte, and byte 0 is the choice with which the call is most likely to succeed,
 * so that short inputs do something and the fuzzer finds the failures by mutating.
 */
#include "args.h"

#include <stdio.h>
#include <string.h>

#include <zircon/ipc.h>
#include <zircon/object.h>
#include <zircon/port.h>
#include <zircon/vm.h>

#include "aspace.h"
#include "syscalls.h"
#include "usercopy.h"
#include "world.h"

#define PAGE            HAL_PAGE_SIZE
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Rows ---------------------------------------------------------------------------------- */

enum direction { BY_VALUE, TO_KERNEL, FROM_KERNEL };

struct arg {
    enum direction direction;
    const char *type;
    size_t size;
    const char *name;
};

struct row {
    const char *name;
    int count;
    struct arg args[8];
};

#undef VAL
#undef IN
#undef OUT
#undef INOUT
#undef OPT_IN
#undef OPT_OUT
#define VAL(t)                 (BY_VALUE, #t, sizeof(t))
#define IN(t)                  (TO_KERNEL, #t, sizeof(t))
#define INOUT(t)               (TO_KERNEL, #t, sizeof(t))
#define OPT_IN(t)              (TO_KERNEL, #t, sizeof(t))
#define OUT(t)                 (FROM_KERNEL, #t, sizeof(t))
#define OPT_OUT(t)             (FROM_KERNEL, #t, sizeof(t))
#define UNWRAP(...)            __VA_ARGS__
#define ARG(index, type, name) {UNWRAP type, #name},
#define SYSCALL(number, name_, ret, flags, ...)                                                    \
    [number] = {#name_, SC_NARGS(__VA_ARGS__), {SC_MAP(ARG, __VA_ARGS__)}},

static const struct row rows[CALL_COUNT] = {
#include <zircon/syscalls.def>
};

/* ---- Input --------------------------------------------------------------------------------- */

uint8_t take8(struct input *in)
{
    return at_end(in) ? 0 : *in->at++;
}

uint64_t take64(struct input *in)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)take8(in) << (8 * i);
    return value;
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* What type a parameter wants: its own name says so, or else the call's first word. */
static const struct {
    const char *word, *type;
} type_of_word[] = {
    {"aux_vmo", "vmo"},       {"pager_vmo", "vmo"},    {"kernel_vmo", "vmo"},
    {"bootimage_vmo", "vmo"}, {"parent_job", "job"},   {"root_job", "job"},
    {"parent_vmar", "vmar"},  {"port_handle", "port"}, {"parent_rsrc", "resource"},
    {"vmex", "resource"},     {"task", "process"},     {"debug", "resource"},
    {"source", "event"},      {"ktrace", "resource"},  {"src_obj", "resource"},
};

static const char *wanted_type(const struct row *row, const char *name, char word[32])
{
    for (size_t i = 0; i < COUNT_OF(type_of_word); i++)
        if (strcmp(name, type_of_word[i].word) == 0)
            return type_of_word[i].type;
    if (strcmp(name, "handle") != 0)
        return name;
    snprintf(word, 32, "%s", row->name);
    word[strcspn(word, "_")] = 0;
    for (size_t i = 0; i < COUNT_OF(type_of_word); i++)
        if (strcmp(word, type_of_word[i].word) == 0)
            return type_of_word[i].type;
    return word;
}

#define MAX_PICK 128u

struct pick {
    const char *type; /* NULL: any */
    unsigned seen;
    zx_handle_t value[MAX_PICK]; /* the last ones seen, a ring */
};

static bool see_handle(zx_handle_t value, struct handle *handle, void *arg)
{
    struct pick *pick = arg;

    if (!pick->type || strcmp(handle->object->ops->name, pick->type) == 0)
        pick->value[pick->seen++ % MAX_PICK] = value;
    return true;
}

/* The n-th live handle to an object of `type`, counted around from the table's end, where the
 * newest are at first; 0 if there is none. */
static zx_handle_t nth_handle(struct process *process, const char *type, unsigned n)
{
    struct pick pick = {.type = type};
    unsigned kept;

    handle_table_visit(&process->handles, see_handle, &pick);
    kept = pick.seen < MAX_PICK ? pick.seen : MAX_PICK;
    return kept ? pick.value[(pick.seen - 1 - n % kept) % MAX_PICK] : 0;
}

static zx_handle_t take_handle(struct input *in, struct process *process, const char *type)
{
    uint8_t how = take8(in);
    zx_handle_t value;

    if (how >= 112 && how < 128)
        type = "resource"; /* many calls want one, whatever their name */
    if (how < 128) {
        value = nth_handle(process, type, how & 15);
        return value ? value : nth_handle(process, NULL, how);
    }
    value = nth_handle(process, NULL, how & 63);
    if (how < 192)
        return value;
    switch (how & 3) {
    case 0:
        return ZX_HANDLE_INVALID;
    case 1:
        return value ^ 1u << 22; /* another generation: what a stale handle looks like */
    case 2:
        return value & ~3u;
    default:
        return (zx_handle_t)take64(in);
    }
}

/* Of a futex: usually none. */
static zx_handle_t take_owner(struct input *in, struct process *process)
{
    uint8_t how = take8(in);

    return how < 96 ? ZX_HANDLE_INVALID : nth_handle(process, "thread", how - 96);
}

/* ---- Numbers ------------------------------------------------------------------------------- */

zx_time_t args_time(struct input *in)
{
    static const zx_time_t far[] = {ZX_TIME_INFINITE, 0, ZX_TIME_INFINITE - 1, -1, INT64_MIN, 1};
    uint8_t how = take8(in);

    if (how >= 250)
        return far[how - 250];
    return hal_now() + (how ? how - 16 : 100);
}

static uint32_t take_u32(struct input *in)
{
    uint8_t how = take8(in);

    if (how < 192)
        return how;
    if (how < 224)
        return 1u << (how - 192);
    if (how < 240)
        return 1u << (take8(in) & 31) | 1u << (take8(in) & 31) | (how & 15);
    if (how < 244)
        return (uint32_t)(how & 1) << 28 | take8(in); /* versioned topics */
    if (how < 248)
        return UINT32_MAX - (how & 3);
    return (uint32_t)take64(in);
}

static zx_signals_t take_signals(struct input *in)
{
    uint8_t how = take8(in);

    if (how == 0)
        return ZX_USER_SIGNAL_ALL | 0xff;
    if (how < 33)
        return 1u << (how - 1);
    return (zx_signals_t)take64(in);
}

static zx_rights_t take_rights(struct input *in)
{
    uint8_t how = take8(in);

    if (how == 0)
        return ZX_RIGHT_SAME_RIGHTS;
    return how < 32 ? 1u << how : (zx_rights_t)take64(in);
}

static bool has(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

/* Byte 0 stands for what a parameter of that name most often is. */
static uint64_t usual_size(const char *name)
{
    if (has(name, "num_") || has(name, "count"))
        return 1;
    if (has(name, "size") || has(name, "len"))
        return PAGE;
    return 0;
}

static uint64_t take_size(struct input *in, const char *name)
{
    static const uint64_t interesting[] = {
        PAGE - 1,
        PAGE + 1,
        0x8000,
        0x40000,
        0x10000,
        65537,
        257024,
        257025,
        1ull << 31,
        1ull << 32,
        1ull << 47,
        INT64_MAX,
        1ull << 63,
        UINT64_MAX,
        UINT64_MAX - PAGE + 1,
        UINT64_MAX - PAGE,
        0xfffffffffffe0000ull,
        0xfffffffffffdf000ull,
        1ull << 40,
        1ull << 21,
        1ull << 58,
        1ull << 58 | 1,
        1ull << 58 | 7,
        1ull << 58 | 2, /* versions of arguments */
    };
    uint8_t how = take8(in);

    if (how == 0)
        return usual_size(name);
    if (how < 128)
        return how - 1u;
    if (how < 192)
        return (how - 128) * PAGE;
    if (how < 192 + COUNT_OF(interesting))
        return interesting[how - 192];
    if (how < 250)
        return take8(in) * PAGE + (how & 7);
    return take64(in);
}

static zx_koid_t take_koid(struct input *in)
{
    return ZX_KOID_FIRST + take8(in);
}

/* ---- Addresses ----------------------------------------------------------------------------- */

static zx_vaddr_t area(struct thread *thread, unsigned n)
{
    return world_user(thread->process) + (n & 7) * AREA_BYTES;
}

static zx_vaddr_t bad_address(struct input *in, struct thread *thread)
{
    zx_vaddr_t user = world_user(thread->process), code = thread->process->aspace->vdso_code;
    const zx_vaddr_t bad[] = {
        0,
        1,
        0x1000,                /* below user space */
        HAL_USER_BASE,         /* nothing there */
        0xffff800000000000ull, /* the kernel's half */
        UINT64_MAX - 2,        /* wraps */
        HAL_USER_TOP - 4,      /* runs out of user space */
        1ull << 47,
        code,                  /* cannot be written */
        user + USER_BYTES - 4, /* runs out of what is mapped */
        user + USER_BYTES,
        user - 4,
        user + 1, /* not aligned */
        user + PAGE - 2,
        user + 3 * AREA_BYTES,
    };
    uint8_t which = take8(in);

    return which < COUNT_OF(bad) ? bad[which] : user + which * 64u;
}

zx_vaddr_t args_address(struct input *in, struct thread *thread)
{
    uint8_t how = take8(in);

    if (how < 64)
        return area(thread, how) + (how >> 3) * PAGE;
    return how < 224 ? bad_address(in, thread) : take64(in);
}

/* ---- What pointers point to ------------------------------------------------------------------ */

/* Where it goes, and who is to see it. */
struct content {
    struct input *in;
    struct thread *thread;
    const struct row *row;
    zx_vaddr_t at;
};

/* False: the thread has been parked. A bad address is left to the call. */
static bool put(const struct content *c, size_t offset, const void *from, size_t length)
{
    user_write(c->thread->process, (struct user_ptr){c->at + offset}, from, length);
    return !c->thread->wait.kind;
}

static bool put_handles(const struct content *c)
{
    zx_handle_t value[8];
    unsigned n = (take8(c->in) & 7) + 1;

    for (unsigned i = 0; i < n; i++)
        value[i] = take_handle(c->in, c->thread->process, NULL);
    return put(c, 0, value, n * sizeof value[0]);
}

static bool put_wait_items(const struct content *c)
{
    zx_wait_item_t item[4];
    unsigned n = (take8(c->in) & 3) + 1;

    for (unsigned i = 0; i < n; i++)
        item[i] = (zx_wait_item_t){
            .handle = take_handle(c->in, c->thread->process, NULL),
            .waitfor = take_signals(c->in),
        };
    return put(c, 0, item, n * sizeof item[0]);
}

static bool put_dispositions(const struct content *c)
{
    zx_handle_disposition_t entry[4];
    unsigned n = (take8(c->in) & 3) + 1;

    for (unsigned i = 0; i < n; i++)
        entry[i] = (zx_handle_disposition_t){
            .operation = take8(c->in) & 3,
            .handle = take_handle(c->in, c->thread->process, NULL),
            .type = take8(c->in) & 31,
            .rights = take_rights(c->in),
        };
    return put(c, 0, entry, n * sizeof entry[0]);
}

static bool put_iovecs(const struct content *c)
{
    zx_iovec_t vector[4];
    unsigned n = (take8(c->in) & 3) + 1;

    for (unsigned i = 0; i < n; i++) {
        vector[i].buffer = (void *)args_address(c->in, c->thread);
        vector[i].capacity = take_size(c->in, "");
    }
    return put(c, 0, vector, n * sizeof vector[0]);
}

/* Its handles and a few bytes go into the last area. */
static bool put_call_args(const struct content *c)
{
    struct content inner = *c;
    zx_channel_call_args_t args;

    inner.at = area(c->thread, 7);
    args = (zx_channel_call_args_t){
        .wr_bytes = (void *)args_address(c->in, c->thread),
        .wr_handles = (void *)inner.at,
        .rd_bytes = (void *)args_address(c->in, c->thread),
        .rd_handles = (void *)args_address(c->in, c->thread),
        .wr_num_bytes = take_u32(c->in) + sizeof(zx_txid_t),
        .wr_num_handles = take8(c->in) & 3,
        .rd_num_bytes = take_u32(c->in),
        .rd_num_handles = take8(c->in) & 7,
    };
    if (args.wr_num_handles && !put_handles(&inner))
        return false;
    return put(c, 0, &args, sizeof args);
}

static bool put_bytes(const struct content *c)
{
    uint8_t bytes[64];
    unsigned n = take8(c->in) & 63;

    for (unsigned i = 0; i < n; i++)
        bytes[i] = take8(c->in);
    return put(c, 0, bytes, n);
}

/* The first word of a message answers a call of that transaction. */
static bool put_message(const struct content *c)
{
    zx_txid_t txid = ZX_CHANNEL_KERNEL_TXID_BIT | (take8(c->in) & 7);

    return put(c, 0, &txid, sizeof txid);
}

static bool put_content(const struct content *c, const struct arg *arg)
{
    static const struct {
        const char *type;
        bool (*put)(const struct content *c);
    } put_type[] = {
        {"zx_handle_t", put_handles},
        {"zx_wait_item_t", put_wait_items},
        {"zx_handle_disposition_t", put_dispositions},
        {"zx_iovec_t", put_iovecs},
        {"zx_channel_call_args_t", put_call_args},
    };

    for (size_t i = 0; i < COUNT_OF(put_type); i++)
        if (strcmp(arg->type, put_type[i].type) == 0)
            return put_type[i].put(c);
    return strcmp(arg->name, "bytes") == 0 ? put_message(c) : put_bytes(c);
}

/* ---- Arguments ------------------------------------------------------------------------------ */

static uint64_t make_value(struct input *in, struct thread *thread, const struct row *row,
                           const struct arg *arg)
{
    char word[32];

    if (has(arg->name, "_owner"))
        return take_owner(in, thread->process);
    if (strcmp(arg->type, "zx_handle_t") == 0)
        return take_handle(in, thread->process, wanted_type(row, arg->name, word));
    if (strcmp(arg->type, "zx_time_t") == 0)
        return (uint64_t)args_time(in);
    if (strcmp(arg->type, "zx_signals_t") == 0)
        return take_signals(in);
    if (strcmp(arg->type, "zx_rights_t") == 0)
        return take_rights(in);
    if (strcmp(arg->type, "zx_koid_t") == 0)
        return take_koid(in);
    if (strcmp(arg->type, "zx_vaddr_t") == 0)
        return args_address(in, thread);
    if (strcmp(arg->type, "zx_vm_option_t") == 0)
        return take_u32(in) ^ (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    if (arg->size == sizeof(uint64_t))
        return take_size(in, arg->name);
    if (strncmp(row->name, "channel_read", 12) == 0 && has(arg->name, "num_"))
        return take_u32(in) ^ 63;                /* room for what comes */
    return take_u32(in) | 0xdead000000000000ull; /* upper halves are undefined */
}

/* Futex words are few, so that threads meet at them. */
static zx_vaddr_t make_pointer(struct input *in, struct thread *thread, const struct arg *arg,
                               unsigned index, bool *good)
{
    uint8_t how = take8(in);

    *good = how < 160;
    if (!*good)
        return bad_address(in, thread);
    if (strcmp(arg->type, "zx_futex_t") == 0)
        return area(thread, 6) + (how & 3) * 4u;
    return area(thread, index);
}

bool args_make(struct input *in, struct thread *thread, uint32_t number, uint64_t args[8])
{
    const struct row *row = &rows[number];

    for (int i = 0; i < row->count; i++) {
        const struct arg *arg = &row->args[i];
        struct content content = {in, thread, row, 0};
        bool good;

        if (arg->direction == BY_VALUE) {
            args[i] = make_value(in, thread, row, arg);
            continue;
        }
        args[i] = content.at = make_pointer(in, thread, arg, (unsigned)i, &good);
        if (good && arg->direction == TO_KERNEL && strcmp(arg->type, "zx_futex_t") != 0 &&
            !put_content(&content, arg))
            return false;
    }
    return true;
}
