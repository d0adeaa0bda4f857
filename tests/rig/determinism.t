#!/usr/bin/env bash
# Deterministic runs have the same digests on this host's KVM and on the nested rig's. FULL=1: nearly all of core-tests.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

[ -w /dev/kvm ] || skip_all "no usable /dev/kvm"
folder=$TAP_DIR/run
mkdir -p "$folder/demo"
cp zvmm guest.elf "$folder"
./zcc -o "$folder/demo/threads" tests/cli/determinism/threads.c || exit 1
./zcc -O1 -o "$folder/demo/spin" tests/cli/determinism/spin.c || exit 1
printf '1ms ps\n+1h echo an hour later\\c\n+1ms \\nthreads\n' >"$folder/script"
# A recorded run, and a snapshot in the middle of it.
(cd "$folder" && ./zvmm --deterministic --bootfs demo --input script --log run.zlog guest.elf &&
    ./zvmm replay run.zlog --to 300 -o there.zsnap && ./zvmm snap pack there.zsnap there.zst) \
    </dev/null >"$TAP_DIR/made" 2>&1 || sed 's/^/# /' "$TAP_DIR/made"

files=()
for name in zvmm guest.elf demo script run.zlog there.zst; do files+=(--file "$folder/$name"); done
tests/rig/run.sh --timeout 1500 "${files[@]}" --script tests/rig/determinism-cases.sh -- "FULL=${FULL:-}" STEP \
    >"$TAP_DIR/all" 2>"$TAP_DIR/rig"
status=$?
grep -E '^(un)?stepped: |^spin( again)?: ' "$TAP_DIR/all" >"$TAP_DIR/steps"
grep -vE '^(un)?stepped: |^spin( again)?: ' "$TAP_DIR/all" >"$TAP_DIR/there"
[ $status != 77 ] || skip_all "$(tail -1 "$TAP_DIR/rig")"
cases=$PWD/tests/rig/determinism-cases.sh
(cd "$folder" && sh "$cases" "FULL=${FULL:-}") >"$TAP_DIR/here"

[ -s "$TAP_DIR/here" ] || echo "nothing has run" >"$TAP_DIR/here"
while read -r line; do
    tap_result "$(grep -qxF -- "$line" "$TAP_DIR/there" && echo ok || echo not)" "${line%% *}: the same on both: ${line#* }"
done <"$TAP_DIR/here"
one_end() { [ "$(sed -n 's/^\(shell\|restored\|restored-elsewhere\) //p' "$1" | sort | uniq -c | awk '{ print $1 }')" = 3 ]; }
tap_result "$(one_end "$TAP_DIR/here" && one_end "$TAP_DIR/there" && echo ok || echo not)" \
    "restored runs end as the uninterrupted one"
tap_result "$(cmp -s "$TAP_DIR/here" "$TAP_DIR/there" && echo ok || echo not)" "and nothing else"
cmp -s "$TAP_DIR/here" "$TAP_DIR/there" || sed 's/^/# rig: /' "$TAP_DIR/there" "$TAP_DIR/rig"

# Stepping leaves no trace; a loop is preempted at the same instructions again, also from a snapshot.
lines() { sed -n "s/^$1: //p" "$TAP_DIR/steps"; }
check() { tap_result "$([ "$1" = "$2" ] && [[ $1 == *"exit code=0"* ]] && echo ok || echo not)" "$3"; }
check "$(lines stepped)" "$(lines unstepped)" "stepping does not change a run"
spun=$(lines spin)
check "$spun" "$(lines 'spin again')" "a loop is preempted at the same instructions again"
[[ $spun != *note* ]]
tap_result "$([ $? = 0 ] && echo ok || echo not)" "and the run is guaranteed to repeat"
[ "$TAP_FAILED" = 0 ] || sed 's/^/# steps: /' "$TAP_DIR/steps"
finish
