#!/bin/sh
# The kernel gets to its first user instruction within its budget, whatever the memory size.
cd "$(dirname "$0")/../.." || exit 1
exec obj/bench/boot-insn guest.elf 128 8192
