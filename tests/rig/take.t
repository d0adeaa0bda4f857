#!/usr/bin/env bash
# The tests of snapshots and resets through libzvmm.a (tests/vmm) on hardware-style KVM, whose dirty
# ring names the written pages.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2 || exit 1
files=(--file "$GUEST:/$GUEST" --file obj/vmm-tests/test_take --file obj/vmm-tests/test_reset)
while read -r library; do
    files+=(--file "$(realpath "$library"):$library")
done < <(ldd obj/vmm-tests/test_take | grep -o '/[^ ]*')
cat >"$TAP_DIR/script" <<'SCRIPT'
/test_take && echo 'takes: good'
/test_reset && echo 'resets: good'
SCRIPT
rig_run --timeout 160 --script "$TAP_DIR/script" "${files[@]}"
expect 'snapshots hold what was when they were begun' has 'takes: good'
expect 'a reset puts back everything' has 'resets: good'
finish
