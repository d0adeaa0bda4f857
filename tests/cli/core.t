#!/usr/bin/env bash
# The kernel's conformance program on this machine's KVM; its TAP is passed on.
cd "$(dirname "$0")/../.." || exit 1
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    echo "1..0 # SKIP no usable /dev/kvm: ${out##*$'\n'}"
    exit 0
fi
exec timeout -k 5 600 ./zvmm guest.elf -- core-tests ${C:+"$C"} </dev/null
