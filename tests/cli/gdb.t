#!/usr/bin/env bash
# The real gdb on a machine of this host's KVM, in batch mode.
# shellcheck disable=SC2016 # gdb's variables are not the shell's
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

command -v gdb >/dev/null || skip_all "gdb is missing: make setup"
[ -w /dev/kvm ] || skip_all "no usable /dev/kvm"
export HOME=$TAP_DIR XDG_CACHE_HOME=$TAP_DIR
SOCKET=$TAP_DIR/gdb.sock
LOG=$TAP_DIR/zvmm.log
CASE_TIMEOUT=120

# Start zvmm in the background, its output in $LOG, and wait until gdb can connect.
start_zvmm() { # ARGS...
    rm -f "$SOCKET"
    ./zvmm "$@" <"${ZVMM_INPUT:-/dev/null}" >"$LOG" 2>&1 &
    ZVMM=$!
    until [ -S "$SOCKET" ] || ! kill -0 "$ZVMM" 2>/dev/null; do sleep 0.05; done
}

# gdb on the machine that start_zvmm has made: one command an argument.
gdb_case() { # NAME COMMAND...
    local name=$1 args=()
    shift
    for command in "$@"; do args+=(-ex "$command"); done
    case_run "$name" 0 gdb -nx -q -batch guest.elf -ex 'set pagination off' -ex "target remote $SOCKET" "${args[@]}"
}

zvmm_ends_with() { # STATUS
    wait "$ZVMM"
    [ $? = "$1" ]
}
log_has() { grep -qF -- "$1" "$LOG"; }
has_match() { grep -qE -- "$1" "$OUT"; }

start_zvmm "--gdb=unix:$SOCKET" guest.elf -- hello
gdb_case registers 'info registers' 'p $xmm0.uint128' 'p $k_gs_base' 'x/i $rip' 'x/2gx $rdi' \
    'set var $rbx = 0x1234' 'p/x $rbx' 'set var $rbx = 0' 'info threads' 'break hal_context_run' 'continue' 'bt' \
    'stepi' 'stepi' 'p/x $rip - (unsigned long)hal_context_run' 'delete' 'continue'
expect "the machine waits at its first instruction" has '_start () at hal-paravirt/entry.S'
expect "control registers" has_match '^cr3 +0x[1-9a-f]'
expect "the boot information can be read" has '0x746f6f42566d765a'
expect "a register can be written" has '= 0x1234'
expect "the vCPU is a thread" has 'vCPU 0, kernel'
expect "a breakpoint in the kernel" has 'Breakpoint 1, hal_context_run () at hal-paravirt/gate.S'
expect "a backtrace to the entry" has_match '^#[0-9]+ .* in _start \(\)'
expect "two steps are two instructions" has '= 0x2'
expect "gdb hears of the end" has 'exited normally'
expect "the machine runs on and ends with its status" zvmm_ends_with 0
expect "its output is there" log_has 'Hello from user space!'

start_zvmm "--gdb=unix:$SOCKET" guest.elf -- hello
gdb_case detach 'break hal_context_run' 'continue' 'detach'
expect "a detached machine runs on" zvmm_ends_with 0
expect "its output is there, too" log_has 'Hello from user space!'

start_zvmm "--gdb=unix:$SOCKET" guest.elf -- hello
gdb_case kill 'kill'
expect "a killed machine ends" zvmm_ends_with 137

start_zvmm "--gdb=unix:$SOCKET" guest.elf -- hello
gdb_case monitor 'monitor help' 'monitor info exits' 'monitor nonsense' 'kill'
expect "monitor help" err_has 'monitor info exits'
expect "monitor info exits" err_has 'stays in the guest'
expect "monitor names what it does not know" err_has "no command 'nonsense'"
zvmm_ends_with 137

# Two connections, one after the other, and Ctrl-C: the shell waits for input that never comes.
mkfifo "$TAP_DIR/input"
exec 8<>"$TAP_DIR/input"
ZVMM_INPUT=$TAP_DIR/input
start_zvmm "--gdb=unix:$SOCKET" guest.elf
# The signal goes to gdb when the shell's prompt is there, so the machine is running.
interrupt_at_prompt() {
    until grep -qF '$ ' "$LOG"; do
        kill -0 "$1" 2>/dev/null || return
        sleep 0.05
    done
    kill -INT "$1"
}
interrupted_gdb() {
    interrupt_at_prompt $$ &
    exec gdb "$@"
}
export -f interrupt_at_prompt interrupted_gdb
export LOG
case_run interrupt 0 bash -c 'interrupted_gdb "$@"' gdb -nx -q -batch guest.elf -ex "target remote $SOCKET" \
    -ex 'continue' -ex 'p $cs' -ex 'bt' -ex 'detach'
expect "Ctrl-C stops it" has 'SIGINT'
expect "in the kernel" has_match '^#[0-9]+ .*kernel_loop'
gdb_case second_connection 'p $cs' 'kill'
expect "a second gdb sees the machine" has_match '= (16|51)'
expect "and kills it" zvmm_ends_with 137
ZVMM_INPUT=/dev/null

# Watching, user code, and the commands of guest-gdb.py. The context's rip changes at each trap.
start_zvmm "--gdb=unix:$SOCKET" guest.elf -- ps
gdb_case watch 'break hal_context_run' 'continue' 'delete' 'set $rip_at = (long *)((long)$rdi + 128)' \
    'watch *$rip_at' 'continue' 'bt 1' 'delete' 'break *(*(long *)$rip_at)' 'continue' 'p $cs' \
    'info symbol $rip' 'stepi' 'stepi' 'p $cs' 'delete' 'rwatch *$rip_at' 'continue' 'p 1'
expect "a watchpoint is hit" has 'Hardware watchpoint 2: *$rip_at'
expect "where the context is written" has_match '^#0 +(trap_common|call_handler|.*SAVE|syscall_entry)'
expect "a breakpoint in user code" has_match 'Breakpoint 3, 0x0000'
expect "steps in user code" test "$(grep -c '= 51$' "$OUT")" = 2
expect "what this KVM cannot do is said" log_has 'cannot watch reads'
expect "a gdb that goes away leaves the machine running" zvmm_ends_with 0

start_zvmm "--gdb=unix:$SOCKET" guest.elf -- ps
gdb_case python 'source guest-gdb.py' 'zx-wait' 'break sys_object_wait_one' 'continue' 'zx-ps' 'zx-handles' \
    'zx-wait 7' 'tbreak sys_object_get_info' 'continue' 'zx-wait' 'monitor inspect ps' "monitor snapshot $TAP_DIR/live.zsnap" 'bt' 'kill'
expect "before the kernel has started" err_has 'has not started'
expect "zx-ps" has_match "thread [0-9]+ 'userboot' .*\\(current\\)"
expect "zx-handles" has_match '0x[0-9a-f]+ 0x[0-9a-f]+ process [0-9]+'
expect "zx-wait" has_match "thread [0-9]+ 'userboot' of process .* object_wait_one: signals 0x8 of process"
expect "zx-wait names a thread that is not there" err_has 'There is no thread 7'
expect "monitor inspect" err_has 'RUNNING'
expect "a backtrace from a system call to the entry" has_match '^#[0-9]+ .* in _start \(\)'
zvmm_ends_with 137

case_run live_snapshot 0 ./zvmm inspect "$TAP_DIR/live.zsnap" ps
expect "monitor snapshot" has userboot
start_zvmm restore "--gdb=unix:$SOCKET" "$TAP_DIR/live.zsnap"
gdb_case restore 'p $rip == sys_object_get_info' 'bt 1' 'continue'
expect "a restored machine is where the snapshot was taken" has '= 1'
expect "it goes on" zvmm_ends_with 0
expect "and finishes" log_has 'bin/ps'

# Debugging the kernel changes nothing: a deterministic run has the same digest with and without.
digest() { sed -n 's/.*digest \([0-9a-f]*\).*/\1/p' "$1"; }
case_run undisturbed 0 ./zvmm --deterministic --digest guest.elf -- hello
WANT=$(digest "$ERR")
start_zvmm "--gdb=unix:$SOCKET" --deterministic --digest guest.elf -- hello
gdb_case deterministic 'break sys_channel_write' 'continue' 'stepi 300' 'tbreak hal_context_run' 'continue' \
    'continue'
expect "gdb hears of the end of a deterministic run" has 'exited normally'
zvmm_ends_with 0
expect "which was the same as without gdb" test "$(digest "$LOG")" = "$WANT"

# A replay waits for gdb at its event; so does a run restored there. Either ends as the recorded one did.
case_run recorded 0 ./zvmm --deterministic --digest --log "$TAP_DIR/run.zlog" guest.elf -- hello
TIME=$(./zvmm log "$TAP_DIR/run.zlog" | awk '$1 == 30 { print $2 }')
start_zvmm replay "$TAP_DIR/run.zlog" --to 30 "--gdb=unix:$SOCKET" -o "$TAP_DIR/at.zsnap" --digest
gdb_case replay "p machine.shared->virtual_tsc" 'bt' 'tbreak hal_context_run' 'continue' 'continue'
expect "gdb finds a replay after its event" has "\$1 = $TIME"
expect "and sees what led there" has_match '^#[0-9]+ .* system_call'
zvmm_ends_with 0
expect "a replay goes on from there as recorded" test "$(digest "$LOG")" = "$WANT"
start_zvmm restore "--gdb=unix:$SOCKET" --digest "$TAP_DIR/at.zsnap"
gdb_case restored_replay "p machine.shared->virtual_tsc" 'stepi 200' 'continue'
expect "gdb finds a snapshot after its event" has "\$1 = $TIME"
zvmm_ends_with 0
expect "which goes on as recorded, too" test "$(digest "$LOG")" = "$WANT"

# The kernel fails: gdb sees the failure before the machine ends.
start_zvmm "--gdb=unix:$SOCKET" --no-panic-snapshot guest.elf -- hello
gdb_case failure 'break hal_context_run' 'continue' 'set var $rip = 0x10' 'continue' 'bt' 'continue'
expect "a failed kernel stops" has 'SIGABRT'
expect "and then ends" zvmm_ends_with 126

case_run bad_port 125 ./zvmm --gdb=lots guest.elf
expect "a bad port is named" err_has "'lots' is not a place to listen at"
expect "in one line" one_line_error
case_run bad_path 125 ./zvmm "--gdb=unix:$TAP_DIR/none/gdb" guest.elf
expect "a bad path is named" err_has 'No such file'

finish
