#!/usr/bin/env bash
# Snapshots on hardware-style KVM: the nested rig. Also, if this machine's KVM emulates ring 0, snapshots
# of it there.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2 || exit 1

WAITS=obj/vmm-tests/waits
[ -x $WAITS/waits ] || make -s $WAITS/waits >&2 || exit 1

cat >"$TAP_DIR/script" <<'SCRIPT'
# Hashes of one's own progress: the run that goes on and the restored one print the same rest.
for exits in 5 9 23 41; do
    /zvmm --snapshot-at exits:$exits -o /p.zsnap /testguest.elf --cmdline 'progress 30000' >/whole
    /zvmm restore --verify /p.zsnap >/rest
    tail -c "$(stat -c %s /rest)" /whole | cmp - /rest && echo "the same from $exits"
done
# Tests of the kernel, with a timer, waits and floating point under way; they take 1.6 s at least.
for at in time:30ms time:60ms time:200ms time:500ms; do
    /zvmm --snapshot-at $at -o /t.zsnap /guest.elf -- core-tests 'Event*' 'Timer*' 'Fpu*' >/whole
    /zvmm restore /t.zsnap >/rest
    echo "tests: $? $(tail -n 1 /rest)"
done
sh /waits.sh /zvmm /guest.elf /waits /tmp
/zvmm --snapshot-at start:hello -o /s.zsnap /guest.elf -- hello
/zvmm restore --snapshot-at exits:0 --parent /s.zsnap -o /c.zsnap /s.zsnap
/zvmm restore /c.zsnap
[ ! -e /plain.zst ] || /zvmm snap unpack /plain.zst /plain.zsnap && /zvmm restore /plain.zsnap
[ ! -e /moved.zst ] || /zvmm snap unpack /moved.zst /moved.zsnap && /zvmm restore /moved.zsnap
SCRIPT

# A snapshot of a machine that was restored itself: its time has been moved, and timers are pending.
make_moved() {
    echo abc | ./zvmm --snapshot-at marker:waits -o "$TAP_DIR/waits.zsnap" --bootfs $WAITS guest.elf \
        -- waits half &&
        ./zvmm restore --snapshot-at exits:0 -o "$TAP_DIR/moved.zsnap" "$TAP_DIR/waits.zsnap" &&
        ./zvmm snap pack "$TAP_DIR/moved.zsnap" "$TAP_DIR/moved.zst"
}
files=(--file zvmm --file guest.elf --file $GUEST --file $WAITS --file tests/vmm/waits.sh)
hellos=3
moved=0
if [ -w /dev/kvm ] && [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ] && ./zvmm --snapshot-at start:hello -o "$TAP_DIR/plain.zsnap" guest.elf -- hello \
    >/dev/null 2>&1 </dev/null && ./zvmm snap pack "$TAP_DIR/plain.zsnap" "$TAP_DIR/plain.zst"; then
    files+=(--file "$TAP_DIR/plain.zst")
    hellos=4
    make_moved </dev/null >/dev/null && files+=(--file "$TAP_DIR/moved.zst")
    moved=1
fi
rig_run --timeout 400 --script "$TAP_DIR/script" "${files[@]}"
times() { test "$(grep -c -- "$1" "$OUT")" = "$2"; }
expect 'the same hashes from 4 points' times 'the same from' 4
expect 'restored tests pass' times '^tests: 0 # passed [1-9][0-9]* failed 0' 4
expect 'threads in every kind of wait, timers, floating point' times 'same every kind of wait' 1
expect 'console input half read' times 'same console input half read' 1
expect "a chain goes on, and a snapshot of this machine's KVM if it has one" \
    times 'Hello from user space!' $hellos
expect "timers of a snapshot of this machine's KVM go on, if it has one" times '^0 wrong' $moved
finish
