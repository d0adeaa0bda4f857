/*
 * modify.c - which instructions read memory and then write it.
 *
 * If the page of such an operand is missing, most processors report a write; one that is emulated
 * reports a read, and a write when the instruction is tried again. Deterministic mode counts faults,
 * so it makes the first into the second.
 */
#include "modify.h"

static bool is_prefix(uint8_t byte)
{
    switch (byte) {
    case 0x26: /* segments */
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66: /* operand size */
    case 0x67: /* address size */
    case 0xf0: /* lock */
    case 0xf2:
    case 0xf3:
        return true;
    default:
        return (byte & 0xf0) == 0x40; /* REX */
    }
}

/* Bit n: the instruction with n in ModRM's reg field modifies its operand. */
static uint8_t one_byte(uint8_t opcode)
{
    if (opcode < 0x38 && (opcode & 7) < 2) /* add or adc sbb and sub xor, to memory */
        return 0xff;
    switch (opcode) {
    case 0x80: /* the same with a constant; 7 is cmp */
    case 0x81:
    case 0x83:
        return 0x7f;
    case 0x86: /* xchg */
    case 0x87:
    case 0xc0: /* shifts and rotations */
    case 0xc1:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return 0xff;
    case 0xf6: /* not neg */
    case 0xf7:
        return 1 << 2 | 1 << 3;
    case 0xfe: /* inc dec */
    case 0xff:
        return 1 << 0 | 1 << 1;
    default:
        return 0;
    }
}

static uint8_t two_byte(uint8_t opcode)
{
    switch (opcode) {
    case 0xa4: /* shld */
    case 0xa5:
    case 0xab: /* bts */
    case 0xac: /* shrd */
    case 0xad:
    case 0xb0: /* cmpxchg */
    case 0xb1:
    case 0xb3: /* btr */
    case 0xbb: /* btc */
    case 0xc0: /* xadd */
    case 0xc1:
        return 0xff;
    case 0xba: /* bts btr btc with a constant */
        return 1 << 5 | 1 << 6 | 1 << 7;
    case 0xc7: /* cmpxchg8b cmpxchg16b */
        return 1 << 1;
    default:
        return 0;
    }
}

bool modifies_memory(const uint8_t *code)
{
    unsigned at = 0;
    uint8_t groups, modrm;

    while (at < MODIFY_BYTES - 3 && is_prefix(code[at]))
        at++;
    groups = code[at] == 0x0f ? two_byte(code[at + 1]) : one_byte(code[at]);
    modrm = code[at] == 0x0f ? code[at + 2] : code[at + 1];
    return modrm < 0xc0 && groups >> (modrm >> 3 & 7) & 1;
}
