#!/bin/bash
# Tests the nested rig itself, in TAP: prove tests/rig/rig.t
# Skipped when the rig's tools or its kernel (tests/rig/setup.sh) are missing.
# shellcheck disable=SC2016 # the guest expands these
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests=0

# Runs the rig; leaves its stdout in $work/out, its stderr in $work/err and its exit status in $status.
rig() {
    status=0
    "$here/run.sh" "$@" > "$work/out" 2> "$work/err" || status=$?
}

# One test named $1: passes when the command in the other arguments succeeds.
is() {
    local name=$1 word=ok
    shift
    tests=$((tests + 1))
    "$@" || word='not ok'
    echo "$word $tests - $name"
    [ "$word" = ok ] || sed 's/^/# /' "$work/out" "$work/err"
}

# Whether the last run exited with $1 and printed exactly $2.
gave() { [ "$status" = "$1" ] && printf %s "$2" | cmp -s - "$work/out"; }

failed_in_one_line() { [ "$status" = "$1" ] && [ ! -s "$work/out" ] && [ "$(grep -c '^rig: ' "$work/err")" = 1 ]; }

exit_statuses() {
    local code
    for code in 0 3 125 255; do
        rig -- sh -c "exit $code"
        is "exit status $code arrives" gave $code ''
    done
    rig -- sh -c 'kill -9 $$'
    is 'a killed command gives 128 + 9' gave 137 ''
    rig -- no-such-command
    is 'a command that is not there gives 127' test "$status" = 127
}

all_bytes() {
    local byte
    for byte in $(seq 0 255); do printf '%b' "\\0$(printf %o "$byte")"; done
}

output_and_input() {
    all_bytes > "$work/bytes"
    printf 'a\nb\r\nc' >> "$work/bytes"
    rig --file "$work/bytes" -- cat /bytes
    is 'every byte value comes out as it was' cmp "$work/bytes" "$work/out"
    seq 1 40000 > "$work/long"
    rig --stdin "$work/long" -- cat
    is '--stdin feeds the command, 229 kB come out whole' cmp "$work/long" "$work/out"
    rig -- cat
    is 'the default standard input is empty' gave 0 ''
    rig -- sh -c 'echo one; echo two >&2; echo three'
    is 'stdout and stderr come out in order' gave 0 $'one\ntwo\nthree\n'
    rig -- printf '[%s]' "it's" 'a  b' $'new\nline' '$HOME' ''
    is 'arguments arrive unchanged' gave 0 "[it's][a  b]"$'[new\nline][$HOME][]'
    rig -- sh -c 'sleep 1000 & echo done'
    is 'a process left behind does not hold the run' gave 0 $'done\n'
}

files_and_scripts() {
    mkdir -p "$work/folder/inner"
    printf '#!/bin/sh\necho "tool $1"\n' > "$work/folder/inner/tool"
    chmod 755 "$work/folder/inner/tool"
    rig --file "$work/folder" --file "$work/folder/inner/tool:/opt/renamed" -- \
        sh -c '/folder/inner/tool 1; /opt/renamed 2'
    is 'folders and renamed files arrive, executable' gave 0 $'tool 1\ntool 2\n'
    printf 'for n; do echo "case $n"; done\nexit 5\n' > "$work/script"
    rig --script "$work/script" -- a b
    is '--script runs a script with arguments' gave 5 $'case a\ncase b\n'
}

failures() {
    rig --timeout 2 -- sh -c 'echo begun; sleep 1000'
    is '--timeout ends with 124 and keeps the output' gave 124 $'begun\n'
    is 'the timeout is told in one line' test "$(grep -c '^rig: .*--timeout' "$work/err")" = 1
    rig -- sh -c 'echo c > /proc/sysrq-trigger'
    is 'a guest that dies gives 125 and one line' failed_in_one_line 125
    rig --nonsense -- true
    is 'an unknown option gives 125 and one line' failed_in_one_line 125
    RIG_CACHE=$work/empty rig -- true
    is 'a missing kernel gives 77 and one line' failed_in_one_line 77
}

kvm() {
    "${CC:-cc}" -O2 -Wall -Wextra -static -o "$work/kvm-selftest" "$here/kvm-selftest.c" 2> "$work/err"
    rig --file "$work/kvm-selftest" -- kvm-selftest
    is '/dev/kvm runs guest code' test "$status $(grep -c '^ok' "$work/out")" = '0 4'
    rig -- sh -c 'dmesg | grep -oE "Refined TSC|kvm: Nested V"'
    is 'kvm was loaded when the frequency of the TSC was known' gave 0 $'Refined TSC\nkvm: Nested V\n'
    rig --timeout 60 --file "$work/kvm-selftest" -- kvm-selftest 20000
    is 'no timer is lost for good beside a guest that keeps leaving' test "$status $(grep -c '^ok' "$work/out")" = '0 1'
    rig --icount --file "$work/kvm-selftest" -- kvm-selftest
    is 'it does with --icount' test "$status $(grep -c '^ok' "$work/out")" = '0 4'
    cp "$work/out" "$work/first"
    rig --icount --file "$work/kvm-selftest" -- kvm-selftest
    is '--icount counts the same instructions again' cmp "$work/first" "$work/out"
    is '--icount counts instructions: two million and a few' grep -q '^# 20000[0-9][0-9] TSC' "$work/out"
}

rig -- true
if [ "$status" = 77 ]; then
    echo "1..0 # SKIP $(sed 's/^rig: //' "$work/err")"
    exit 0
fi
exit_statuses
output_and_input
files_and_scripts
failures
kvm
echo "1..$tests"
