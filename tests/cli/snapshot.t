#!/usr/bin/env bash
# Snapshots on this machine's KVM: taking, restoring, chains, the control socket, bad files.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    skip_all "no usable /dev/kvm: ${out##*$'\n'}"
fi
D=$TAP_DIR

has_both() { grep -q "$2" "$1" && grep -q "$3" "$1"; }

# ---- Taking and restoring ----
goes_on() { # NAME EVENT: the run says what it would have said, and so does the restored one
    case_run "$1: the run goes on" 0 ./zvmm --snapshot-at "$2" -o "$D/$1.zsnap" guest.elf -- hello
    expect "$1: and prints what it would have" has 'Hello from user space!'
    case_run "$1: restore" 0 ./zvmm restore "$D/$1.zsnap"
    expect "$1: the restored run prints it" has 'Hello from user space!'
}
goes_on exits exits:6
goes_on time time:20ms
goes_on first-user marker:first-user
goes_on start start:hello
goes_on second 'marker:3'
case_run 'at the exit of the program' 0 ./zvmm --snapshot-at exit:hello -o "$D/exit.zsnap" guest.elf -- hello
case_run 'restored there it ends' 0 ./zvmm restore "$D/exit.zsnap"
case_run 'info' 0 ./zvmm snap info "$D/start.zsnap"
expect 'info names the event' has 'start:hello'
expect 'info names the guest' has "$PWD/guest.elf"
case_run 'verify' 0 ./zvmm snap verify "$D/start.zsnap"

# The whole output, from before and after the snapshot, is that of a run without one.
./zvmm guest.elf -- core-tests 'Event*' >"$D/plain" 2>/dev/null </dev/null
case_run 'tests are not disturbed' 0 ./zvmm --snapshot-at exits:16 -o "$D/tests.zsnap" guest.elf -- core-tests 'Event*'
expect 'and print the same' cmp -s "$OUT" "$D/plain"
case_run 'restored tests pass' 0 ./zvmm restore "$D/tests.zsnap"
ends_with() { tail -c "$(stat -c %s "$2")" "$1" | cmp -s - "$2"; }
expect 'and print what was left to print' ends_with "$D/plain" "$OUT"

# The guest's time goes on where it stood: while other machines of the same snapshot ran, none passed.
# Programs read the same time as the kernel.
stamp() { sed -n 's/^\[ *0*\([0-9]*\)\.\([0-9]*\)\].*/\1\2/p' "$1" | sed 's/^0*//; q'; } # milliseconds
clock_run() { # NAME ZVMM-ARGS...
    local name=$1 begin
    shift
    begin=$(date +%s%3N)
    case_run "$name" 0 ./zvmm "$@"
    wall=$(($(date +%s%3N) - begin))
    now=$(stamp "$OUT")
    expect "$name: no two clocks" has_line 'ok 1 - Time.KernelAndVdsoAgree'
}
clock_tests=(-- core-tests Time.KernelAndVdsoAgree Exception.Order)
clock_run 'time: taken' --snapshot-at start:core-tests -o "$D/time.zsnap" guest.elf "${clock_tests[@]}"
first=$now
for i in 1 2 3 4 5; do clock_run "time: restored $i" restore "$D/time.zsnap"; done
echo "# first $first, last $now ms, after $wall ms"
stood_still() { test "${now:-0}" -gt 0 && test $((now - first)) -le "$wall"; }
expect 'time stands still with the machine' stood_still
perl -pe 's/\x02\0\0\0zvmm/\x03\0\0\0zvmm/' obj/images/vdso/libzircon.so >"$D/old-vdso.so"
clock_run 'time: a vDSO without offset' --snapshot-at start:core-tests -o "$D/time.zsnap" \
    --vdso "$D/old-vdso.so" guest.elf "${clock_tests[@]}"
clock_run 'time: its restored machine has one clock' restore "$D/time.zsnap"

# Every kind of wait, timers, floating point, input half read.
[ -x obj/vmm-tests/waits/waits ] || make -s obj/vmm-tests/waits/waits >&2
CASE_TIMEOUT=400 case_run 'waits' 0 sh tests/vmm/waits.sh ./zvmm guest.elf obj/vmm-tests/waits "$D"
expect 'waits: threads in every kind of wait, timers, floating point' has_line 'same every kind of wait'
expect 'waits: console input half read' has_line 'same console input half read'

# Many at once.
for i in 1 2 3 4; do ./zvmm restore "$D/start.zsnap" >"$D/many$i" </dev/null 2>&1 & done
wait
expect 'four machines of one snapshot at once' test "$(cat "$D"/many? | grep -c 'Hello from user')" = 4

# Console input half read: the rest of the line is in the snapshot.
mkfifo "$D/in"
./zvmm --ctl "$D/sock" guest.elf -- cat <"$D/in" >"$D/cat.out" 2>&1 &
exec 9>"$D/in"
answers() { timeout 10 bash -c "until ./zvmm ctl '$D/sock' status >/dev/null 2>&1; do sleep 0.05; done"; }
says() { timeout 20 bash -c "until grep -q '$2' '$1'; do sleep 0.05; done"; }
expect 'the control socket answers' answers
printf 'one\n' >&9
expect 'the guest echoes' says "$D/cat.out" one
case_run 'ctl status' 0 ./zvmm ctl "$D/sock" status
expect 'it names the guest' has 'guest=guest.elf'
case_run 'ctl snapshot' 0 ./zvmm ctl "$D/sock" snapshot "$D/ctl.zsnap"
case_run 'ctl snapshot with a parent' 0 ./zvmm ctl "$D/sock" snapshot "$D/ctl2.zsnap" --parent "$D/ctl.zsnap"
case_run 'ctl snapshot with that as parent' 0 ./zvmm ctl "$D/sock" snapshot "$D/ctl3.zsnap" --parent "$D/ctl2.zsnap"
case_run 'ctl snapshot to nowhere' 125 ./zvmm ctl "$D/sock" snapshot /nonexistent/a.zsnap
expect 'says why in one line' one_line_error
case_run 'ctl unknown command' 125 ./zvmm ctl "$D/sock" frobnicate
expect 'says so' err_has 'no control command'
case_run 'the socket is in use' 125 ./zvmm --ctl "$D/sock" guest.elf -- hello
expect 'and says so' err_has 'in use'
printf 'two\n' >&9
exec 9>&-
wait
expect 'the machine went on' has_both "$D/cat.out" one two
case_run 'ctl without a machine' 125 ./zvmm ctl "$D/sock" status
expect 'names the remedy' err_has 'start one with --ctl'
printf 'three\n' >"$D/line"
for i in 2 3; do
    STDIN_FILE=$D/line case_run "the restored machine takes new input: $i" 0 ./zvmm restore "$D/ctl$i.zsnap"
    expect "and echoes it: $i" has three
done

# SIGUSR1.
./zvmm -o "$D/usr1.zsnap" guest.elf -- sh <"$D/in" >"$D/sh.out" 2>&1 &
pid=$!
exec 9>"$D/in"
expect 'a shell prompts' says "$D/sh.out" '[$#>]'
kill -USR1 $pid
is_there() { timeout 10 bash -c "until [ -s '$1' ]; do sleep 0.05; done"; }
expect 'SIGUSR1 takes a snapshot' is_there "$D/usr1.zsnap"
printf 'exit 3\n' >&9
exec 9>&-
wait $pid
expect 'and the machine goes on to its end' test $? = 3

# ---- Chains ----
# The program prints at its second exit or later.
case_run 'a child' 0 ./zvmm restore --snapshot-at exits:0 --parent "$D/start.zsnap" -o "$D/child.zsnap" "$D/start.zsnap"
case_run 'a grandchild' 0 ./zvmm restore --snapshot-at exits:1 --parent "$D/child.zsnap" -o "$D/grand.zsnap" "$D/child.zsnap"
small() { test "$(stat -c %b "$1")" -lt "$(($(stat -c %b "$2") / 4))"; }
expect 'it holds the difference only' small "$D/grand.zsnap" "$D/start.zsnap"
case_run 'a chain restores' 0 ./zvmm restore "$D/grand.zsnap"
expect 'and goes on' has 'Hello from user space!'
case_run 'flatten' 0 ./zvmm snap flatten "$D/grand.zsnap" "$D/flat.zsnap"
case_run 'the flat file is whole' 0 ./zvmm snap verify "$D/flat.zsnap"
case_run 'pack' 0 ./zvmm snap pack "$D/flat.zsnap" "$D/flat.zst"
case_run 'unpack' 0 ./zvmm snap unpack "$D/flat.zst" "$D/again.zsnap"
expect 'gives the same file' cmp -s "$D/flat.zsnap" "$D/again.zsnap"
mkdir "$D/moved"
mv "$D/child.zsnap" "$D/grand.zsnap" "$D/moved"
cp --sparse=always "$D/start.zsnap" "$D/moved"
case_run 'a chain may move to another folder' 0 ./zvmm snap verify "$D/moved/grand.zsnap"
case_run 'without its files the flat one restores' 0 ./zvmm restore "$D/flat.zsnap"

# ---- What is refused: one line, 125, nothing damaged ----
refused() { # NAME TEXT COMMAND...
    local name=$1 text=$2
    shift 2
    case_run "refused: $name" 125 "$@"
    expect "refused: $name: says why" err_has "$text"
    expect "refused: $name: in one line" one_line_error
}
copy() { cp --sparse=always "$D/start.zsnap" "$D/bad.zsnap"; }
poke() { printf '%b' "$2" | dd of="$D/bad.zsnap" bs=1 seek="$1" conv=notrunc status=none; }
byte() { od -An -tu1 -j"$1" -N1 "$D/bad.zsnap" | tr -d ' '; }
flip() { poke "$1" "\\x$(printf %02x $(($(byte "$1") ^ 16)))"; }
refused 'bad event' 'is not an event' ./zvmm --snapshot-at noon guest.elf
refused 'bad duration' 'is not an event' ./zvmm --snapshot-at time:soon guest.elf
refused 'event that never comes' 'has not happened' ./zvmm --snapshot-at start:nobody -o "$D/never.zsnap" guest.elf -- hello
expect 'there is no file then' test ! -e "$D/never.zsnap"
refused 'no such snapshot' 'No such file' ./zvmm restore "$D/nothing.zsnap"
refused 'a folder' 'not a regular file' ./zvmm restore "$D"
refused 'not a snapshot' 'is not a snapshot' ./zvmm restore guest.elf
refused 'a packed snapshot' 'unpack it first' ./zvmm restore "$D/flat.zst"
copy; truncate -s 100 "$D/bad.zsnap"
refused 'cut in the header' 'truncated' ./zvmm restore "$D/bad.zsnap"
copy; truncate -s -1 "$D/bad.zsnap"
refused 'cut by a byte' 'truncated' ./zvmm restore "$D/bad.zsnap"
copy; truncate -s 70000 "$D/bad.zsnap"
refused 'cut in the memory' 'truncated' ./zvmm restore "$D/bad.zsnap"
copy; poke 8 '\x02'
refused 'another version' 'format version 2' ./zvmm restore "$D/bad.zsnap"
for at in 16 40 100 200 400 4095; do
    copy; flip $at
    refused "header flipped at $at" 'damaged' ./zvmm restore "$D/bad.zsnap"
done
for at in 4096 4500 9000; do
    copy; flip $at
    refused "state flipped at $at" 'checksum' ./zvmm restore "$D/bad.zsnap"
done
copy; flip $(($(stat -c %s "$D/bad.zsnap") - 8))
refused 'list of pages flipped' 'checksum' ./zvmm restore "$D/bad.zsnap"
copy; flip $((65536 + 0x120000 + 5))
refused 'memory flipped: verify' 'the memory at physical' ./zvmm snap verify "$D/bad.zsnap"
refused 'memory flipped: restore --verify' 'the memory at physical' ./zvmm restore --verify "$D/bad.zsnap"
mv "$D/moved/start.zsnap" "$D/moved/gone.zsnap"
refused 'parent missing' 'No such file' ./zvmm restore "$D/moved/grand.zsnap"
cp --sparse=always "$D/exits.zsnap" "$D/moved/start.zsnap"
refused 'another parent' 'is not its parent' ./zvmm restore "$D/moved/grand.zsnap"
refused 'parent missing when taking' 'No such file' ./zvmm --parent "$D/none.zsnap" --snapshot-at exits:3 -o "$D/x.zsnap" guest.elf -- hello
refused 'parent of another size' 'cannot be the parent' ./zvmm --memory 64M --parent "$D/start.zsnap" --snapshot-at exits:3 -o "$D/x.zsnap" guest.elf -- hello
refused 'folder missing' 'No such file' ./zvmm --snapshot-at exits:3 -o "$D/none/x.zsnap" guest.elf -- hello
refused 'target is a folder' 'no regular file' ./zvmm --snapshot-at exits:3 -o "$D/moved" guest.elf -- hello
refused 'unpack of garbage' 'no packed snapshot' ./zvmm snap unpack guest.elf "$D/y.zsnap"
head -c 5000 "$D/flat.zst" >"$D/short.zst"
refused 'unpack of a part' 'truncated' ./zvmm snap unpack "$D/short.zst" "$D/y.zsnap"
expect 'nothing is left behind' test "$(ls "$D" | grep -c '\.zsnap\.')" = 0
perl -0777 -pe 's/GNU\0\K.{8}/ABCDEFGH/s' guest.elf >"$D/other.elf"
refused 'another build of the guest' 'has build id' ./zvmm restore --guest "$D/other.elf" "$D/start.zsnap"
case_run 'unless forced' 0 ./zvmm restore --force --guest "$D/other.elf" "$D/start.zsnap"
cp --sparse=always "$D/start.zsnap" "$D/old.zsnap"
refused 'no room' 'cannot write it' \
    bash -c "ulimit -f 300; trap '' XFSZ; exec ./zvmm --snapshot-at exits:3 -o '$D/old.zsnap' guest.elf -- hello"
expect 'the old file is untouched' cmp -s "$D/start.zsnap" "$D/old.zsnap"

# ---- Warm start: the same output and status as a cold one ----
export XDG_CACHE_HOME=$D/cache
same() { # NAME ARGS...
    local name=$1
    shift
    STDIN_FILE=${IN:-/dev/null} case_run "cold: $name" "$WANT" ./zvmm guest.elf -- "$@"
    cp "$OUT" "$D/cold.out"
    cp "$ERR" "$D/cold.err"
    STDIN_FILE=${IN:-/dev/null} case_run "warm: $name" "$WANT" ./zvmm --warm guest.elf -- "$@"
    expect "warm: $name: same output" cmp -s "$OUT" "$D/cold.out"
    expect "warm: $name: same errors" cmp -s "$ERR" "$D/cold.err"
}
WANT=0 same 'the first time' hello
WANT=0 same 'then' hello
WANT=0 IN=$D/line same 'with input' cat
WANT=1 same 'an argument with a space' ls 'a b'
WANT=127 same 'no such program' nonesuch
kept() { find "$D/cache/zvmm" -name '*.zsnap' | wc -l; }
expect 'kept: one machine, three programs' test "$(kept)" = 4
case_run 'another size is another machine' 0 ./zvmm --warm --memory 64M guest.elf -- hello
expect 'so both are kept' test "$(kept)" = 6
MARKER=' marker3_us=' # the program starts
case_run 'a program for the first time' 0 ./zvmm --warm --stats guest.elf -- hello again
expect 'starts' err_has "$MARKER"
case_run 'and again' 0 ./zvmm --warm --stats guest.elf -- hello again
not_err_has() { ! err_has "$1"; }
expect 'has started already' not_err_has "$MARKER"
case_run 'with an event that comes before' 0 \
    ./zvmm --warm --snapshot-at start:hello -o "$D/warm.zsnap" guest.elf -- hello
case_run 'at which a snapshot is taken' 0 ./zvmm restore "$D/warm.zsnap"
expect 'of the same program' has 'Hello from user space!'
for file in "$D/cache/zvmm"/*.zsnap; do truncate -s 5000 "$file"; done
case_run 'damaged ones are replaced' 0 ./zvmm --warm guest.elf -- hello
expect 'and it runs' has 'Hello from user space!'
for n in {1..40}; do touch -d '1 hour ago' "$D/cache/zvmm/$(printf '%032x' "$n").zsnap"; done
touch -d '1 day ago' "$D/cache/zvmm/mine.zsnap"
case_run 'the oldest go' 0 ./zvmm --warm guest.elf -- hello and more
expect 'so that some remain' test "$(kept)" = 33
expect "and what is the user's" test -e "$D/cache/zvmm/mine.zsnap"
chmod 777 "$D/cache/zvmm"
case_run 'a folder of everybody' 125 ./zvmm --warm guest.elf -- hello
expect 'is not trusted' err_has 'can be written by others'
chmod 700 "$D/cache/zvmm"
left() { (timeout 20 ./zvmm --warm guest.elf -- hello >/dev/null; cat) <"$D/line"; }
expect 'input that nobody reads is left alone' test "$(left)" = three
XDG_CACHE_HOME=/proc/none case_run 'no cache folder' 125 ./zvmm --warm guest.elf -- hello
expect 'says so' err_has 'set XDG_CACHE_HOME'

# ---- Tests from one state ----
case_run 'zvmm test' 0 ./zvmm test --fork-at here guest.elf -- core-tests 'EventPair.*' 'Event.Cr*'
expect 'runs each test' has 'EventPair.KnowsItsPeerEvenIfGone'
expect 'and counts' has 'failed 0'
planned() { test "$(sed -n 's/^1\.\.//p' "$OUT")" = "$(grep -c '^ok ' "$OUT")"; }
expect 'as planned' planned
# Each of these has its page tables where the one before had others: a KVM that shadows them has to
# hear of the reset.
case_run 'zvmm test, deterministic' 0 ./zvmm test --deterministic guest.elf -- core-tests 'VmoTestCase.*'
expect 'as planned, too' planned
cp "$OUT" "$D/once"
case_run 'and again' 0 ./zvmm test --deterministic guest.elf -- core-tests 'VmoTestCase.*'
expect 'the same' cmp -s "$OUT" "$D/once"
mkdir -p "$D/stuck"
./zcc -o "$D/stuck/stuck" tests/cli/snapshot/stuck.c
case_run 'a test that waits for ever' 1 ./zvmm test --deterministic --bootfs "$D/stuck" guest.elf -- stuck
expect 'fails' has 'every thread waits, for ever'
expect 'and the next one runs' has 'ok 2 - fine'
refused 'a program that cannot' 'it has to know --serve' ./zvmm test guest.elf -- hello

# ---- A guest kernel that fails leaves its state ----
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2
case_run 'panic' 126 bash -c "cd '$D' && exec '$PWD/zvmm' '$PWD/$GUEST' --cmdline panic"
expect 'names the command that opens it' err_has 'zvmm inspect testguest.elf.panic.zsnap'
case_run 'the state is whole' 0 ./zvmm snap verify "$D/testguest.elf.panic.zsnap"
rm -f "$D"/*.panic.zsnap
case_run 'triple fault' 126 bash -c "cd '$D' && exec '$PWD/zvmm' '$PWD/$GUEST' --cmdline triple"
case_run 'its state is whole' 0 ./zvmm snap verify "$D/testguest.elf.panic.zsnap"
rm -f "$D"/*.panic.zsnap
case_run 'panic without' 126 bash -c "cd '$D' && exec '$PWD/zvmm' --no-panic-snapshot '$PWD/$GUEST' --cmdline panic"
expect 'leaves no file' test ! -e "$D/testguest.elf.panic.zsnap"
case_run 'at a panic' 126 ./zvmm --snapshot-at panic -o "$D/p.zsnap" $GUEST --cmdline panic
case_run 'by name' 0 ./zvmm snap verify "$D/p.zsnap"
finish
