# tap.sh - TAP output for test scripts in bash; source it from the repository's top folder.
#
#   case_run NAME STATUS COMMAND...   runs COMMAND under a timeout, expects the exit status; its
#                                     output is in $OUT (stdout) and $ERR (stderr)
#   case_signal, case_terminal        the same with a signal, on a terminal
#   expect NAME COMMAND...            passes if COMMAND succeeds
#   has TEXT, has_line LINE, err_has TEXT, one_line_error
#                                     conditions on the last output, for expect
#   rig_run ARGS...                   runs tests/rig/run.sh; expects it to end well, and ends the
#                                     script as skipped where there is no rig
#   skip NAME REASON                  reports a case as skipped
#   skip_all REASON                   ends the script as skipped
#   finish                            prints the plan; call it last
#
# C=NAME (a glob) in the environment runs only the cases whose name matches.

TAP_N=0
TAP_FAILED=0
TAP_DIR=$(mktemp -d)
OUT=$TAP_DIR/out
ERR=$TAP_DIR/err
export XDG_CACHE_HOME=$TAP_DIR/cache # what zvmm keeps from one run to the next
trap 'rm -rf "$TAP_DIR"' EXIT

tap_result() { # ok|not NAME
    TAP_N=$((TAP_N + 1))
    if [ "$1" = ok ]; then
        echo "ok $TAP_N - $2"
    else
        echo "not ok $TAP_N - $2"
        TAP_FAILED=1
    fi
}

tap_show() {
    echo "# command: $TAP_COMMAND"
    echo "# exit status: $TAP_STATUS"
    head -c 2000 "$OUT" | sed 's/^/# out: /'
    echo
    head -c 2000 "$ERR" | sed 's/^/# err: /'
    echo
}

tap_selected() {
    # shellcheck disable=SC2053
    [ -z "${C:-}" ] || [[ $1 == $C ]]
}

# Standard input is $STDIN_FILE, or nothing.
case_run() {
    local name=$1 want=$2
    shift 2
    TAP_SKIP_CHECKS=1
    tap_selected "$name" || return 0
    TAP_SKIP_CHECKS=0
    TAP_COMMAND="$*"
    TAP_STATUS=0
    timeout -k 2 "${CASE_TIMEOUT:-90}" "$@" <"${STDIN_FILE:-/dev/null}" >"$OUT" 2>"$ERR" || TAP_STATUS=$?
    if [ "$TAP_STATUS" = "$want" ]; then
        tap_result ok "$name"
    else
        tap_result not "$name (exit status $TAP_STATUS, expected $want)"
        tap_show
    fi
}

# Runs COMMAND with an open pipe as input, waits until its output has READY, sends SIGNAL.
tap_signalled() { # SIGNAL READY COMMAND...
    local signal=$1 ready=$2 pid
    shift 2
    mkfifo "$TAP_DIR/input.$BASHPID"
    exec 8<>"$TAP_DIR/input.$BASHPID"
    echo "$ready" >&8
    env --default-signal=INT "$@" <&8 8<&- & # bash would have it ignored
    pid=$!
    until grep -qF -- "$ready" "$OUT"; do
        kill -0 $pid && sleep 0.05 || break
    done
    kill -"$signal" $pid
    wait $pid
}

# case_signal NAME STATUS SIGNAL READY COMMAND...: like case_run, with a signal once the command has
# shown READY, which is also what it gets as input.
case_signal() {
    local name=$1 want=$2
    shift 2
    export -f tap_signalled
    TAP_DIR=$TAP_DIR OUT=$OUT case_run "$name" "$want" bash -c 'tap_signalled "$@"' signalled "$@"
}

# case_terminal NAME STATUS STEP... -- COMMAND...: like case_run, on a terminal (tests/at-terminal).
case_terminal() {
    local name=$1 want=$2
    shift 2
    CASE_TIMEOUT=90 case_run "$name" "$want" tests/at-terminal "$@"
}

expect() {
    local name=$1
    shift
    [ "${TAP_SKIP_CHECKS:-0}" = 0 ] || return 0
    if "$@"; then
        tap_result ok "$name"
    else
        tap_result not "$name"
        tap_show
    fi
}

has() { grep -qF -- "$1" "$OUT"; }
has_line() { grep -qxF -- "$1" "$OUT"; }
err_has() { grep -qF -- "$1" "$ERR"; }
one_line_error() { [ "$(wc -l <"$ERR")" = 1 ]; }
output_is() { printf '%s\n' "$1" | cmp -s - "$OUT"; }

skip() { # NAME REASON
    tap_result ok "$1 # SKIP $2"
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

rig_run() { # ARGS...
    TAP_STATUS=0
    TAP_COMMAND='the rig'
    tests/rig/run.sh "$@" >"$OUT" 2>"$ERR" || TAP_STATUS=$?
    [ "$TAP_STATUS" != 77 ] || skip_all "$(tail -n 1 "$ERR")"
    TAP_SKIP_CHECKS=0
    expect 'the rig runs' test "$TAP_STATUS" = 0
}

finish() {
    if [ "$TAP_N" = 0 ]; then
        echo "1..0 # SKIP no case matches C=${C:-}"
    else
        echo "1..$TAP_N"
    fi
    exit $TAP_FAILED
}
