#!/usr/bin/env bash
# Snapshots at random moments of core-tests on hardware-style KVM: N of them on the nested rig, chosen
# by SEED.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
N=${N:-12}
TAP_STATUS=0
TAP_COMMAND='the rig'
tests/rig/run.sh --timeout $((N * 300)) --file zvmm --file guest.elf --file tests/vmm/moments.sh -- \
    sh /moments.sh /zvmm /guest.elf /tmp "$N" "${SEED:-1}" >"$OUT" 2>"$ERR" || TAP_STATUS=$?
[ "$TAP_STATUS" != 77 ] || skip_all "$(tail -n 1 "$ERR")"
expect 'the rig runs' test "$TAP_STATUS" = 0
expect "$N moments: both runs end well and print the same" test "$(grep -c '^same' "$OUT")" = "$N"
finish
