#!/usr/bin/env bash
# The conformance program's tests of memory that runs out, in a machine that is small enough.
cd "$(dirname "$0")/../.." || exit 1
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    echo "1..0 # SKIP no usable /dev/kvm: ${out##*$'\n'}"
    exit 0
fi
exec timeout -k 5 300 ./zvmm --memory 16M guest.elf -- core-tests 'MemoryPressure.*' </dev/null
