#!/bin/sh
# moments.sh ZVMM GUEST FOLDER COUNT SEED - snapshots at COUNT random moments of core-tests, for any
# sh (the rig's is busybox's).
#
# The run that is snapshotted has to end as if nothing had happened, and the restored one has to print
# exactly the rest. Odd moments are exits, even ones times, which hit the vCPU in the middle of
# whatever it does. SEED chooses them; a line "same ..." or "differs ..." tells of each.
zvmm=$1 guest=$2 dir=$3 count=$4 seed=$5

# What runs: groups of tests that take about a second each, a group a line.
groups='Event.* EventPair.*
Timer.[A-L]* Clock.*
Timer.[M-Z]*
Futex*
ObjectWait.* Port.*
PortCancel* HandleWait*
PortAsync.* Interrupt*
ChannelCall.*
Socket.[A-P]*
Fifo* Stream*
Process.* Job.*
Thread.[A-D]*
ThreadRegisters.*
Vmo.* VmoClone.*
Vmar.*
Fpu.S*
Fpu.C*
Exception.*
Pager.[D-H]*
Pthread* Condition*'

random() { # BELOW: sets $number
    seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
    number=$(((seed >> 8) % $1))
}

run() { # OUT COMMAND...
    out=$1
    shift
    timeout 300 "$@" >"$out" 2>"$dir/errors" </dev/null
}

passed() { tail -n 1 "$dir/$1" | grep -q '^# passed [1-9][0-9]* failed 0'; }

# How long the group takes undisturbed: $runs times in the guest, $us microseconds.
measure() {
    eval "runs=\${runs_$number:-} us=\${us_$number:-}"
    [ -z "$us" ] || return 0
    run "$dir/whole" "$zvmm" --stats "$guest" -- core-tests "$@" && passed whole || return 1
    runs=$(sed -n 's/.* runs=\([0-9]*\).*/\1/p' "$dir/errors")
    us=$(sed -n 's/.* end_us=\([0-9]*\).*/\1/p' "$dir/errors")
    [ -n "$runs" ] && [ -n "$us" ] && eval "runs_$number=$runs us_$number=$us"
}

# A run that ends before its moment comes is no fault of the snapshot's: an earlier one is taken.
take() { # share (of 1,000) of the run; sets $at
    while :; do
        at=exits:$((runs * share / 1000))
        [ $((moment % 2)) = 1 ] || at=time:$((us * share / 1000))us
        rm -f "$dir/moment.zsnap"
        run "$dir/whole" "$zvmm" --snapshot-at "$at" -o "$dir/moment.zsnap" "$guest" -- core-tests "$@"
        status=$?
        if [ $status != 125 ] || [ $share -le 1 ] || ! grep -q 'has not happened' "$dir/errors"; then
            break
        fi
        share=$((share / 2))
    done
}

# The kernel's log carries times, which differ; a first line may be cut. Nothing may be left, too.
results() { grep -E '^(ok|not ok|# )' "$dir/$1" >"$dir/$1.results"; }
is_rest() {
    results whole
    results rest
    tail -n "$(wc -l <"$dir/rest.results")" "$dir/whole.results" | cmp -s - "$dir/rest.results"
}

complain() { # WHAT
    echo "differs: moment $moment, $at of core-tests $group: $1"
    tail -n 3 "$dir/errors" | sed 's/^/# errors: /'
    grep -v '^ok' "$dir/$2" | tail -n 8 | sed 's/^/# output: /'
}

moment=0
while [ "$moment" -lt "$count" ]; do
    moment=$((moment + 1))
    random 20
    group=$(echo "$groups" | sed -n "$((number + 1))p")
    set -f
    # shellcheck disable=SC2086 # each word is a pattern
    set -- $group
    set +f
    at=undisturbed
    if ! measure "$@"; then
        complain 'it fails without any snapshot' whole
        continue
    fi
    random 1000
    share=$number
    take "$@"
    if [ "$status" != 0 ] || ! passed whole; then
        complain "the run that goes on ends with $status" whole
        continue
    fi
    run "$dir/rest" "$zvmm" restore "$dir/moment.zsnap"
    status=$?
    if [ $status != 0 ]; then
        complain "the restored run ends with $status" rest
    elif ! is_rest; then
        complain 'the restored run prints something else' rest
    else
        echo "same: $at of core-tests $group"
    fi
done
rm -f "$dir/moment.zsnap"
