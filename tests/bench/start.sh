#!/usr/bin/env bash
# start.sh [COUNT] - start-up of zvmm beside the floor of this host, in one run.
#
# Builds the bare prototype and the test guest, then alternates them, so that a change of the
# machine's speed meets both. With --rig it measures instructions on the nested rig instead.
set -eu
cd "$(dirname "$0")/../.."
out=obj/bench
guest=$out/testguest.elf
count=${1:-200}
mkdir -p $out obj/vmm-tests
tests/vmm/build-guest.sh $guest
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
    { declare -f measure; echo 'measure . 10'; } >"$script"
    status=0
    tests/rig/run.sh --icount --timeout 120 --script "$script" --file zvmm --file $guest \
        --file $out/proto --file $out/startup || status=$?
    rm -f "$script"
    exit $status
fi
# An empty program, and zvmm from main() to its first KVM_RUN. What is before main() is the C
# library's: it executes CPUID some 75 times, which a virtual machine pays 8 us each for.
own_part() { # COUNT
    local i
    echo "empty: $($out/startup "$1" $out/empty)"
    for ((i = 0; i < $1; i++)); do
        ./zvmm $guest --cmdline hello --stats 2>&1 >/dev/null | sed -n 's/.*first_run_us=\([0-9]*\).*/\1/p'
    done | sort -n | awk '{ us[NR] = $1 }
        END { printf "zvmm from main() to its first KVM_RUN: us median=%d min=%d\n", us[int((NR + 1) / 2)], us[1] }'
}

ln -sf ../../zvmm $out/zvmm
measure $out "$count"
own_part "$count"
