#!/usr/bin/env bash
# zvmm core: a snapshot as an ELF core file, opened by the real gdb.
# shellcheck disable=SC2016 # gdb's variables are not the shell's
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

[ -w /dev/kvm ] || skip_all "no usable /dev/kvm"
export HOME=$TAP_DIR XDG_CACHE_HOME=$TAP_DIR
SNAPSHOT=$TAP_DIR/s.zsnap
CORE=$TAP_DIR/vmcore
has_match() { grep -qE -- "$1" "$OUT"; }

case_run snapshot 0 ./zvmm guest.elf --snapshot-at=marker:process-exit -o "$SNAPSHOT" -- ps
case_run core 0 ./zvmm core "$SNAPSHOT" -o "$CORE"
expect "without a word" test ! -s "$ERR"
expect "the file is sparse" test "$(du -k "$CORE" | cut -f 1)" -lt 16384
case_run headers 0 readelf -hlnW "$CORE"
expect "it is a core file" has 'CORE (Core file)'
expect "the direct map is in it" has 0xffff800000000000
expect "the kernel's image is in it" has 0xffffffff80100000
expect "threads are in it" has NT_PRSTATUS

if command -v gdb >/dev/null; then
    case_run gdb 0 gdb -nx -q -batch guest.elf "$CORE" -ex 'set pagination off' -ex 'info threads' -ex 'bt' \
        -ex 'source guest-gdb.py' -ex 'zx-ps' -ex 'zx-handles 1029' -ex 'zx-wait 1030' -ex 'thread 2' -ex 'x/i $rip'
    expect "the vCPU is a thread" has_match 'LWP 1 '
    expect "and so is userboot's" has_match 'LWP 1030 '
    expect "a backtrace of the kernel" has_match '^#[0-9]+ .* in _start \(\)'
    expect "zx-ps" has_match "process 1029 'userboot'"
    expect "zx-handles" has_match '0x[0-9a-f]+ 0x[0-9a-f]+ process 1029'
    expect "zx-wait" has_match "thread 1030 'userboot' of process 1029 'userboot': "
    expect "user code of a waiting thread" has_match '^=> 0x[0-9a-f]+:'
else
    echo "# gdb is missing (make setup): the core file is not opened"
fi

refused() { # NAME TEXT ARGS...
    local name=$1 text=$2
    shift 2
    case_run "refused: $name" 125 ./zvmm core "$@"
    expect "refused: $name: says why" err_has "$text"
    expect "refused: $name: in one line" one_line_error
}
head -c 3000 "$SNAPSHOT" >"$TAP_DIR/short.zsnap"
refused 'no snapshot' 'no snapshot named'
refused 'no output' 'no -o FILE' "$SNAPSHOT"
refused 'unknown option' "unknown option '--fast'" --fast "$SNAPSHOT" -o "$CORE"
refused 'snapshot missing' 'No such file' "$TAP_DIR/none" -o "$CORE"
refused 'snapshot truncated' 'short.zsnap' "$TAP_DIR/short.zsnap" -o "$CORE.2"
refused 'output not writable' 'cannot make the core file' "$SNAPSHOT" -o "$TAP_DIR/none/core"
refused 'disk full' 'core file' "$SNAPSHOT" -o /dev/full/core
expect "nothing is left behind" test ! -e "$CORE.2"

cp guest.elf "$TAP_DIR/stripped.elf" && strip -g "$TAP_DIR/stripped.elf"
case_run stripped 0 ./zvmm core --guest "$TAP_DIR/stripped.elf" "$SNAPSHOT" -o "$CORE"
expect "without debugging information it says what is lost" err_has "not the kernel's threads"

finish
