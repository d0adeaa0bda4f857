#!/usr/bin/env bash
# bench.sh PLATFORM... [-- GLOB...] - runs the benchmark on each platform and writes the report.
#
#   libos      ./zlibos: the kernel as a Linux process, native speed
#   linux      Linux's own primitives, natively, in the same session
#   kvm        ./zvmm on this machine's KVM
#   rig        ./zvmm on the nested rig under --icount: instructions
#   linux-rig  the same on the rig's Linux 6.1 under --icount
#   snapshot   taking, restoring and resetting a snapshot, and a warm start, beside bare prototypes
#              and QEMU
#
# The first three are measured by zvmm bench, in turn, RUNS times (5) in about TIME seconds (150), and
# only samples that it vouches for count; the rig's once, because their counts repeat. Writes obj/bench/report.txt and
# fuchsiaperf.json (report.pl), html/ (zvmm bench, with plots), google.json, and what they come from:
# samples.json, raw/PLATFORM.txt. A platform that cannot run leaves its columns empty, and the report
# says why; if it is an error, the status is 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${OBJ:-obj}/bench
raw=$out/raw
mkdir -p "$raw"

platforms=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    platforms+=("$1")
    shift
done
[ $# -eq 0 ] || shift
rows=("$@")

# One build is measured, whatever is built meanwhile.
run=$out/run
mkdir -p "$run"
for program in zvmm guest.elf zlibos; do
    cp -f $program "$run/" 2>/dev/null || rm -f "$run/$program"
done

# ---- On the rig ---------------------------------------------------------------------------------

rig=(tests/rig/run.sh --icount --timeout 600)
rig_options=(--ticks --raw --samples 21 --warm-up 5 --limit-ms 100)

run_on_rig() { # PLATFORM
    local start=$SECONDS command status=0
    case $1 in
    rig) command=("${rig[@]}" --file "$run/zvmm" --file "$run/guest.elf"
        --file "$out/bootfs:/bootfs" -- ./zvmm guest.elf --memory 256M --seed 1 --bootfs /bootfs
        -- zbench "${rig_options[@]}") ;;
    linux-rig) command=("${rig[@]}" --file "$out/linux-bench" -- linux-bench "${rig_options[@]}") ;;
    esac
    command+=(${rows[@]+"${rows[@]}"})
    [ ! -t 2 ] || printf '%s ...\r' "$1" >&2
    "${command[@]}" >"$raw/$1.txt" 2>"$raw/$1.err" </dev/null || status=$?
    echo "# command ${command[*]}" >>"$raw/$1.txt"
    sed 's/^/# message /' "$raw/$1.err" | head -20 >>"$raw/$1.txt"
    printf '%-10s %4d lines, %3d s, status %d\n' "$1" "$(grep -c '^row' "$raw/$1.txt")" \
        $((SECONDS - start)) $status >&2
    [ $status = 0 ] || [ $status = 77 ] || failed=1
}

# ---- Snapshots ----------------------------------------------------------------------------------

# Smallest and median time to the first output, in ns, of COUNT starts of a program.
start_time() { # COUNT PROGRAM...
    "$out/startup" "$@" | sed -n \
        's/^first_output_us median=\([0-9]*\) min=\([0-9]*\) .*/min=\2000 median=\1000/p'
}

measure_snapshots() {
    local start=$SECONDS folder
    folder=$(mktemp -d)
    export XDG_CACHE_HOME=$folder # where --warm keeps its snapshot
    {
        tests/bench/snapshot/run.sh here 40
        printf '%-34s zvmm %s bare %s\n' 'start, the test guest' \
            "$(start_time 30 "$run/zvmm" "$out/testguest.elf" --cmdline hello)" \
            "$(start_time 30 "$out/proto")"
        printf '%-34s zvmm %s\n' 'cold start of hello' \
            "$(start_time 5 "$run/zvmm" "$run/guest.elf" -- hello)"
        "$run/zvmm" --warm "$run/guest.elf" -- hello >/dev/null
        printf '%-34s zvmm %s\n' 'warm start of hello' \
            "$(start_time 30 "$run/zvmm" --warm "$run/guest.elf" -- hello)"
    } >"$raw/snapshot.txt" 2>"$raw/snapshot.err" </dev/null || failed=1
    sed 's/^/# message /' "$raw/snapshot.err" | head -20 >>"$raw/snapshot.txt"
    rm -rf "$folder"
    printf '%-10s %4d lines, %3d s\n' snapshot "$(grep -c 'zvmm min=' "$raw/snapshot.txt")" \
        $((SECONDS - start)) >&2
}

# ---- Here ---------------------------------------------------------------------------------------

# Shell patterns as one regular expression.
rows_as_expression() {
    local row separator=''
    printf '^('
    for row in "${rows[@]}"; do
        row=${row//./\\.}
        row=${row//\*/.*}
        printf '%s%s' "$separator" "${row//\?/.}"
        separator='|'
    done
    printf ')$'
}

measure_here() { # SUBJECT OPTIONS...
    local command=("$run/zvmm" bench --runs "${RUNS:-5}" --time "${TIME:-150}" --settle 1
        --bootfs "$out/bootfs" --json "$out/samples.json" --google-json "$out/google.json"
        --html "$out/html" --published tests/bench/published.csv "$@")
    [ ${#rows[@]} = 0 ] || command+=(--filter "$(rows_as_expression)")
    rm -f "$out/samples.json"
    "${command[@]}" >"$out/vouched.txt"
    case $? in
    0) ;;
    1) echo 'bench.sh: of some rows no sample can be vouched for; the report says which' >&2 ;;
    *)
        echo 'bench.sh: zvmm bench failed; the report has only what the rig gave' >&2
        failed=1
        ;;
    esac
    echo "# command ${command[*]}" >"$raw/zvmm-bench.txt"
}

failed=0
here=()
others=()
for platform in "${platforms[@]}"; do
    case $platform in
    libos) here+=("--libos=$run/zlibos") ;;
    linux) here+=("--linux=$out/linux-bench") ;;
    kvm) here+=(--guest) ;;
    rig)
        run_on_rig rig
        others+=(--counts "$raw/rig.txt")
        ;;
    linux-rig)
        run_on_rig linux-rig
        others+=(--linux-counts "$raw/linux-rig.txt")
        ;;
    snapshot)
        measure_snapshots
        others+=(--snapshots "$raw/snapshot.txt")
        ;;
    *)
        echo "bench.sh: unknown platform $platform: libos, linux, kvm, rig, linux-rig or snapshot" >&2
        exit 2
        ;;
    esac
done
case " ${platforms[*]} " in
*" kvm "*) here+=("$run/guest.elf") ;;
esac
[ ${#here[@]} = 0 ] || measure_here ${others[@]+"${others[@]}"} "${here[@]}"
perl tests/bench/report.pl "$out" "${platforms[@]}" || failed=1
exit $failed
