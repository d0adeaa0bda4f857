#!/usr/bin/env bash
# start.sh [COUNT] - start-up of zvmm beside the floor of this host, in one run.
#
# Builds the bare prototype and the test guest, then alternates them, so that a change of the
# machine's speed meets both. With --rig it measures instructions on the nested rig instead.
#
# A process starts when its creator asks for it. "nothing" is a program without a C library, which
# ends at once: what any process costs. "empty" is a static C program that does the same: what is
# more is the C library's start. The floor is tests/bench/proto.c: a C program that does the least
# to get a guest to run. "zvmm, probing" is a first run, which finds nothing kept by an earlier one.
set -eu
cd "$(dirname "$0")/../.."
out=obj/bench
guest=$out/testguest.elf
count=${1:-200}
mkdir -p $out obj/vmm-tests
tests/vmm/build-guest.sh $guest
gcc -O2 -Wall -Wextra -Werror -static -nostdlib -o $out/nothing tests/bench/nothing.c
for program in proto empty startup; do
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o $out/$program \
        tests/bench/$program.c
done

measure() { # FOLDER COUNT
    for _ in 1 2 3; do
        echo "floor: $("$1"/startup "$2" "$1"/proto)"
        echo "zvmm:  $("$1"/startup "$2" "$1"/zvmm "$1"/testguest.elf --cmdline hello)"
    done
    "$1"/zvmm "$1"/testguest.elf --cmdline hello --stats
}

if [ "$count" = --rig ]; then
    script=$(mktemp)
    { declare -f measure; echo 'measure . 10; ./zvmm guest.elf --stats -- hello 2>&1 | sed "s/^/hello: /"'; } >"$script"
    status=0
    tests/rig/run.sh --icount --timeout 120 --script "$script" --file zvmm --file guest.elf --file $guest \
        --file $out/proto --file $out/startup || status=$?
    rm -f "$script"
    exit $status
fi

# From the process's start to zvmm's first KVM_RUN for the guest, and from main() to there.
own_part() { # COUNT
    echo "nothing: $($out/startup "$1" $out/nothing)"
    echo "empty:   $($out/startup "$1" $out/empty)"
    first_run "zvmm, probing" "$1" --quirks probe
    first_run zvmm "$1"
    echo "zvmm: main() to its first KVM_RUN: us$($out/startup -u first_run_us "$1" ./zvmm $guest \
        --cmdline hello --stats | sed 's/^first_run_us//')"
}

first_run() { # NAME COUNT OPTIONS...
    echo "$1: process start to its first KVM_RUN: us$($out/startup -k first_run_clock_ns "$2" ./zvmm \
        $guest --cmdline hello --stats "${@:3}" | sed 's/^first_run_clock_ns//')"
}

# From the process's start to a program's first user instruction: cold, warm, and from a snapshot
# taken there. It is read off the TSC, so the guest's has to be the host's own.
first_user() { # COUNT
    local run=(./zvmm guest.elf --bootfs $out/first-user) snapshot=$out/first-user.zsnap
    mkdir -p $out/first-user/bin
    ./zcc -O2 -Wl,-e,first_user -o $out/first-user/bin/first-user tests/bench/first-user.c
    if ! "${run[@]}" --stats -- first-user 2>&1 </dev/null | grep -q ' quirks=0x1f '; then
        echo "first user instruction: not measured: the guest's TSC is not the host's"
        return
    fi
    XDG_CACHE_HOME=$PWD/$out/warm ./zvmm --warm "${run[@]:1}" -- first-user >/dev/null
    "${run[@]}" --snapshot-at start:first-user -o $snapshot -- first-user >/dev/null
    echo "cold: process start to first user instruction: us$(user_time $(($1 / 20 + 1)) "${run[@]}" -- first-user)"
    echo "warm: process start to first user instruction: us$(XDG_CACHE_HOME=$PWD/$out/warm \
        user_time "$1" ./zvmm --warm "${run[@]:1}" -- first-user)"
    echo "restore: process start to first user instruction: us$(user_time "$1" ./zvmm restore $snapshot)"
    echo "restore: process start to its first KVM_RUN: us$($out/startup -k first_run_clock_ns "$1" \
        ./zvmm restore --stats $snapshot | sed 's/^first_run_clock_ns//')"
    rm -rf $snapshot $out/warm
}

user_time() { # COUNT COMMAND...
    $out/startup -t first_user_tsc "$@" </dev/null | sed 's/^first_user_tsc//'
}

ln -sf ../../zvmm $out/zvmm
uptime
measure $out "$count"
own_part "$count"
first_user "$count"
