#!/usr/bin/env bash
# zvmm --sandbox: everything that a run does is on the list of system calls.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2 || exit 1

for option in --gdb=unix:$TAP_DIR/gdb --ctl=$TAP_DIR/ctl --snapshot-at=time:1s --deterministic; do
    [ -w /dev/kvm ] || break
    case_run "refused: ${option%%=*}" 125 ./zvmm --sandbox "$option" $GUEST --cmdline hello
    expect "refused: ${option%%=*}: says why" err_has "does not go with ${option%%=*}"
done
[ -w /dev/kvm ] || { skip 'runs of a guest' 'no usable /dev/kvm'; finish; }

case_run hello 0 ./zvmm --sandbox guest.elf -- hello
expect 'hello: prints its line' output_is 'Hello from user space!'
printf 'ps\nexit 7\n' >"$TAP_DIR/in"
STDIN_FILE=$TAP_DIR/in
case_run shell 7 ./zvmm --sandbox guest.elf
expect 'shell: shows itself' has bin/sh
unset STDIN_FILE
case_run 'core-tests' 0 ./zvmm --sandbox guest.elf -- core-tests 'Timer.*'
for words in timer spin memory bad ring; do
    for quirks in none probe; do
        case_run "$words, quirks $quirks" 0 ./zvmm --sandbox $GUEST --cmdline $words --quirks $quirks
    done
done
case_run 'a panic' 126 ./zvmm --sandbox $GUEST --cmdline panic
expect 'a panic: with source lines' err_has 'guest.c:'
case_signal 'a signal' 143 TERM ready ./zvmm --sandbox $GUEST --cmdline echo
case_terminal 'a terminal' 130 raw send abc see abc send '\001x' -- ./zvmm --sandbox $GUEST --cmdline echo

# While it runs: the filter is on, for good, and SIGUSR1 makes no snapshot but does no harm.
in_the_sandbox() {
    grep -q 'Seccomp:.*2$' "/proc/$1/status" && grep -q 'NoNewPrivs:.*1$' "/proc/$1/status"
}
mkfifo "$TAP_DIR/keys"
exec 7<>"$TAP_DIR/keys"
echo first >&7
./zvmm --sandbox $GUEST --cmdline echo <"$TAP_DIR/keys" >"$TAP_DIR/shown" 2>"$TAP_DIR/said" 7<&- &
zvmm=$!
until grep -q first "$TAP_DIR/shown" || ! kill -0 $zvmm; do sleep 0.05; done
expect 'the process is sandboxed' in_the_sandbox $zvmm
kill -USR1 $zvmm
echo second >&7
until grep -q second "$TAP_DIR/shown" || ! kill -0 $zvmm; do sleep 0.05; done
expect 'SIGUSR1 does no harm' in_the_sandbox $zvmm
expect 'SIGUSR1 is answered' grep -q 'lets no snapshot be written' "$TAP_DIR/said"
expect 'SIGUSR1 leaves no file' test ! -e $GUEST.zsnap
kill $zvmm
wait $zvmm
expect 'it ends as ever' test $? = 143
finish
