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
refused quirks "leave out --quirks" --deterministic --quirks none
refused bad_seed "is not a seed" --deterministic=x
refused input_missing "No such file" --deterministic --input "$TAP_DIR/none"
refused input_directory "Is a directory" --deterministic --input "$TAP_DIR"
refused input_backwards "line 2: the time is before" --deterministic --input "$TAP_DIR/backwards"
refused input_no_time "line 1: does not begin with a time" --deterministic --input "$TAP_DIR/notime"
refused input_escape "line 1: has an unknown escape" --deterministic --input "$TAP_DIR/escape"
refused input_after_end "line 2: nothing can come after" --deterministic --input "$TAP_DIR/after"
refused input_nul "holds a NUL byte" --deterministic --input "$TAP_DIR/nul"
finish
