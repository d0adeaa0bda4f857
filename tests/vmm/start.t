#!/usr/bin/env bash
# zvmm's way to main() (vmm/quick-start.c) leaves a C program the same as the library's own start.
# And what zvmm does from there until its guest runs, as far as that can be counted.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
[ "$(getconf GNU_LIBC_VERSION)" = 'glibc 2.36' ] ||
    skip_all "zvmm starts as usual with $(getconf GNU_LIBC_VERSION)"

build() { # NAME [CYCLES]: entered by quick_start if given, which counts a CPUID of CYCLES as slow
    local entry=()
    if [ -n "${2:-}" ]; then
        gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -DSLOW_CPUID_CYCLES="$2" \
            -c -o "$TAP_DIR/entry.o" vmm/quick-start.c || exit 1
        entry=("$TAP_DIR/entry.o" -e quick_start)
    fi
    mkdir -p "$TAP_DIR/$1"
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o "$TAP_DIR/$1/started" \
        tests/vmm/started.c "${entry[@]}" -lpthread || exit 1
    gcc -std=gnu11 -O2 -static -o "$TAP_DIR/$1/empty" tests/bench/empty.c "${entry[@]}" || exit 1
}
build usual
build quick 1u
build declined UINT64_MAX
gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$TAP_DIR/cpuids" tests/vmm/cpuids.c || exit 1

export VARIABLE=value
case_run 'the usual start' 4 "$TAP_DIR/usual/started" one '' 'two words'
cp "$OUT" "$TAP_DIR/usual.out"
expect 'ends as it should' test "$(tail -n 2 "$OUT")" = $'atexit\ndestructor'
for way in quick declined; do
    case_run "the $way start" 4 "$TAP_DIR/$way/started" one '' 'two words'
    expect "the $way start: finds the same" cmp -s "$OUT" "$TAP_DIR/usual.out"
    case_run "the $way start: without environment" 1 env -i VARIABLE= "$TAP_DIR/$way/started"
done

count() { "$TAP_DIR/cpuids" "$TAP_DIR/$1/empty" || true; }
usual=$(count usual) quick=$(count quick)
echo "# CPUIDs: $usual as usual, $quick quickly"
expect 'the quick start asks once' test "$quick" = 1
# How many the library needs depends on the processor; its first look takes several in any case.
expect 'the usual one more often' test "$usual" -gt 5
expect 'zvmm enters there' test \
    "0x$(nm zvmm | sed -n 's/^0*\([0-9a-f]*\) T quick_start$/\1/p')" = \
    "$(readelf -h zvmm | sed -n 's/.*Entry point address: *//p')"
# Single steps make CPUID slow, so the way is the quick one everywhere. liblzma asks for itself.
case_run 'zvmm starts' 0 "$TAP_DIR/cpuids" ./zvmm --version
expect 'with few questions' test "$(cat "$OUT")" -le 5

# ---- What zvmm does before its guest runs, in system calls ----
if [ -w /dev/kvm ]; then
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$TAP_DIR/calls" tests/vmm/calls.c || exit 1
    GUEST=obj/vmm-tests/testguest.elf
    tests/vmm/build-guest.sh $GUEST >&2 || exit 1
    at_most() { # LIMIT NAME ARGS...
        case_run "$2" 0 "$TAP_DIR/calls" ./zvmm "${@:3}"
        echo "# $(cat "$OUT") system calls"
        expect "$2: at most $1 system calls" test "$(cat "$OUT")" -le "$1"
    }
    ./zvmm $GUEST --cmdline hello >"$OUT" # its probe's finding is kept
    at_most 70 'a start' $GUEST --cmdline hello
    ./zvmm --snapshot-at exits:0 -o "$TAP_DIR/start.zsnap" $GUEST --cmdline hello >"$OUT"
    at_most 66 'a restore' restore "$TAP_DIR/start.zsnap"
else
    skip 'system calls of a start' 'no usable /dev/kvm'
fi
finish
