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
for program in proto startup; do
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
ln -sf ../../zvmm $out/zvmm
measure $out "$count"
