#!/usr/bin/env bash
# Snapshots on hardware-style KVM: the nested rig. Also a snapshot of this machine's KVM there.
# FULL=1 also takes snapshots of core-tests there, which can hang: docs/snapshot-format.md, Known fault.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2 || exit 1

cat >"$TAP_DIR/script" <<SCRIPT
FULL=${FULL:-}
SCRIPT
cat >>"$TAP_DIR/script" <<'SCRIPT'
# Hashes of one's own progress: the run that goes on and the restored one print the same rest.
for exits in 5 9 23 41; do
    /zvmm --snapshot-at exits:$exits -o /p.zsnap /testguest.elf --cmdline 'progress 30000' >/whole
    /zvmm restore --verify /p.zsnap >/rest
    tail -c "$(stat -c %s /rest)" /whole | cmp - /rest && echo "the same from $exits"
done
# Tests of the kernel, with a timer, waits and floating point under way.
for at in ${FULL:+exits:3 exits:6 time:30ms time:60ms}; do
    /zvmm --snapshot-at $at -o /t.zsnap /guest.elf -- core-tests 'Event*' 'Timer*' 'Fpu*' >/whole
    /zvmm restore /t.zsnap >/rest
    echo "tests: $? $(tail -n 1 /rest)"
done
/zvmm --snapshot-at start:hello -o /s.zsnap /guest.elf -- hello
/zvmm restore --snapshot-at exits:0 --parent /s.zsnap -o /c.zsnap /s.zsnap
/zvmm restore /c.zsnap
[ ! -e /plain.zst ] || /zvmm snap unpack /plain.zst /plain.zsnap && /zvmm restore /plain.zsnap
SCRIPT
files=(--file zvmm --file guest.elf --file $GUEST)
hellos=3
if [ -w /dev/kvm ] && ./zvmm --snapshot-at start:hello -o "$TAP_DIR/plain.zsnap" guest.elf -- hello \
    >/dev/null 2>&1 </dev/null && ./zvmm snap pack "$TAP_DIR/plain.zsnap" "$TAP_DIR/plain.zst"; then
    files+=(--file "$TAP_DIR/plain.zst")
    hellos=4
fi
TAP_STATUS=0
TAP_COMMAND='the rig'
tests/rig/run.sh --timeout 160 --script "$TAP_DIR/script" "${files[@]}" >"$OUT" 2>"$ERR" || TAP_STATUS=$?
[ "$TAP_STATUS" != 77 ] || skip_all "$(tail -n 1 "$ERR")"
TAP_SKIP_CHECKS=0
expect 'the rig runs' test "$TAP_STATUS" = 0
times() { test "$(grep -c -- "$1" "$OUT")" = "$2"; }
expect 'the same hashes from 4 points' times 'the same from' 4
if [ -n "${FULL:-}" ]; then
    expect 'restored tests pass' times '^tests: 0 # passed [1-9][0-9]* failed 0' 4
else
    tap_result ok 'restored tests pass # SKIP known fault: a restored core-tests can hang; FULL=1 runs it'
fi
expect "a chain goes on, and a snapshot of this machine's KVM if it has one" \
    times 'Hello from user space!' $hellos
finish
