#!/usr/bin/env bash
# Deterministic mode on this machine's KVM: runs that must be equal, and what zvmm says when it is asked for
# something that cannot be. N=100 runs that many in parallel instead of 4.
set -u
cd "$(dirname "$0")/../.."
. tests/tap.sh

./zvmm --help >/dev/null || skip_all "zvmm is not built"
./zvmm guest.elf -- hello </dev/null >"$OUT" 2>"$ERR" || {
    [ -w /dev/kvm ] || skip_all "no usable /dev/kvm: $(tail -1 "$ERR")"
}
CASE_TIMEOUT=120
demo=$TAP_DIR/demo
mkdir "$demo"
./zcc -o "$demo/threads" tests/cli/determinism/threads.c || exit 1

det() { ./zvmm --deterministic="${SEED:-1}" --digest --bootfs "$demo" guest.elf "$@"; }

# The digest of each run of "$@", all at once; output in $TAP_DIR/run.*
parallel() {
    local i
    for ((i = 0; i < ${N:-4}; i++)); do
        det "$@" </dev/null >"$TAP_DIR/run.$i" 2>&1 &
    done
    wait
}
all_equal() {
    local i
    grep -q 'digest .* exit code=0' "$TAP_DIR/run.0" || return 1
    for ((i = 1; i < ${N:-4}; i++)); do
        cmp "$TAP_DIR/run.0" "$TAP_DIR/run.$i" || return 1
    done
}
show_run() { cp "$TAP_DIR/run.0" "$ERR"; }
digest_of() { sed -n 's/^zvmm: digest \([0-9a-f]\{32\}\) exit.*/\1/p' "$1"; }

for program in hello threads; do
    tap_selected "equal_$program" || continue
    TAP_SKIP_CHECKS=0
    parallel -- $program
    show_run
    expect "equal_$program: ${N:-4} runs at once have the same output and digest" all_equal
    first=$(digest_of "$TAP_DIR/run.0")
    SEED=2 parallel -- $program
    expect "equal_$program: another seed gives another digest" \
        test "$first" != "$(digest_of "$TAP_DIR/run.0")"
done

printf '1ms ps\n+1h echo an hour later\\c\n+1ms \\nthreads\n' >"$TAP_DIR/script"
if tap_selected equal_shell; then
    TAP_SKIP_CHECKS=0
    parallel --input "$TAP_DIR/script"
    show_run
    expect "equal_shell: a scripted shell is the same ${N:-4} times" all_equal
    expect "equal_shell: the script was read" grep -q 'an hour later' "$TAP_DIR/run.0"
    expect "equal_shell: an hour took no time" grep -q 'time=36[0-9]* events' "$TAP_DIR/run.0"
fi

case_run markers 0 ./zvmm --deterministic --digest --cmdline kernel.markers guest.elf -- hello
expect "markers: a digest at the marker" err_has "marker id=2"
expect "markers: and at the end" err_has "exit code=0"

case_run no_input 0 ./zvmm --deterministic guest.elf

case_run preempt_time 0 ./zvmm --deterministic --preempt time guest.elf -- hello

case_run cpu_models 0 ./zvmm --cpu-model list
expect "cpu_models: names them" has "baseline"
case_run cpu_baseline 0 ./zvmm --cpu-model baseline guest.elf -- hello

refused() { # NAME TEXT ARGS...
    local name=$1 text=$2
    shift 2
    case_run "$name" 125 ./zvmm "$@" guest.elf -- hello
    expect "$name: one line" one_line_error
    expect "$name: says why" err_has "$text"
}
printf '1ms a\n0 b\n' >"$TAP_DIR/backwards"
printf 'soon a\n' >"$TAP_DIR/notime"
printf '1ms a\\q\n' >"$TAP_DIR/escape"
printf '1ms end\n2ms a\n' >"$TAP_DIR/after"
printf '1ms a\0b\n' >"$TAP_DIR/nul"
refused digest_alone "--digest needs --deterministic" --digest
refused input_alone "--input needs --deterministic" --input "$TAP_DIR/script"
# Where ring 0 is emulated, KVM steps no user code.
if [ ! -e /sys/module/kvm_intel ] && [ ! -e /sys/module/kvm_amd ]; then
    refused preempt_step "cannot count a guest's instructions in that way" --deterministic --preempt step
fi
refused preempt_alone "--preempt needs --deterministic" --preempt time
refused preempt_rule "'often' is not a rule" --deterministic --preempt often
refused preempt_period "'step:0' is not a rule" --deterministic --preempt step:0
refused preempt_time_period "'time:5' is not a rule" --deterministic --preempt time:5
refused event_alone "event: needs --deterministic" --snapshot-at event:5
refused event_zero "is not an event" --deterministic --snapshot-at event:0
refused quirks "leave out --quirks" --deterministic --quirks none
refused cpu_model "differs from host to host" --deterministic --cpu-model host
refused cpu_model_unknown "no model '486'" --cpu-model 486
refused bad_seed "is not a seed" --deterministic=x
refused input_missing "No such file" --deterministic --input "$TAP_DIR/none"
refused input_directory "Is a directory" --deterministic --input "$TAP_DIR"
refused input_backwards "line 2: the time is before" --deterministic --input "$TAP_DIR/backwards"
refused input_no_time "line 1: does not begin with a time" --deterministic --input "$TAP_DIR/notime"
refused input_escape "line 1: has an unknown escape" --deterministic --input "$TAP_DIR/escape"
refused input_after_end "line 2: nothing can come after" --deterministic --input "$TAP_DIR/after"
refused input_log "No such file" --deterministic --log "$TAP_DIR/none.zlog" --input "$TAP_DIR/none"
expect "input_log: no log is begun" test ! -e "$TAP_DIR/none.zlog"
refused input_nul "holds a NUL byte" --deterministic --input "$TAP_DIR/nul"

# ---- Logs and replays ----
log=$TAP_DIR/run.zlog
printf '1ms echo aaa\n+1ms threads\n' >"$TAP_DIR/typed"
shell=(./zvmm --deterministic=3 --bootfs "$demo" --input "$TAP_DIR/typed" guest.elf)
# What a case needs and another one makes, if that was not selected (C=).
need() { # FILE COMMAND...
    local file=$1
    shift
    [ -e "$file" ] || "$@" </dev/null >"$TAP_DIR/needed" 2>&1
}
case_run log_written 0 "${shell[@]}" --log "$log"
[ ! -e "$log" ] || cp "$OUT" "$TAP_DIR/recorded"
need "$log" "${shell[@]}" --log "$log"
[ -e "$TAP_DIR/recorded" ] || cp "$TAP_DIR/needed" "$TAP_DIR/recorded"
is_compact() { test "$(stat -c %s "$log")" -lt $((2000 + 3 * $(./zvmm log "$log" | grep -vc '^#'))); }
expect "log_written: a byte or two an event" is_compact
case_run log_shown 0 ./zvmm log "$log"
expect "log_shown: the command line" has "# zvmm --deterministic=3 --bootfs"
expect "log_shown: system calls by name" has "zx_channel_create("
expect "log_shown: page faults" has "read page fault at 0x"
expect "log_shown: the time stamp counter" has "reads the time stamp counter"
expect "log_shown: idling" has "idle until then"
expect "log_shown: timer interrupts" has "timer interrupt"
expect "log_shown: input" has "console input, "
expect "log_shown: the end" has "# end: exit, code 0"
case_run log_kept 125 "${shell[@]}" --log "$log"
expect "log_kept: an existing file stays" err_has "File exists"

restore_refused() { # NAME TEXT ARGS...
    local name=$1 text=$2
    shift 2
    case_run "$name" 125 ./zvmm restore "$@"
    expect "$name: one line" one_line_error
    expect "$name: says why" err_has "$text"
}
case_run plain_snapshot 0 ./zvmm --snapshot-at start:hello -o "$TAP_DIR/plain.zsnap" guest.elf -- hello
need "$TAP_DIR/plain.zsnap" ./zvmm --snapshot-at start:hello -o "$TAP_DIR/plain.zsnap" guest.elf -- hello
restore_refused restore_digest "was not taken of a deterministic run" --digest "$TAP_DIR/plain.zsnap"
restore_refused restore_log "leave it out" --log "$TAP_DIR/new.zlog" "$TAP_DIR/plain.zsnap"
restore_refused restore_input "leave it out" --input "$TAP_DIR/script" "$TAP_DIR/plain.zsnap"
expect "restore_log: no file is made" test ! -e "$TAP_DIR/new.zlog"

case_run replay_whole 0 ./zvmm replay "$log"
expect "replay_whole: the same output" cmp -s "$TAP_DIR/recorded" "$OUT"
case_run replay_to 0 ./zvmm replay "$log" --to 40
expect "replay_to: stops there" err_has "stopped at event 40"
case_run replay_digests 0 ./zvmm replay "$log" --digest
expect "replay_digests: options can be added" err_has "digest"
./zvmm replay "$log" --digest </dev/null >/dev/null 2>"$TAP_DIR/whole"
whole=$(digest_of "$TAP_DIR/whole")

# ---- Snapshots of deterministic runs ----
same_end() { test -n "$whole" && test "$(digest_of "$ERR")" = "$whole"; }
# The restored run prints the rest of what the whole run printed, and ends with the same digest.
goes_on() { # NAME EVENT
    local file=$TAP_DIR/at.zsnap
    case_run "snapshot_$1_taken" 0 ./zvmm replay "$log" --to "$2" -o "$file"
    expect "snapshot_$1_taken: stops there" err_has "stopped at event $2"
    cp "$OUT" "$TAP_DIR/first"
    case_run "snapshot_$1_restored" 0 ./zvmm restore --digest "$file"
    expect "snapshot_$1_restored: the digest of the uninterrupted run" same_end
    cat "$OUT" >>"$TAP_DIR/first"
    expect "snapshot_$1_restored: and its output" cmp -s "$TAP_DIR/first" "$TAP_DIR/recorded"
}
last_event() { ./zvmm log "$log" | sed -n 's/^# end: .* \([0-9]*\) events.*/\1/p'; }
last=$(last_event)
goes_on early 7
goes_on half $((last / 2))
goes_on last "$last"
case_run snapshot_event 0 "${shell[@]}" --digest --snapshot-at event:50 -o "$TAP_DIR/event.zsnap"
expect "snapshot_event: the run is not changed" same_end
need "$TAP_DIR/event.zsnap" "${shell[@]}" --snapshot-at event:50 -o "$TAP_DIR/event.zsnap"
case_run snapshot_event_restored 0 ./zvmm restore --digest --snapshot-at event:60 -o "$TAP_DIR/second.zsnap" \
    "$TAP_DIR/event.zsnap"
expect "snapshot_event_restored: the same digest" same_end
need "$TAP_DIR/second.zsnap" "${shell[@]}" --snapshot-at event:60 -o "$TAP_DIR/second.zsnap"
case_run snapshot_of_restored 0 ./zvmm restore --digest "$TAP_DIR/second.zsnap"
expect "snapshot_of_restored: the same digest" same_end
end=(./zvmm --deterministic --digest --snapshot-at end -o "$TAP_DIR/end.zsnap" guest.elf --log "$TAP_DIR/end.zlog" -- hello)
case_run snapshot_end 0 "${end[@]}"
first=$([ ! -e "$TAP_DIR/end.zsnap" ] || digest_of "$ERR")
need "$TAP_DIR/end.zsnap" "${end[@]}"
[ -n "$first" ] || first=$(digest_of "$TAP_DIR/needed")
case_run snapshot_end_restored 0 ./zvmm restore --digest "$TAP_DIR/end.zsnap"
expect "snapshot_end_restored: ends at once, the same" test "$first" = "$(digest_of "$ERR")"
case_run snapshot_event_late 125 ./zvmm --deterministic --snapshot-at event:9999 -o "$TAP_DIR/late.zsnap" \
    guest.elf -- hello
expect "snapshot_event_late: says so" err_has "this has not happened"
sum=$(cksum <"$TAP_DIR/end.zsnap")
case_run replay_keeps_files 0 ./zvmm replay "$TAP_DIR/end.zlog"
expect "replay_keeps_files: the recorded run's snapshot stays" test "$sum" = "$(cksum <"$TAP_DIR/end.zsnap")"

replay_refused() { # NAME TEXT ARGS...
    local name=$1 text=$2
    shift 2
    case_run "$name" 125 ./zvmm replay "$@"
    expect "$name: says why" err_has "$text"
}
replay_refused replay_beyond "has no event 999999; the last one is" "$log" --to 999999
echo precious >"$TAP_DIR/kept.zsnap"
kept() { test "$(cat "$TAP_DIR/kept.zsnap")" = precious; }
replay_refused replay_beyond_kept "has no event" "$log" --to 999999 -o "$TAP_DIR/kept.zsnap"
expect "replay_beyond_kept: the file stays" kept
replay_refused replay_to_nothing "usage: zvmm replay" "$log" --to
replay_refused replay_output_alone "give both" "$log" -o "$TAP_DIR/x.zsnap"
replay_refused replay_snapshot_at "use --to N -o FILE" "$log" --snapshot-at event:3
replay_refused replay_to_zero "not the number of an event" "$log" --to 0
cp guest.elf "$TAP_DIR/guest.elf"
case_run log_elsewhere 0 ./zvmm --deterministic --log "$TAP_DIR/hello.zlog" "$TAP_DIR/guest.elf" -- hello
need "$TAP_DIR/hello.zlog" ./zvmm --deterministic --log "$TAP_DIR/hello.zlog" "$TAP_DIR/guest.elf" -- hello
printf X | dd of="$TAP_DIR/guest.elf" bs=1 seek=$((16#$(objdump -h guest.elf | awk '$2 == ".rodata" { print $6 }') + 64)) conv=notrunc status=none
replay_refused replay_other_guest "the machine starts differently" "$TAP_DIR/hello.zlog"
replay_refused replay_missing "No such file" "$TAP_DIR/none"
replay_refused replay_no_log "not a log of zvmm" "$TAP_DIR/typed"
printf '1ms echo bbb\n+1ms threads\n' >"$TAP_DIR/typed"
replay_refused replay_digest_mismatch "digest mismatch at event" "$log"
printf '1ms echo bbb ccc\n+1ms threads\n' >"$TAP_DIR/typed"
replay_refused replay_event_mismatch "the runs differ" "$log"
replay_refused replay_mismatch_kept "the runs differ" "$log" --to "$last" -o "$TAP_DIR/kept.zsnap"
expect "replay_mismatch_kept: the file stays" kept
[ ! -e "$log" ] || head -c 500 "$log" >"$TAP_DIR/short"
replay_refused replay_cut "cut off" "$TAP_DIR/short"
case_run log_cut 125 ./zvmm log "$TAP_DIR/short"
expect "log_cut: says why" err_has "cut off"
case_run log_usage 125 ./zvmm log
# Every byte of the log but the arguments may be wrong: an error, or something that is not looked at, never a crash.
damage() {
    local i status bytes
    bytes=$(stat -c %s "$log")
    for ((i = 1; i <= 40; i++)); do
        cp "$log" "$TAP_DIR/damaged"
        printf '\xa5' | dd of="$TAP_DIR/damaged" bs=1 seek=$((i * bytes / 41)) conv=notrunc status=none
        ./zvmm log "$TAP_DIR/damaged" >/dev/null 2>&1
        status=$?
        [ $status = 125 ] || [ $status = 0 ] || return 1
    done
}
tap_selected log_damaged && TAP_SKIP_CHECKS=0 && expect "log_damaged: no byte makes it crash" damage

# ---- Two seeds: what zvmm diff makes of them ----
seeds() { # NAME EVENT
    local seed
    for seed in 1 2; do
        ./zvmm --deterministic=$seed --snapshot-at "$2" -o "$TAP_DIR/$1-$seed.zsnap" guest.elf -- hello >/dev/null 2>&1
    done
    case_run "$1" 0 ./zvmm diff "$TAP_DIR/$1-1.zsnap" "$TAP_DIR/$1-2.zsnap"
    expect "$1: names the input that differs" grep -qx 'seed   0x01    0x02 *' "$OUT"
}
seeds diff_end end
expect "diff_end: a variable of the kernel" grep -q '^first difference: variable [a-z].*: .* -> ' "$OUT"
seeds diff_event event:40
expect "diff_event: an object, the field, both values" \
    grep -qE '^first difference: vmar [0-9]+, window: 0x[0-9a-f]+ -> 0x[0-9a-f]+$' "$OUT"
expect "diff_event: and all others" grep -qE "process [0-9]+ 'bin/hello' +handles.salt" "$OUT"
finish
