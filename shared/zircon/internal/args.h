/*
 * Preprocessor helpers for <zircon/syscalls.def>: the SC_ flags of a row, the C type of a return
 * kind, and macros that go through the (type, name) pairs of up to eight arguments. They also work
 * in assembly source. All of them take "nargs, type1, name1, ..." as their trailing arguments, so a
 * row macro that declares its tail as "..." right after flags can pass __VA_ARGS__ on unchanged and
 * rows without arguments need no special case.
 *
 * Example: prototypes of all calls,
 *
 *     #define VAL(t) t
 *     #define IN(t) const t *
 *     #define OUT(t) t *
 *     ...
 *     #define SYSCALL(number, name, ret, flags, ...) \
 *         SC_RET_##ret zx_##name(SC_PARAMS(__VA_ARGS__));
 *     #include <zircon/syscalls.def>
 *
 * or a dispatcher that casts the register array a[] to the declared types,
 *
 *     #define CAST(i, type, name) SC_COMMA_UNLESS_FIRST(i) (type)a[i]
 *     #define SYSCALL(number, name, ret, flags, ...) \
 *         case number: return sys_##name(SC_MAP(CAST, __VA_ARGS__));
 */
#ifndef ZIRCON_INTERNAL_ARGS_H
#define ZIRCON_INTERNAL_ARGS_H

/* Flags of a row. Plain numbers, because the assembler evaluates them too. */
#define SC_NONE      0
#define SC_BLOCKING  1  /* may park the calling thread */
#define SC_NORETURN  2  /* never returns to the caller */
#define SC_INTERNAL  4  /* no exported entry: only the vDSO's own code makes this call */
#define SC_TEST      8  /* exists for tests of the calling convention */
#define SC_RETRY     16 /* the vDSO makes the call again for as long as it returns -6 */
#define SC_VDSO_WRAP 32 /* the exported entry is a hand-written function around the call */

/* The C type of a return kind. */
#define SC_RET_STATUS zx_status_t
#define SC_RET_VOID   void
#define SC_RET_TIME   zx_time_t
#define SC_RET_TICKS  zx_ticks_t
#define SC_RET_STRING const char *
#define SC_RET_U32    uint32_t
#define SC_RET_U64    uint64_t

/* A comma before every argument but the first; index is the literal 0..7 that SC_MAP passes. */
#define SC_COMMA_UNLESS_FIRST(index) SC_COMMA_##index
#define SC_COMMA_0
#define SC_COMMA_1 ,
#define SC_COMMA_2 ,
#define SC_COMMA_3 ,
#define SC_COMMA_4 ,
#define SC_COMMA_5 ,
#define SC_COMMA_6 ,
#define SC_COMMA_7 ,

/* The argument count alone, for a row macro that takes "..." after flags. */
#define SC_NARGS(...)         SC_FIRST_(__VA_ARGS__, unused)
#define SC_FIRST_(first, ...) first

/* SC_MAP(M, nargs, type1, name1, ...): M(0, type1, name1) M(1, type2, name2) ... */
#define SC_MAP(M, ...)                SC_MAP_SELECT_(M, SC_NARGS(__VA_ARGS__), __VA_ARGS__)
#define SC_MAP_SELECT_(M, nargs, ...) SC_MAP_PASTE_(M, nargs, __VA_ARGS__)
#define SC_MAP_PASTE_(M, nargs, ...)  SC_MAP_##nargs(M, __VA_ARGS__)
#define SC_MAP_0(M, n)
#define SC_MAP_1(M, n, t0, a0)                 M(0, t0, a0)
#define SC_MAP_2(M, n, t0, a0, t1, a1)         SC_MAP_1(M, n, t0, a0) M(1, t1, a1)
#define SC_MAP_3(M, n, t0, a0, t1, a1, t2, a2) SC_MAP_2(M, n, t0, a0, t1, a1) M(2, t2, a2)
#define SC_MAP_4(M, n, t0, a0, t1, a1, t2, a2, t3, a3)                                             \
    SC_MAP_3(M, n, t0, a0, t1, a1, t2, a2) M(3, t3, a3)
#define SC_MAP_5(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4)                                     \
    SC_MAP_4(M, n, t0, a0, t1, a1, t2, a2, t3, a3) M(4, t4, a4)
#define SC_MAP_6(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                             \
    SC_MAP_5(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4) M(5, t5, a5)
#define SC_MAP_7(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                     \
    SC_MAP_6(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5) M(6, t6, a6)
#define SC_MAP_8(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6, t7, a7)             \
    SC_MAP_7(M, n, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6) M(7, t7, a7)

/*
 * SC_IF_EXPORTED(SC_PROBE_##flags)(text): the text, unless the row is SC_INTERNAL. Joining the two
 * keeps the flags from being expanded; SC_INTERNAL always stands first among them.
 */
#define SC_IF_EXPORTED(...)            SC_SECOND_(__VA_ARGS__, SC_KEEP_, unused)
#define SC_PROBE_SC_INTERNAL           ~, SC_DROP_,
#define SC_SECOND_(first, second, ...) second
#define SC_KEEP_(...)                  __VA_ARGS__
#define SC_DROP_(...)

/* A parameter list "type1 name1, type2 name2", or "void". */
#define SC_PARAMS(...)                SC_PARAMS_SELECT_(SC_NARGS(__VA_ARGS__), __VA_ARGS__)
#define SC_PARAMS_SELECT_(nargs, ...) SC_PARAMS_PASTE_(nargs, __VA_ARGS__)
#define SC_PARAMS_PASTE_(nargs, ...)  SC_PARAMS_##nargs(__VA_ARGS__)
#define SC_PARAM_(index, type, name)  SC_COMMA_UNLESS_FIRST(index) type name
#define SC_PARAMS_0(n)                void
#define SC_PARAMS_1(...)              SC_MAP_1(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_2(...)              SC_MAP_2(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_3(...)              SC_MAP_3(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_4(...)              SC_MAP_4(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_5(...)              SC_MAP_5(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_6(...)              SC_MAP_6(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_7(...)              SC_MAP_7(SC_PARAM_, __VA_ARGS__)
#define SC_PARAMS_8(...)              SC_MAP_8(SC_PARAM_, __VA_ARGS__)

/* An argument list "name1, name2" for passing the parameters on. */
#define SC_NAMES(...)               SC_MAP(SC_NAME_, __VA_ARGS__)
#define SC_NAME_(index, type, name) SC_COMMA_UNLESS_FIRST(index) name

#endif
