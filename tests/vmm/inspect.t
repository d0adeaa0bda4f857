#!/usr/bin/env bash
# zvmm inspect and zvmm diff on snapshots of a machine in a known state (tests/vmm/inspect/scene.c).
# FUZZ=N damages the kernel's memory in N ways instead of 40.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

[ -w /dev/kvm ] || skip_all 'no usable /dev/kvm'
demo=$TAP_DIR/demo
mkdir -p "$demo/bin"
./zcc -g -O1 -o "$demo/bin/scene" tests/vmm/inspect/scene.c || exit 1
./zcc -g -O1 -o "$demo/bin/pair" tests/vmm/inspect/pair.c || exit 1
S=$TAP_DIR/scene.zsnap
timeout 60 ./zvmm guest.elf --bootfs "$demo" --snapshot-at=marker:7 -o "$S" -- scene </dev/null ||
    { echo 'Bail out! the scene cannot be snapshotted'; exit 1; }

inspect() { # NAME COMMAND...: text in $OUT
    case_run "$1" 0 ./zvmm inspect "$S" "${@:2}"
}

# Evaluates perl on the JSON output, as $d.
json() {
    perl -MJSON::PP -e 'local $/; my $d = JSON::PP->new->decode(<STDIN>);
        sub named { my ($list, $name) = @_; (grep { ($_->{name} // "") eq $name } @$list)[0] }
        my $r = eval $ARGV[0]; die $@ if $@; print "$r\n" if $ARGV[1]; exit($r ? 0 : 1)' \
        "$1" "${2:-}" <"$OUT"
}
koid_of() { # COMMAND LIST NAME
    ./zvmm inspect "$S" "$1" --json >"$OUT" && json "named(\$d->{$2}, '$3')->{koid}" print
}
SCENE=$(koid_of ps processes bin/scene)
ALICE=$(koid_of ps processes alice)
BOB=$(koid_of ps processes bob)
JOB=$(./zvmm inspect "$S" jobs --json >"$OUT" && json '$d->{jobs}[0]{koid}' print)
ONE=$(koid_of threads threads w-one)
CALLER=$(./zvmm inspect "$S" threads --json >"$OUT" &&
    json "(grep { \$_->{pid} == $ALICE } @{\$d->{threads}})[0]{koid}" print)
CHANNEL=$(json "(grep { \$_->{pid} == $ALICE } @{\$d->{threads}})[0]{wait}{on}[0]{koid}" print)
PEER=$(./zvmm inspect "$S" object "$CHANNEL" | sed -n 's/^peer  *channel //p')
ADDRESS=$(./zvmm inspect "$S" sym hal_start | sed -n 's/^address *//p')
COPY=$(koid_of vmo vmos copy)
ORIGINAL=$(koid_of vmo vmos original)

# ---- Tasks ----
inspect summary summary
expect 'summary: names the build' has 'build_id'
expect 'summary: counts threads' grep -Eq '^ +BLOCKED +12$' "$OUT"
inspect summary_default
expect 'summary_default: no command is summary' has 'build_id'
inspect jobs jobs
expect 'jobs: a child job is indented' has "    job $JOB 'workshop' ALIVE"
expect 'jobs: a process in it' has "        process $ALICE 'alice' RUNNING, 1 threads"
inspect jobs_json jobs --json
expect 'jobs_json: two levels' json "@{\$d->{jobs}[0]{processes}} == 2 && \$d->{name} eq 'root'"
inspect ps ps --json
expect 'ps: threads of the scene' json "named(\$d->{processes}, 'bin/scene')->{threads} == 10"
expect 'ps: the job of the pair' json "named(\$d->{processes}, 'bob')->{job} == $JOB"

# ---- Threads: every kind of wait, in words ----
inspect threads threads
thread_says() { grep -E "^ *[0-9]+ +$1 +" "$OUT" | grep -qE "$2"; }
expect 'threads: wait_one' thread_says w-one \
    'BLOCKED +waits for SIGNALED on event [0-9]+ \(held by process [0-9]+ .bin/scene.\), for .*, deadline in 3[56][0-9]+'
expect 'threads: wait_many' thread_says w-many \
    'USER_3 on event [0-9]+ .* or READABLE on channel [0-9]+ \(other end [0-9]+ held by process'
expect 'threads: port' thread_says w-port 'waits for a packet on port [0-9]+ .*no deadline'
expect 'threads: futex' thread_says w-futex 'waits for the futex at 0x[0-9a-f]+'
expect 'threads: sleep' thread_says w-sleep 'sleeps, for .*, deadline in 7[12][0-9]+'
expect 'threads: interrupt' thread_says w-interrupt 'waits for interrupt [0-9]+'
expect 'threads: page' thread_says w-page 'waits for page 1 of vmo [0-9]+ from pager [0-9]+'
expect 'threads: exception' thread_says w-fault 'is stopped in exception [0-9]+, type 0x208'
expect 'threads: suspended' thread_says w-stopped 'is suspended \(count 1\)'
expect 'threads: running' thread_says bin/scene 'RUNNABLE +runs'
expect 'threads: channel call' grep -qE \
    "alice +BLOCKED +waits for the answer to call 0x[0-9a-f]+ on channel $CHANNEL \(other end [0-9]+ held by process $BOB 'bob'\)" "$OUT"
inspect threads_of threads "$BOB"
expect 'threads_of: one process only' test "$(wc -l <"$OUT")" = 2
inspect threads_json threads --json
expect 'threads_json: times are numbers' json \
    "my \$w = named(\$d->{threads}, 'w-one')->{wait}; \$w->{call} eq 'object_wait_one' && \$w->{deadline_ns} - \$w->{since_ns} > 3_599e9 && \$w->{on}[0]{signals} eq 'SIGNALED'"

# ---- The deadlock, as docs/debugging.md finds it ----
inspect object object "$CHANNEL"
expect 'object: who waits' grep -qE "^  thread $CALLER 'bin/pair' +process $ALICE 'alice'" "$OUT"
expect 'object: who holds it' grep -qE "process $ALICE 'alice' +handle +0x[0-9a-f]+ +TRANSFER READ" "$OUT"
expect 'object: its peer' grep -qE "^peer_held_by +process $BOB 'bob'" "$OUT"
inspect object_peer object "$PEER" --json
expect 'object_peer: the question lies unread' json \
    '@{$d->{messages}} == 1 && $d->{messages}[0]{begins} =~ /796f7572/ && $d->{fields}{num_messages} == 1'
expect 'object_peer: who waits at the other end' json "@{\$d->{peer_waiters}} == 1"
inspect bt bt "$CALLER"
expect 'bt: user frames by the program in the boot file system' grep -qE \
    'user +[0-9a-f]{16} ask_peer \(.*pair\.c:[0-9]+\)' "$OUT"
expect 'bt: the vDSO has names' has '_zx_channel_call in vdso'
expect 'bt: main is there' grep -qE ' main \(.*pair\.c' "$OUT"
if tap_selected symbols; then
    mkdir -p "$TAP_DIR/small/bin"
    for program in scene pair; do
        objcopy --strip-all "$demo/bin/$program" "$TAP_DIR/small/bin/$program"
    done
    small=$TAP_DIR/small.zsnap
    timeout 60 ./zvmm guest.elf --bootfs "$TAP_DIR/small" --snapshot-at=marker:7 -o "$small" \
        -- scene </dev/null
    caller=$(./zvmm inspect "$small" threads | awk '$4 == "alice" { print $1 }')
    case_run symbols 0 ./zvmm inspect --symbols "$demo/bin" "$small" bt "$caller"
    expect 'symbols: names of a stripped program' grep -qE 'main \(.*pair\.c:[0-9]+\)' "$OUT"
    case_run symbols_none 0 ./zvmm inspect "$small" bt "$caller"
    TAP_SKIP_CHECKS=0
    expect 'symbols: none without' grep -qE '_zx_channel_call' "$OUT"
    expect 'symbols: the module is named' has '? in alice'
fi
inspect bt_current bt
expect 'bt_current: kernel frames' grep -qE 'kernel ffffffff[0-9a-f]{8} .*\(.*\.[chS]:[0-9]+\)' "$OUT"
expect 'bt_current: the system call' has 'sys_debug_send_command'
expect 'bt_current: then user frames' grep -qE 'user .* main \(.*scene\.c' "$OUT"

# ---- Handles, memory, time ----
inspect handles handles "$ALICE" --json
expect 'handles: the channel' json \
    "grep { \$_->{koid} == $CHANNEL && \$_->{peer} == $PEER && \$_->{rights} =~ /READ WRITE/ && \$_->{handle} =~ /^0x/ } @{\$d->{handles}}"
inspect vmo vmo "$COPY" --json
expect 'vmo: pages of the clone' json "\$d->{pages} == 4 && \$d->{parent} == $ORIGINAL"
expect 'vmo: which' json 'join(" ", @{$d->{committed}}) eq "0-2 5"'
expect 'vmo: the clone tree' json \
    "\$d->{clone_tree}[0]{koid} == $ORIGINAL && \$d->{clone_tree}[1]{this}"
expect 'vmo: where it is mapped' json '@{$d->{mapped}} == 1'
inspect vmar vmar "$SCENE" --json
expect 'vmar: the clone is mapped read-only' json \
    "grep { \$_->{vmo} == $COPY && \$_->{perms} eq 'r--' } @{\$d->{mappings}}"
inspect ports ports --json
expect 'ports: a packet, a watched object, a waiter' json \
    '(grep { $_->{packets} == 1 && $_->{keys}[0] eq "0x77" && @{$_->{watches}} == 1 } @{$d->{ports}}) && (grep { $_->{waiters} == 1 } @{$d->{ports}})'
inspect timers timers --json
expect 'timers: earliest first' json \
    "my \$t = \$d->{timers}; @\$t == 9 && \$t->[0]{of} eq \"thread $ONE 'w-one'\" && \$t->[2]{of} =~ /^timer/ && !grep { \$t->[\$_]{deadline_ns} < \$t->[\$_ - 1]{deadline_ns} } 1 .. \$#\$t"
inspect klog klog
expect 'klog: a line' grep -qE "^\[[0-9.]+\] 0*$SCENE:[0-9]+ INFO: the scene is set$" "$OUT"
inspect counters counters --json
expect 'counters: system calls' json 'named($d->{counters}, "cpu0.syscalls")->{value} > 10'

expect 'counters: those of the kernel' json 'named($d->{counters}, "thread.created")->{value} > 10'
inspect ktrace ktrace
expect 'ktrace: off' has 'nothing was traced'

# ---- The machine ----
inspect regs regs
expect 'regs: where' grep -qE '^ring 0, at .*\+0x' "$OUT"
inspect print_path print "\$$ONE.wait.kind->name"
expect 'print_path: text behind a pointer' has '"object_wait_one"'
inspect print_index print 'kernel.root_job->object.koid'
expect 'print_index: a number' output_is '(zx_koid_t) 1024'
inspect print_cast print '((struct job *)kernel.root_job)->height'
expect 'print_cast: a cast' has ' 32'
inspect print_current print 'cpu0.current->state'
expect 'print_current: an enumerator' output_is '(enum thread_state) THREAD_RUNNABLE'
inspect print_array print 'cpu0.ready[3]' --json
expect 'print_array: a structure' json '$d->{value}{tqh_first} eq "NULL"'
inspect print_address print "&\$$ONE.wait"
expect 'print_address: an address' grep -qE '^\(struct wait \*\) 0xffff8' "$OUT"
inspect sym sym hal_start
expect 'sym: a line' grep -qE '^line +.*\.[ch]:[0-9]+$' "$OUT"
inspect sym_address sym "$ADDRESS"
expect 'sym_address: and back' grep -qE '^name +hal_start$' "$OUT"
inspect mem mem "$ADDRESS" 20
expect 'mem: 20 bytes in two rows' test "$(wc -l <"$OUT")" = 2
inspect mem_user mem "$(./zvmm inspect "$S" vmar "$ALICE" --json >"$OUT"; json '(named($d->{mappings}, "bootfs"))->{base}' print)" 4 "$ALICE"
expect 'mem_user: a program begins with ELF' has '.ELF'

# ---- Pictures ----
for what in jobs threads "object $CHANNEL"; do
    # shellcheck disable=SC2086
    inspect "dot_${what%% *}" $what --dot
    if command -v dot >/dev/null; then
        expect "dot_${what%% *}: Graphviz takes it" dot -Tsvg -o "$TAP_DIR/graph.svg" "$OUT"
    fi
done
inspect dot_waits threads --dot
expect 'dot_waits: what alice waits for' grep -q "o$CALLER -> o$CHANNEL .*color=red" "$OUT"

# ---- What is refused ----
refused() { # NAME TEXT ARGS...
    case_run "refused: $1" 125 ./zvmm "${@:3}"
    expect "refused: $1: says why" err_has "$2"
    expect "refused: $1: in one line" one_line_error
}
refused 'no snapshot' 'no snapshot named' inspect
refused 'no such snapshot' 'No such file' inspect "$TAP_DIR/none.zsnap"
refused 'not a snapshot' 'guest.elf' inspect guest.elf
refused 'unknown command' "no command 'frobnicate'" inspect "$S" frobnicate
refused 'unknown option' "unknown option '--frobnicate'" inspect --frobnicate "$S"
refused 'unknown late option' "unknown option '--xml'" inspect "$S" ps --xml
refused 'option without value' 'needs a value' inspect --guest
refused 'no koid' 'usage: inspect object KOID' inspect "$S" object
refused 'koid is a word' "'alice' is not a koid" inspect "$S" object alice
refused 'koid overflows' 'is not a koid' inspect "$S" object 99999999999999999999
refused 'no such koid' 'no object has the koid 7' inspect "$S" object 7
refused 'wrong type' "is a process, not a thread" inspect "$S" bt "$ALICE"
refused 'too many words' 'usage: inspect ps' inspect "$S" ps ps
refused 'no picture' "has no --dot" inspect "$S" ps --dot
refused 'no such variable' "no variable or enumerator 'frob'" inspect "$S" print frob
refused 'no such member' "has no member 'frob'" inspect "$S" print kernel.frob
refused 'null pointer' 'NULL' inspect "$S" print 'kernel.system_events[0]->object'
refused 'unfinished expression' 'at the end' inspect "$S" print 'kernel.'
refused 'parentheses' 'deeply nested' inspect "$S" print "$(printf '(%.0s' {1..300})1"
refused 'bad address' 'nothing is mapped' inspect "$S" mem 0x10
refused 'bad length' 'give 1 to' inspect "$S" mem "$ADDRESS" 99999999
refused 'no such symbol' "no symbol 'frob'" inspect "$S" sym frob
refused 'guest is text' 'is not an ELF file' inspect --guest README.md "$S"
refused 'guest missing' 'No such file' inspect --guest "$TAP_DIR/none" "$S"
refused 'another build' 'is another build' inspect --guest zvmm "$S" ps
expect 'refused: another build: names both' grep -qE '[0-9a-f]{40}.*[0-9a-f]{40}' "$ERR"
objcopy --strip-debug guest.elf "$TAP_DIR/nodebug.elf"
refused 'no debugging information' 'no debugging information' \
    inspect --guest "$TAP_DIR/nodebug.elf" "$S" ps
case_run 'nodebug_regs' 0 ./zvmm inspect --guest "$TAP_DIR/nodebug.elf" "$S" regs
case_run 'nodebug_bt' 0 ./zvmm inspect --guest "$TAP_DIR/nodebug.elf" "$S" bt
expect 'nodebug_bt: function names' has 'sys_debug_send_command'
expect 'nodebug_bt: says what is lost' err_has 'without debugging information'
cp guest.elf "$TAP_DIR/other.elf"
perl -0777 -pi -e 's/(GNU\0)(.{19})./$1 . $2 . "\xfe"/se' "$TAP_DIR/other.elf"
refused 'changed build id' 'is another build' inspect --guest "$TAP_DIR/other.elf" "$S" ps
case_run 'force' 0 ./zvmm inspect --force --guest "$TAP_DIR/other.elf" "$S" ps
expect 'force: shows processes' has alice
case_run 'help' 0 ./zvmm inspect --help
expect 'help: lists commands' has 'threads [PID]'

# ---- A machine that runs ----
if tap_selected live; then
    sock=$TAP_DIR/ctl.sock
    mkfifo "$TAP_DIR/console"
    ./zvmm guest.elf --bootfs "$demo" --ctl "$sock" -- scene stay </dev/null >"$TAP_DIR/console" &
    head -1 "$TAP_DIR/console" >/dev/null # it says when the scene is set
    case_run live 0 ./zvmm ctl "$sock" inspect threads
    expect 'live: the deadlock' grep -qE 'alice +BLOCKED +waits for the answer' "$OUT"
    case_run live_json 0 ./zvmm ctl "$sock" inspect summary --json
    TAP_SKIP_CHECKS=0
    expect 'live: JSON, too' json '$d->{threads}{BLOCKED} >= 12'
    refused 'live unknown command' "no command 'frob'" ctl "$sock" inspect frob
    ./zvmm ctl "$sock" quit
    wait
fi

# ---- Diff ----
A=$TAP_DIR/a.zsnap
B=$TAP_DIR/b.zsnap
timeout 60 ./zvmm guest.elf --bootfs "$demo" --snapshot-at=marker:6 -o "$A" -- scene changed </dev/null
timeout 60 ./zvmm restore "$A" --snapshot-at=marker:7 -o "$B" </dev/null
case_run diff 0 ./zvmm diff --json "$A" "$B"
expect 'diff: the event that was made' json \
    '@{$d->{created}} == 1 && $d->{created}[0]{object} =~ /^event/'
expect 'diff: the timer that was closed' json \
    '@{$d->{destroyed}} == 1 && $d->{destroyed}[0]{object} =~ /^timer/'
expect 'diff: a signal, field by field' json \
    'grep { $_->{object} =~ /^event/ && $_->{field} eq "signals" && $_->{before} eq "none" && $_->{after} eq "USER_0" } @{$d->{changed}}'
expect 'diff: pages by owner' json \
    "grep { \$_->{owner} =~ /^vmo [0-9]+ 'original'/ && \$_->{pages} == 2 && \"@{\$_->{offsets}}\" eq '0x1000 0x6000' } @{\$d->{pages}}"
expect 'diff: pages of the kernel heap' json 'grep { $_->{owner} eq "kernel heap" } @{$d->{pages}}'
expect 'diff: counters' json \
    'grep { $_->{name} eq "cpu0.syscalls" && $_->{difference} > 0 } @{$d->{counters}}'
case_run ktrace_on 0 ./zvmm inspect "$B" ktrace
expect 'ktrace_on: calls by name' grep -qE '^\[[0-9.]+\] call event_create' "$OUT"
case_run ktrace_json 0 ./zvmm inspect "$B" ktrace --json
expect 'ktrace_json: in order' json \
    'my ($t, $bad) = (0, 0); for (@{$d->{records}}) { $bad++ if $_->{time_ns} < $t; $t = $_->{time_ns} } !$bad && @{$d->{records}} > 8'
case_run diff_text 0 ./zvmm diff "$A" "$B"
expect 'diff_text: sections' has 'objects destroyed: 1'
case_run diff_same 0 ./zvmm diff "$A" "$A"
expect 'diff_same: nothing' has 'owners of changed pages: none'
expect 'diff_same: no difference' has 'first difference: none'
expect 'diff_same: no input' has 'inputs that differ: none'
refused 'diff of one' 'name two snapshots' diff "$A"
refused 'diff of three' 'one word too many' diff "$A" "$A" "$A"
refused 'diff of no snapshot' 'README.md' diff "$A" README.md

# ---- A kernel that has failed ----
if tap_selected panic; then
    failed=$TAP_DIR/failed.zsnap
    case_run panic 126 ./zvmm guest.elf --no-panic-snapshot --snapshot-at=panic -o "$failed" \
        --userboot obj/images/bin/hello
    case_run panic_summary 0 ./zvmm inspect "$failed"
    expect 'panic_summary: says why' grep -qE '^panic +.*userboot' "$OUT"
    case_run panic_bt 0 ./zvmm inspect "$failed" bt
    expect 'panic_bt: who found it' has 'image_load (guest/image.c:'
fi

# ---- Damaged memory ----
if tap_selected damaged; then
    gcc -std=gnu11 -O1 -g -D_GNU_SOURCE -fsanitize=address,undefined \
        -fno-sanitize-recover=undefined -Ishared -iquote vmm -o "$TAP_DIR/fuzz" \
        tests/vmm/inspect/fuzz.c vmm/inspect/*.c vmm/target.c obj/libzvmm.a \
        -ldw -lelf -lz -llzma -lbz2 -lxxhash -lzstd -lpthread || exit 1
    CASE_TIMEOUT=300 case_run damaged 0 "$TAP_DIR/fuzz" "$S" "${FUZZ:-40}" "${SEED:-1}"
    expect 'damaged: no crash, no hang' has survived
fi

finish
