#!/usr/bin/env bash
# gdb's remote protocol on this host's KVM, played by gdb-client as on the rig (tests/rig/gdb.t).
cd "$(dirname "$0")/../.." || exit 1
[ -w /dev/kvm ] || {
    echo '1..0 # SKIP no usable /dev/kvm'
    exit 0
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
address() { nm guest.elf | awk -v name="$1" '$3 == name { print $1 }'; }
timeout 60 ./zvmm "--gdb=unix:$folder/gdb" guest.elf -- hello </dev/null >"$folder/log" 2>&1 &
zvmm=$!
until [ -S "$folder/gdb" ] || ! kill -0 $zvmm; do sleep 0.05; done
timeout 60 obj/vmm-tests/gdb-client "$folder/gdb" "$(address hal_start)" "$(address hal_context_run)"
status=$?
[ $status = 0 ] || kill $zvmm
wait $zvmm || status=1
sed 's/^/# /' "$folder/log"
exit $status
