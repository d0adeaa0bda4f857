#!/bin/bash
# zlibos(1): options, programs, exit statuses, signals, terminal; and the tests of its HAL.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
OBJ=${OBJ:-obj}
zlibos=${ZLIBOS:-./zlibos}

case_run version 0 "$zlibos" --version
expect "version: prints it" has "zlibos "
case_run help 0 "$zlibos" --help
expect "help: names the options" has "--bootfs DIR"
case_run unknown-option 125 "$zlibos" --nonsense
expect "unknown option: one line" one_line_error
case_run guest-argument 125 "$zlibos" guest.elf
expect "a stray word: says where programs go" err_has "after --"
case_run memory-small 125 "$zlibos" --memory 1M
case_run memory-word 125 "$zlibos" --memory lots
case_run seed-bad 125 "$zlibos" --seed xyz
case_run zbi-missing 125 "$zlibos" --zbi /nonexistent
expect "zbi-missing: names the file" err_has "/nonexistent"
case_run vdso-text 125 "$zlibos" --vdso Makefile
expect "vdso-text: says why" err_has "is not an ELF file"

case_run hello 0 "$zlibos" -- hello
expect "hello: prints its line" has_line "Hello from user space!"
case_run hello-small 0 "$zlibos" --memory 16M -- hello
case_run hello-verbose 0 "$zlibos" --verbose -- hello
expect "hello-verbose: remarks" err_has "time stamp counter"
without_sys_admin=()
[ "$(id -u)" != 0 ] || without_sys_admin=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)
case_run unprivileged 0 "${without_sys_admin[@]}" "$zlibos" --verbose -- hello
expect "unprivileged: without huge pages" err_has "no huge ones: Operation not permitted"
case_run not-found 127 "$zlibos" -- no-such-program
mkdir -p "$TAP_DIR/boot/data"
echo "a line of text" >"$TAP_DIR/boot/data/text"
case_run bootfs 0 "$zlibos" --bootfs "$TAP_DIR/boot" -- cat data/text
expect "bootfs: the file is there" has_line "a line of text"
printf 'ls\nexit 7\n' >"$TAP_DIR/script"
STDIN_FILE=$TAP_DIR/script
case_run shell 7 "$zlibos"
expect "shell: lists programs" has "bin/sh"
unset STDIN_FILE

# The shell waits for more input, which does not come.
for signal in INT TERM; do
    case $signal in INT) status=130 ;; TERM) status=143 ;; esac
    case_signal "signal-$signal" $status $signal 'echo ready' "$zlibos"
    expect "signal-$signal: says so" err_has "ended by signal"
done
case_terminal terminal-quit 130 raw send 'echo 1\003' send '\001x' -- "$zlibos"
expect "terminal-quit: one line" has "ended by Ctrl-A x"
case_terminal terminal-exit 5 raw send "exit 5\r" -- "$zlibos"
case_run idle 0 bash -c 'sleep 1.5 | { time -p '"$zlibos"' ; } 2>&1 | awk "/^(user|sys)/ { t += \$2 }
    END { exit t > 0.3 }"'

case_run hal 0 "$OBJ/libos/hal-test"
for name in panic fault overflow gp doublefree; do
    case_run "hal-$name" 126 "$OBJ/libos/hal-test" --cmdline "test=$name"
    expect "hal-$name: has a backtrace" err_has "hal-test.c:"
done
case_run hal-exhaustion 0 "$OBJ/libos/hal-test" --memory 16M --cmdline test=exhaustion
# Where the kernel's stack lies in its page would say how fast things are.
for length in 1 40 1000; do
    case_run "stack-$length" 0 env "LONGER=$(printf "%${length}s" x)" "$OBJ/libos/hal-test" \
        --cmdline test=stack
    expect "stack-$length: says where" has "# stack at "
    cp "$OUT" "$TAP_DIR/stack-$length.out"
done
case_run stack-place 0 cmp "$TAP_DIR/stack-1.out" "$TAP_DIR/stack-40.out"
case_run stack-place-far 0 cmp "$TAP_DIR/stack-1.out" "$TAP_DIR/stack-1000.out"
case_run cpuinfo 0 "$OBJ/libos/cpuinfo-test"
case_run mirror 0 "$OBJ/libos/mirror-test"
finish
