/*
 * Layout checks for the ABI structures, for C11 and C++11. The numbers given to these macros are
 * facts about the binary interface (Zircon ABI, March 2020, x86-64), never what a compiler happens
 * to make of a declaration: if one fails, the declaration is wrong.
 */
#ifndef ZIRCON_INTERNAL_LAYOUT_H
#define ZIRCON_INTERNAL_LAYOUT_H

#include <stddef.h>

#ifdef __cplusplus
#define ZX_ABI_ASSERT static_assert
#else
#define ZX_ABI_ASSERT _Static_assert
#endif

#define ZX_ABI_SIZE(type, bytes) ZX_ABI_ASSERT(sizeof(type) == (bytes), "size of " #type)
#define ZX_ABI_OFFSET(type, field, bytes)                                                          \
    ZX_ABI_ASSERT(offsetof(type, field) == (bytes), "offset of " #type "." #field)

#endif
