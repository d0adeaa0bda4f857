#!/usr/bin/env bash
# bench.sh PLATFORM... [-- GLOB...] - runs the benchmark on each platform and writes the report.
#
#   libos      ./zlibos: the kernel as a Linux process, native speed
#   kvm        ./zvmm on this machine's KVM
#   rig        ./zvmm on the nested rig under --icount: instructions
#   linux      Linux's own primitives, natively, in the same run
#   linux-rig  the same on the rig's Linux 6.1 under --icount
#
# Writes obj/bench/raw/PLATFORM.txt, obj/bench/report.txt, obj/bench/fuchsiaperf.json and
# obj/bench/plot-*.svg. On a terminal it shows how far it is. A platform that cannot run leaves its
# columns empty, and the report says why. What runs at native speed (libos, linux) is measured in
# ROUNDS rounds (3), in turn, so that a change of the machine's speed meets both; the report takes
# each row from its best round.
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

rounds=${ROUNDS:-3}

# One build is measured, whatever is built meanwhile.
run=$out/run
mkdir -p "$run"
for program in zvmm guest.elf zlibos; do
    cp -f $program "$run/" 2>/dev/null || rm -f "$run/$program"
done
rig=(tests/rig/run.sh --icount --timeout 600)
rig_options=(--ticks --raw --samples 21 --warm-up 5 --limit-ms 100)

# The command line of a platform, in $command.
set_command() {
    case $1 in
    libos) command=("$run/zlibos" --memory 512M --bootfs "$out/bootfs" -- zbench --raw) ;;
    kvm) command=("$run/zvmm" "$run/guest.elf" --memory 512M --bootfs "$out/bootfs" --
        zbench --raw --limit-ms 60) ;;
    rig) command=("${rig[@]}" --file "$run/zvmm" --file "$run/guest.elf"
        --file "$out/bootfs:/bootfs" -- ./zvmm guest.elf --memory 256M --seed 1 --bootfs /bootfs -- zbench "${rig_options[@]}") ;;
    linux) command=("$out/linux-bench" --raw) ;;
    linux-rig) command=("${rig[@]}" --file "$out/linux-bench" -- linux-bench "${rig_options[@]}") ;;
    *)
        echo "bench.sh: unknown platform $1: libos, kvm, rig, linux or linux-rig" >&2
        exit 2
        ;;
    esac
    command+=(${rows[@]+"${rows[@]}"})
}

# Copies result lines into a file, counting rows on a terminal. Steps come before their row's total.
collect() { # PLATFORM
    local line name count=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$raw/$1.txt"
        [ -t 2 ] || continue
        name=${line#row }
        name=${name%% *}
        case $name in *.[a-z]*) ;; *) count=$((count + 1)) ;; esac
        printf '\r\033[K%s: row %d, %s' "$1" "$count" "$name" >&2
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
}

# Each platform leaves "# command" and perhaps "# failed" lines in its file.
run_platform() { # PLATFORM
    local start=$SECONDS status before
    set_command "$1"
    before=$(wc -l <"$raw/$1.txt")
    [ ! -t 2 ] || printf '%s ...' "$1" >&2
    { "${command[@]}" 2>"$raw/$1.err" </dev/null || echo "# status $?"; } | collect "$1"
    status=$(tail -n +$((before + 1)) "$raw/$1.txt" | sed -n 's/^# status //p')
    echo "# command ${command[*]}" >>"$raw/$1.txt"
    sed 's/^/# message /' "$raw/$1.err" | head -20 >>"$raw/$1.txt"
    printf '%-10s %4d lines, %3d s%s\n' "$1" \
        "$(tail -n +$((before + 1)) "$raw/$1.txt" | grep -c '^row')" \
        $((SECONDS - start)) "${status:+, status $status: $(head -1 "$raw/$1.err")}" >&2
}

for platform in "${platforms[@]}"; do
    set_command "$platform"
    : >"$raw/$platform.txt"
done
for ((round = 1; round <= rounds; round++)); do
    for platform in "${platforms[@]}"; do
        case $platform in
        libos | linux) run_platform "$platform" ;;
        *) [ "$round" -gt 1 ] || run_platform "$platform" ;;
        esac
    done
done
exec perl tests/bench/report.pl "$out" "${platforms[@]}"
