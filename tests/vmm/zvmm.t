#!/usr/bin/env bash
# zvmm on this machine's KVM with the test guest: the command line's refusals, exit statuses,
# hypercalls, console, signals, reports.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
GUEST=obj/vmm-tests/testguest.elf
tests/vmm/build-guest.sh $GUEST >&2 || exit 1

# ---- Refusals: exit status 125 and one line that names the thing ----
spoiled() { # FILE OFFSET BYTES: a copy of the test guest with other bytes there
    cp $GUEST "$TAP_DIR/$1"
    printf '%b' "$3" | dd of="$TAP_DIR/$1" bs=1 seek="$2" conv=notrunc status=none
}

refused() { # NAME TEXT ARGS...
    local name=$1 text=$2
    shift 2
    case_run "refused: $name" 125 ./zvmm "$@"
    expect "refused: $name: says why" err_has "$text"
    expect "refused: $name: in one line" one_line_error
}

printf '' >"$TAP_DIR/empty"
echo '#!/bin/sh' >"$TAP_DIR/text"
head -c 6000 $GUEST >"$TAP_DIR/short.elf"
head -c 40 $GUEST >"$TAP_DIR/header.elf"
sed 's/zvmm/xvmm/' $GUEST >"$TAP_DIR/nonote.elf"
# Offsets in the ELF header and, from 64 on, the 56-byte program headers.
spoiled class32.elf 4 '\x01'
spoiled arm.elf 18 '\xb7'
spoiled entry.elf 24 '\x00\x00\x00\x00'
spoiled huge.elf $((64 + 40)) '\x00\x00\x00\x80'
spoiled overlap.elf $((64 + 56 + 16)) '\x00\x00\x10\x80\xff\xff\xff\xff\x00\x00\x10'
refused 'no guest' 'no guest kernel named'
refused 'two guests' 'one word too many' $GUEST $GUEST
refused 'unknown option' "unknown option '--frobnicate'" --frobnicate $GUEST
refused 'program option without --' "unknown option '-l'" $GUEST -l
refused 'option without value' '--memory needs a value' $GUEST --memory
refused 'memory is no size' "'lots' is not a size" $GUEST --memory lots
refused 'memory too small' 'out of range' $GUEST --memory 1M
refused 'memory too large' 'out of range' $GUEST --memory 1024G
refused 'memory overflows' 'is not a size' $GUEST --memory 99999999999999999999G
refused 'bad seed' 'is not a seed' $GUEST --seed pepper
refused 'bad pin' 'is not a CPU number' $GUEST --pin first
refused 'no such CPU' 'cannot run on CPU 4000' $GUEST --pin 4000
refused 'bad quirks' 'is not a list of quirks' $GUEST --quirks slow
refused 'long command line' 'longer than 4095' $GUEST --cmdline "$(printf 'x%.0s' {1..4096})"
refused 'program with a space' 'contains a space' $GUEST -- 'a b'
refused 'guest missing' 'No such file' "$TAP_DIR/none.elf"
refused 'guest is a folder' 'is a directory' "$TAP_DIR"
refused 'guest is a device' 'is not a regular file' /dev/null
refused 'guest empty' 'is empty' "$TAP_DIR/empty"
refused 'guest is text' 'is not an ELF file' "$TAP_DIR/text"
refused 'guest truncated' 'is truncated' "$TAP_DIR/short.elf"
refused 'guest header truncated' 'is not a usable ELF file' "$TAP_DIR/header.elf"
refused 'guest is a Linux program' 'is not linked at' ./zvmm
refused 'guest without note' 'no zvmm note' "$TAP_DIR/nonote.elf"
refused 'guest is 32-bit' 'is not a 64-bit ELF file' "$TAP_DIR/class32.elf"
refused 'guest is for another machine' 'is built for another machine' "$TAP_DIR/arm.elf"
refused 'guest enters nowhere' 'entry' "$TAP_DIR/entry.elf"
refused 'guest is larger than memory' 'memory' "$TAP_DIR/huge.elf"
refused 'guest overlaps itself' 'overlap' "$TAP_DIR/overlap.elf"
refused 'bootfs missing' 'No such file' $GUEST --bootfs "$TAP_DIR/none"
refused 'bootfs is a file' 'is not a directory' $GUEST --bootfs "$TAP_DIR/text"
refused 'zbi missing' 'No such file' $GUEST --zbi "$TAP_DIR/none"
refused 'zbi is text' 'too short to be a ZBI' $GUEST --zbi "$TAP_DIR/text"
refused 'zbi is ELF' 'is not a ZBI' $GUEST --zbi $GUEST
refused 'vdso is text' 'is not an ELF file' $GUEST --vdso "$TAP_DIR/text"
refused 'vdso empty' 'needs a regular file' $GUEST --vdso "$TAP_DIR/empty"
refused 'userboot is a folder' 'needs a regular file' $GUEST --userboot "$TAP_DIR"
head -c 64M /dev/zero >"$TAP_DIR/large"
refused 'userboot is no ELF' 'is not an ELF file' $GUEST --userboot "$TAP_DIR/large"
{ head -c 4 $GUEST; cat "$TAP_DIR/large"; } >"$TAP_DIR/large.elf"
refused 'module is larger than memory' 'use a larger --memory' $GUEST --memory 32M --vdso "$TAP_DIR/large.elf"
if [ "$(id -u)" = 0 ]; then
    cp zvmm $GUEST "$TAP_DIR"
    chmod 755 "$TAP_DIR" "$TAP_DIR/zvmm"
    install -m 600 $GUEST "$TAP_DIR/secret"
    refused_nobody() { # NAME ARGS...
        case_run "refused: $1" 125 setpriv --reuid 65534 --clear-groups "$TAP_DIR/zvmm" "${@:2}"
        expect "refused: $1: says why" err_has 'Permission denied'
        expect "refused: $1: in one line" one_line_error
    }
    refused_nobody 'guest unreadable' "$TAP_DIR/secret"
    refused_nobody 'module unreadable' "$TAP_DIR/testguest.elf" --zbi "$TAP_DIR/secret"
else
    skip 'refused: unreadable files' 'needs root, to be somebody else'
fi
refused 'no KVM node' './zlibos' --kvm "$TAP_DIR/kvm" $GUEST
refused 'not a KVM node' 'not a KVM device' --kvm /dev/null $GUEST
refused 'KVM path is a file' 'not a KVM device' --kvm "$TAP_DIR/text" $GUEST

case_run 'help' 0 ./zvmm --help
expect 'help goes to stdout' has 'usage: zvmm'
case_run 'version' 0 ./zvmm --version

[ -w /dev/kvm ] || { skip 'runs of a guest' 'no usable /dev/kvm'; finish; }

limited() { # LIMIT VALUE ARGS...
    ulimit "$1" "$2"
    shift 2
    exec ./zvmm "$@"
}
export -f limited
refused_limited() { # NAME TEXT LIMIT VALUE
    case_run "refused: $1" 125 bash -c "limited $3 $4 $GUEST --cmdline hello"
    expect "refused: $1: says why" err_has "$2"
    expect "refused: $1: in one line" one_line_error
}
refused_limited 'address-space limit' 'ulimit -v' -v 60000
refused_limited 'open-file limit' 'ulimit -n' -n 5
if [ "$(id -u)" = 0 ] && ! setpriv --reuid 65534 --clear-groups test -w /dev/kvm; then
    case_run 'refused: no permission' 125 \
        setpriv --reuid 65534 --clear-groups "$TAP_DIR/zvmm" "$TAP_DIR/testguest.elf"
    expect 'refused: no permission: says why' err_has 'usermod -aG kvm'
else
    skip 'refused: no permission' '/dev/kvm is open to others here, or the test does not run as root'
fi

# ---- Running ----
guest() { # NAME STATUS WORDS ARGS...
    local name=$1 status=$2 words=$3
    shift 3
    case_run "$name" "$status" ./zvmm $GUEST --cmdline "$words" "$@"
}

guest 'hello' 0 hello
expect 'hello prints' output_is 'hello from the test guest'
guest 'hello with statistics' 0 hello --stats
expect 'hello takes one KVM_RUN' err_has 'runs=1 '

# ---- The probe's finding is kept, and believed only if it can be ----
KEPT=$XDG_CACHE_HOME/zvmm/probe
probes() { # NAME ARGS...: runs, and the probe does too
    case_run "$1" 0 ./zvmm $GUEST --cmdline hello --verbose "${@:2}"
    expect "$1: probes" err_has 'zvmm: probe found'
}
believes() {
    case_run "$1" 0 ./zvmm $GUEST --cmdline hello --verbose --stats
    expect "$1: does not probe" err_has 'probe_runs=0 '
    expect "$1: and says so" err_has "zvmm: an earlier run's probe found"
}
flip_byte() { # OFFSET: in the kept file
    local byte
    byte=$(od -An -tu1 -j "$1" -N 1 "$KEPT")
    printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" |
        dd of="$KEPT" bs=1 seek="$1" conv=notrunc status=none
}
if [ -e /sys/module/kvm_intel ] || [ -e /sys/module/kvm_amd ]; then
    skip 'the finding is kept' 'no probe on hardware KVM'
else
    rm -f "$KEPT"
    probes 'finding: none yet'
    believes 'finding: the next run'
    probes 'finding: not wanted' --quirks probe
    for offset in 0 8 23 24 30 32 39; do
        flip_byte $offset
        probes "finding: byte $offset flipped"
        believes "finding: byte $offset mended"
    done
    truncate -s 20 "$KEPT"
    probes 'finding: truncated'
    chmod 666 "$KEPT"
    probes 'finding: others may write it'
    mv "$KEPT" "$KEPT.other"
    ln -s probe.other "$KEPT"
    probes 'finding: a link'
    believes 'finding: replaced by a file'
    expect 'finding: the file is the user'"'"'s' test "$(stat -c %a "$KEPT")" = 600
    rm "$KEPT"
    mkfifo "$KEPT"
    probes 'finding: a pipe'
    rm "$KEPT"
    chmod 777 "${KEPT%/*}"
    probes 'finding: a folder of everybody'
    expect 'finding: nothing kept there' test ! -e "$KEPT"
    chmod 700 "${KEPT%/*}"
    XDG_CACHE_HOME=/proc/none probes 'finding: nowhere to keep it'
    expect 'finding: nobody is told' test "$(grep -c . "$ERR")" = 1
fi

case_run 'options after the guest' 0 ./zvmm $GUEST --memory=64M --cmdline info -- prog 'a b' 100%
expect 'arguments are encoded' has_line 'cmdline=info userboot=bin/prog userboot.arg=a%20b userboot.arg=100%25'
expect 'memory as asked' has_line 'memory=0x4000000'
expect 'built-in module' has_line 'module.flags=0x1'
guest 'fixed seed' 0 info --seed 0x0102030405060708
expect 'fixed seed arrives' has_line 'seed0=0x102030405060708'
expect 'fixed seed: the rest is zero' has_line 'seed3=0x0'
mkdir -p "$TAP_DIR/bootfs/bin"
echo content >"$TAP_DIR/bootfs/bin/file"
guest 'merged boot file system' 0 info --bootfs "$TAP_DIR/bootfs"
expect 'merged boot file system: a ZBI' has_line 'module.word=0x544f4f42'
expect 'merged boot file system: not built in' has_line 'module.flags=0x0'
guest 'vdso from a file' 0 info --vdso $GUEST
expect 'vdso from a file arrives' has_line 'module.word=0x464c457f'
for size in 16M 100M 5G; do
    guest "memory of $size" 0 memory --memory $size
done
for status in 0 1 127 255; do
    guest "exit $status" $status "exit $status"
done
guest 'exit 256 is 255' 255 'exit 256'
guest 'exit -1 is 255' 255 'exit -1'
guest 'exit -1024 is 128' 128 'exit -1024'
guest 'exit -1029 is 133' 133 'exit -1029'
guest 'exit -1030 is 255' 255 'exit -1030'
guest 'bad hypercalls' 0 bad
guest 'hostile console ring' 0 ring
guest 'unknown port' 0 port
for kind in '' '--quirks none' '--quirks slow-ring0,syscall-broken,no-xsave,no-int3,no-pcid'; do
    # shellcheck disable=SC2086
    guest "timer $kind" 0 timer $kind
    # shellcheck disable=SC2086
    guest "ring 3 interrupted $kind" 0 spin $kind
done

# ---- Console ----
STDIN_FILE=$TAP_DIR/input
head -c 100000 /dev/urandom | base64 >"$STDIN_FILE"
guest 'echo a file' 0 echo
expect 'echo a file: all of it' has_line "echoed=$(printf '0x%x' "$(stat -c %s "$STDIN_FILE")")"
expect 'echo a file: unchanged' cmp -s -n "$(stat -c %s "$STDIN_FILE")" "$STDIN_FILE" "$OUT"
guest 'echo a file, other kind' 0 echo --quirks none
expect 'echo a file, other kind: unchanged' cmp -s -n "$(stat -c %s "$STDIN_FILE")" "$STDIN_FILE" "$OUT"
unset STDIN_FILE
guest 'echo nothing' 0 echo
expect 'echo nothing ends' has_line 'echoed=0x0'
case_run 'echo a pipe' 0 bash -c "(printf 'ab\\001x'; echo c) | ./zvmm $GUEST --cmdline echo"
expect 'echo a pipe: escapes mean nothing there' has $'ab\001xc'
case_run 'standard input closed' 0 bash -c "./zvmm $GUEST --cmdline echo <&-"
case_run 'output closed' 125 bash -c "./zvmm $GUEST --cmdline hello >&-"
case_run 'output full' 125 bash -c "./zvmm $GUEST --cmdline hello >/dev/full"
expect 'output full: says so' err_has 'No space left'
case_run 'output pipe closed' 125 bash -c "head -c 400000 /dev/zero | ./zvmm $GUEST --cmdline echo | head -c 1 >/dev/null; exit \${PIPESTATUS[1]}"

# On a terminal: keys are typed when the guest has it in raw mode.
case_terminal 'Ctrl-A x' 130 raw send abc see abc send '\001x' -- ./zvmm $GUEST --cmdline echo
expect 'Ctrl-A x: one line' has 'ended by Ctrl-A x'
case_terminal 'Ctrl-C goes to the guest' 130 raw send 'a\003b\001\001c' see $'a\003b\001c' send '\001x' -- \
    ./zvmm $GUEST --cmdline echo
for way in echo:130 panic:126; do
    keys=()
    [ $way = panic:126 ] || keys=(raw send 'x\001x')
    case_terminal "terminal restored after ${way%:*}" 0 "${keys[@]}" -- sh -c \
        "stty -g >$TAP_DIR/before; ./zvmm $GUEST --cmdline ${way%:*}; [ \$? = ${way#*:} ] && stty -g >$TAP_DIR/after"
    expect "terminal restored after ${way%:*}: same settings" cmp -s "$TAP_DIR/before" "$TAP_DIR/after"
done
for signal in TERM SEGV; do
    case_terminal "terminal restored after SIG$signal" 0 raw signal $signal "$TAP_DIR/pid" -- sh -c \
        "stty -g >$TAP_DIR/before; sh -c 'echo \$\$ >$TAP_DIR/pid; exec ./zvmm $GUEST --cmdline echo'; stty -g >$TAP_DIR/after"
    expect "terminal restored after SIG$signal: same settings" cmp -s "$TAP_DIR/before" "$TAP_DIR/after"
done

# ---- Signals ----
for kind in forever busy echo; do
    case_signal "SIGTERM while $kind" 143 TERM ready ./zvmm $GUEST --cmdline $kind
    expect "SIGTERM while $kind: one line" err_has 'ended by signal 15'
done
case_signal 'SIGINT' 130 INT ready ./zvmm $GUEST --cmdline forever
case_signal 'SIGTERM with the irqchip' 143 TERM ready ./zvmm $GUEST --cmdline forever --quirks none

# ---- Reports ----
report() { # NAME WORD TEXT...
    local name=$1 word=$2 text
    shift 2
    guest "$name" 126 "$word"
    for text in "$@"; do
        expect "$name: $text" err_has "$text"
    done
}
report 'panic' panic 'guest kernel panic: the test guest panics on purpose' 'guest.c:' '#1 ' 'entry.S:'
expect 'panic: earlier output is kept' has_line 'about to panic'
report 'triple fault' triple 'guest failed: triple fault' 'rip '
report 'kernel bug' bug 'unexpected trap' 'test_trap+'
if [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ]; then
    report 'instruction that cannot be emulated' int3 'cannot emulate' 'code at rip: cc' 'guest.c:'
    report 'halt for ever' dead 'halted with interrupts off'
fi
finish
