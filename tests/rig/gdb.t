#!/usr/bin/env bash
# gdb's remote protocol on hardware-style KVM. gdb itself is too big for the rig's initramfs, so
# gdb-client plays it; tests/cli/gdb.t runs the real one, and gdb-client too, on this host's KVM.
cd "$(dirname "$0")/../.." || exit 1
address() { nm guest.elf | awk -v name="$1" '$3 == name { print $1 }'; }
out=$(tests/rig/run.sh --timeout 120 --file zvmm --file guest.elf --file obj/vmm-tests/gdb-client \
    --script tests/rig/gdb-cases.sh -- "$(address hal_start)" "$(address hal_context_run)" 2>&1)
status=$?
if [ $status = 77 ]; then
    echo "1..0 # SKIP ${out##*$'\n'}"
    exit 0
fi
printf '%s\n' "$out"
exit $status
