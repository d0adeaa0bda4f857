#!/usr/bin/env bash
# zvmm bench from the command line: a tiny session, its files, and every wrong word.
set -u
cd "$(dirname "$0")/../.."
. tests/tap.sh

bootfs=obj/bench/bootfs
[ -e $bootfs/zbench ] || skip_all "zbench is not built (make bench-programs)"
tiny=(--runs 1 --settle 0 --samples 100 --limit-ms 50 --quiet --bootfs $bootfs)

case_run help 0 ./zvmm bench --help
expect "the options are listed" has "--filter RE"
case_run list 0 ./zvmm bench --libos --list --filter '^Memcpy/.*kbytes$'
expect "rows are listed" has_line "Memcpy/128kbytes"
expect "other rows are not" bash -c "! grep -q Syscall $OUT"

# Wrong words: one line, status 125, nothing written.
refused() { # NAME TEXT ARGUMENTS...
    local name=$1 text=$2
    shift 2
    case_run "$name" 125 ./zvmm bench "$@"
    expect "$name: the message" err_has "$text"
    expect "$name: one line" one_line_error
}
echo precious >"$TAP_DIR/precious.json"
refused unknown_row "no row matches" --libos "${tiny[@]}" --filter '^NoSuchRow$' \
    --json "$TAP_DIR/precious.json" --html "$TAP_DIR/no-html"
expect "unknown_row: nothing is overwritten" grep -qx precious "$TAP_DIR/precious.json"
expect "unknown_row: no report is begun" test ! -e "$TAP_DIR/no-html"
refused bad_expression "--filter" --libos "${tiny[@]}" --filter '('
refused unknown_option "unknown option" --frobnicate
refused bad_time "not a number from 0 to" --time soon
refused bad_number "not a number from 1 to 1000" --runs 0
refused bad_settle "not a number from 0 to 100" --settle 100.5
refused no_decimal "not a number from 0 to 100" --settle 0x1
refused two_points "not a number from 0 to 100" --settle 0.5.1
refused bad_pmu "is not auto, none or tsc" --pmu maybe
refused missing_value "needs a value" --json
refused no_guest "make bench-programs" --bootfs $bootfs "$TAP_DIR/none.elf"
refused no_zbench "--bootfs" --libos --bootfs "$TAP_DIR"
refused unwritable "cannot write" --libos "${tiny[@]}" --filter '^Memcpy/64bytes$' \
    --json "$TAP_DIR/none/x.json"

# A session in the LibOS. Where the host gives no record of switches, nothing can be vouched for.
session() { # NAME ARGUMENTS...
    local name=$1
    shift
    CASE_TIMEOUT=300 case_run "$name" 0 tests/until-vouched ./zvmm bench "${tiny[@]}" \
        --filter '^(Memcpy/64bytes|HandleCreate_Event)$' "$@"
}
./zvmm bench "${tiny[@]}" --libos --filter '^Memcpy/64bytes$' >"$OUT" 2>"$ERR"
if has "nothing can be vouched for"; then
    expect "the reason is given" has "perf_event_open"
    finish
fi
session libos --libos --json "$TAP_DIR/a.json" --google-json "$TAP_DIR/g.json"
expect "the machine is named" has "; zvmm "
expect "a row is there" grep -q '^Memcpy/64bytes  *libos' "$OUT"
expect "a step is there" grep -q '^HandleCreate_Event.close  *libos' "$OUT"
expect "samples are counted" grep -Eq '^[0-9]+ samples, [0-9]+ left out' "$OUT"
expect "fuchsiaperf" perl -MJSON::PP -e 'local $/; my $j = decode_json(<>);
    my ($r) = grep { $_->{label} eq "HandleCreate_Event" } @$j;
    exit !($r->{unit} eq "nanoseconds" && $r->{test_suite} eq "zvmm.microbenchmarks.libos"
        && @{$r->{values}} && keys %$r == 4)' "$TAP_DIR/a.json"
expect "Google Benchmark" perl -MJSON::PP -e 'local $/; my $j = decode_json(<>);
    exit !($j->{context}{num_cpus} && grep { $_->{name} eq "libos/HandleCreate_Event"
        && $_->{run_type} eq "iteration" && $_->{real_time} > 0 } @{$j->{benchmarks}})' \
    "$TAP_DIR/g.json"
expect "nothing is left over" test ! -e "$TAP_DIR/a.json.new"

printf '%s\n' 'restore <all>  zvmm min=450000 median=500500 bare min=500000 median=600000 ratio=0.9' \
    'take it  qemu min=20000 median=30000 mean=40000' '  file 12 KiB' >"$TAP_DIR/snapshots.txt"
session html --libos --html "$TAP_DIR/html" --published tests/bench/published.csv \
    --snapshots "$TAP_DIR/snapshots.txt"
expect "what a snapshot costs" grep -q \
    '<td>restore &lt;all></td><td>zvmm</td><td>450</td><td>500</td><td>500</td><td>600</td><td>0.90</td>' \
    "$TAP_DIR/html/index.html"
expect "without a prototype" grep -q '<td>take it</td><td>qemu</td><td>20.0</td><td>30.0</td><td></td>' \
    "$TAP_DIR/html/index.html"
expect "a remark" grep -q 'colspan="7">  file 12 KiB' "$TAP_DIR/html/index.html"
expect "the page has the row" grep -q '<td>HandleCreate_Event' "$TAP_DIR/html/index.html"
expect "the page has a column of Zircon" grep -q '<th>Zircon</th>' "$TAP_DIR/html/index.html"
if command -v gnuplot >/dev/null; then
    expect "a plot is drawn" grep -q '</svg>' "$TAP_DIR/html/rows-HandleCreate.svg"
fi
refused html_unwritable "cannot make the folder" --libos "${tiny[@]}" --html "$TAP_DIR/none/html"
refused no_snapshots "No such file" --libos "${tiny[@]}" --snapshots "$TAP_DIR/none.txt"
refused no_published "No such file" --libos "${tiny[@]}" --published "$TAP_DIR/none.csv"
session baseline_json --libos --baseline "$TAP_DIR/a.json"
expect "each row is compared" grep -Eq '^HandleCreate_Event  .*(no sure change|faster|slower)' "$OUT"
expect "there is a verdict" grep -Eq '^verdict: [0-9]+ faster, [0-9]+ slower' "$OUT"
perl -pe '$pace ||= /full pace/; if ($pace && /^ +(\d+)$/) { $_ = 2 * $1 . "\n"; $pace = 0 }' \
    "$TAP_DIR/a.json" >"$TAP_DIR/slow.json"
session baseline_pace --libos --baseline "$TAP_DIR/slow.json"
expect "another pace is remarked on" has "the processor is faster than for the baseline"
session baseline_kernel --libos --baseline zlibos
expect "the other kernel is measured" grep -q '^Memcpy/64bytes  *baseline' "$OUT"
expect "and compared" has "verdict: "
sed 's/machine: [^,]*,/machine: Another Processor,/' "$TAP_DIR/a.json" >"$TAP_DIR/b.json"
cp "$TAP_DIR/b.json" "$TAP_DIR/before.json"
refused other_machine "another machine or version" --libos "${tiny[@]}" \
    --baseline "$TAP_DIR/b.json" --json "$TAP_DIR/b.json"
expect "other_machine: nothing is overwritten" cmp -s "$TAP_DIR/b.json" "$TAP_DIR/before.json"
sed 's/; zvmm [^"]*"/; zvmm 0.0"/' "$TAP_DIR/a.json" >"$TAP_DIR/d.json"
refused other_version "another machine or version" --libos "${tiny[@]}" --baseline "$TAP_DIR/d.json"
echo '[]' >"$TAP_DIR/c.json"
refused no_machine "does not say which machine" --libos "${tiny[@]}" --baseline "$TAP_DIR/c.json"
refused no_json "give a file of --json" --libos "${tiny[@]}" --baseline tests/cli/bench.t
refused no_baseline "give a file of --json" --libos "${tiny[@]}" --baseline "$TAP_DIR/none.json"

# A row that takes too long to prepare is left out, with the reason, and that is no failure.
case_run prepare 0 ./zvmm bench "${tiny[@]}" --libos --prepare-ms 1 \
    --filter '^Timer/SetCancel/100000pending$'
expect "prepare: the row says why" has "not measured: preparing it takes longer than 1 ms"

# A row whose caches are emptied first.
CASE_TIMEOUT=300 case_run cold 0 tests/until-vouched ./zvmm bench "${tiny[@]}" --libos \
    --filter '^Thread/Wake/10000sleepers$'
expect "cold: the row is there" grep -q '^Thread/Wake/10000sleepers  *libos  *[1-9]' "$OUT"

# Progress is lines where there is no terminal.
CASE_TIMEOUT=300 case_run lines 0 tests/until-vouched ./zvmm bench --runs 2 --settle 0 --samples 100 \
    --limit-ms 50 --libos --bootfs $bootfs --filter '^Memcpy/64bytes$'
expect "lines: half" err_has "zvmm bench: 1 of 2 rows, 0:"
expect "lines: all" err_has "zvmm bench: 2 of 2 rows, 0:"

if [ -w /dev/kvm ]; then
    session guest --guest
    expect "a row of the guest is there" grep -q '^Memcpy/64bytes  *guest' "$OUT"
    case_run counters 0 tests/until-vouched ./zvmm bench "${tiny[@]}" --guest --filter '^Memcpy/64bytes$' --pmu tsc
    expect "cycles are counted" grep -Eq '^Memcpy/64bytes:cycles  *guest  *[1-9]' "$OUT"
fi
finish
