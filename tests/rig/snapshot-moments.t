#!/usr/bin/env bash
# Snapshots at random moments of core-tests on hardware-style KVM: N of them on the nested rig, chosen
# by SEED.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
N=${N:-12}
rig_run --timeout $((N * 300)) --file zvmm --file guest.elf --file tests/vmm/moments.sh -- \
    sh /moments.sh /zvmm /guest.elf /tmp "$N" "${SEED:-1}"
expect "$N moments: both runs end well and print the same" test "$(grep -c '^same' "$OUT")" = "$N"
finish
