#!/usr/bin/env bash
# Snapshots at random moments of core-tests on this machine's KVM: N of them (1,000 is the long form),
# chosen by SEED.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    skip_all "no usable /dev/kvm: ${out##*$'\n'}"
fi
N=${N:-6}
CASE_TIMEOUT=$((N * 300)) case_run 'it ends' 0 sh tests/vmm/moments.sh ./zvmm guest.elf "$TAP_DIR" "$N" "${SEED:-1}"
expect "$N moments: both runs end well and print the same" test "$(grep -c '^same' "$OUT")" = "$N"
finish
