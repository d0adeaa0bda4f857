#!/usr/bin/env bash
# run.sh here [COUNT] - what snapshots cost here, beside a bare prototype and QEMU: in files in memory
#                       (/dev/shm), then on the disk of obj. QEMU's by KVM if it can, and by TCG.
# run.sh rig [COUNT]  - zvmm and the prototype in instructions, on the nested rig
# run.sh check        - the same against tests/bench/snapshot-budget.csv, as TAP
# run.sh write        - write that file: the rig's counts, and budgets 5 % above
#
# Files are new each time: ext4 writes a file's blocks before another file may take its name.
set -u
cd "$(dirname "$0")/../../.." || exit 1
out=${OBJ:-obj}/bench
guest=$out/testguest.elf
csv=tests/bench/snapshot-budget.csv
# What is held, and which of the values: a reset's mean has the share of protecting pages anew.
held='restore:min take-contiguous:min take-scattered:min incremental-pause:min
    reset-1:mean reset-10:mean reset-100:mean'

measure_in() { # FOLDER COUNT
    local folder
    folder=$(mktemp -d -p "$1") || return
    echo "# files in $1, nanoseconds"
    "$out/snapshot" "$guest" "$folder" "$2"
    for accel in kvm tcg; do
        tests/bench/snapshot/qemu.pl $accel "$out/qemu-guest.elf" "$folder" 20 2>&1 || true
    done
    rm -rf "$folder"
}

measure_here() { # COUNT
    ${CC:-gcc} -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x100000 -Wl,--build-id=none \
        -o "$out/qemu-guest.elf" tests/bench/snapshot/qemu-guest.S
    [ ! -w /dev/shm ] || measure_in /dev/shm "$1"
    measure_in "$out" "$1"
}

measure_rig() { # COUNT
    echo "# the nested rig, instructions"
    tests/rig/run.sh --icount --timeout 300 --file "$out/snapshot" --file "$guest" -- \
        /snapshot /testguest.elf /tmp "$1"
}

value() { # ROW:KEY < output
    sed -n "s/^${1%:*} .*zvmm.* ${1#*:}=\([0-9]*\).*/\1/p" | head -1
}
# The prototype's values follow on the same line.
ours() { sed 's/ bare .*//' "$out/snapshot-rig.txt"; }

measure_for_budget() {
    local status=0
    measure_rig 8 >"$out/snapshot-rig.txt" 2>&1 || status=$?
    return $status
}

check() {
    local row count budget n=0 failed=0
    measure_for_budget
    case $? in
    0) ;;
    77)
        echo "1..0 # SKIP $(tail -1 "$out/snapshot-rig.txt")"
        return 0
        ;;
    *)
        echo 'not ok 1 - the rig measures'
        sed 's/^/# /' "$out/snapshot-rig.txt" | head -20
        echo 1..1
        return 1
        ;;
    esac
    while IFS=, read -r row _ budget; do
        [ "$row" != row ] || continue
        n=$((n + 1))
        count=$(ours | value "$row")
        if [ -n "$count" ] && [ "$count" -le "$budget" ]; then
            echo "ok $n - $row: $count instructions, budget $budget"
        else
            echo "not ok $n - $row: ${count:-no} instructions, budget $budget"
            failed=1
        fi
    done <$csv
    echo "1..$n"
    return $failed
}

write() {
    local row count
    measure_for_budget || { tail -1 "$out/snapshot-rig.txt" >&2; exit 1; }
    echo 'row,instructions,budget' >$csv
    for row in $held; do
        count=$(ours | value "$row")
        echo "$row,$count,$((count * 105 / 100))" >>$csv
    done
    cat $csv
}

mkdir -p "$out"
tests/vmm/build-guest.sh "$guest" >&2 || exit 1
case ${1:-} in
here) measure_here "${2:-200}" ;;
rig) measure_rig "${2:-8}" ;;
check) check ;;
write) write ;;
*)
    sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
