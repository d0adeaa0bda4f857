#!/usr/bin/env bash
# build-guest.sh OUT - builds the test guest (tests/vmm/guest/) as OUT, unless it is up to date.
set -eu
out=$(realpath -m "$1")
cd "$(dirname "$0")/guest"
if [ -e "$out" ] && [ -z "$(find . ../../../shared/hypercall.h -newer "$out" -type f)" ]; then
    exit 0
fi
mkdir -p "$(dirname "$out")"
${CC:-gcc} -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -fno-pic -mcmodel=kernel \
    -mno-red-zone -mgeneral-regs-only -fno-omit-frame-pointer -fno-optimize-sibling-calls \
    -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -nostdlib -static \
    -no-pie -I../../../shared -Wl,-T,guest.ld -Wl,--build-id=none -Wl,-z,noexecstack \
    -Wl,-z,max-page-size=4096 -o "$out" entry.S guest.c
