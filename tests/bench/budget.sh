#!/usr/bin/env bash
# budget.sh write | check - the instruction budget of tests/bench/insn-budget.csv.
#
#   write   measures twice on the nested rig under --icount and writes the file: rows of the
#           selection below whose two counts agree within 1 %, with the budget 2 % above the count
#   check   measures once and prints TAP: a row fails 2 % above its budget
#
# Rows stand for calls, not for sizes: a short selection that takes a few seconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${OBJ:-obj}/bench
csv=tests/bench/insn-budget.csv
selection=('Syscall/Null' 'Syscall/Eight*' 'Handle/*' 'Event/*' 'Port/*' 'Futex/*' 'Fifo/*'
    'Socket/WriteRead/64*' 'HandleCreate_*' 'Channel/*/64bytes/*' 'Channel/*/1024bytes/*'
    'Channel/*/Threads' 'Channel/*/Processes'
    'PageFault/*' 'PageTouch/*'
    'Vmo/Read/4k*' 'Vmo/Read/128k*' 'Vmo/Write/4k*' 'Vmo/Write/128k*'
    'Vmo/Clone/*28k*' 'Vmo/Clone/4096k*'
    'Vmo/CloneMap/128k*' 'Vmar/*/4k*' 'Vmar/*/128k*' 'Thread/StartExit' 'Thread/Yield*'
    'Process/CreateKill' 'Timer/SetCancel/1pending' 'Timer/SetCancel/1000pending'
    'Thread/Wake/10s*')

# PageFault/Fresh contains what the host does for the frame; the same without it, by single steps, is
# PageFault/Fresh.kernel.
#
# Prints "ROW COUNT" lines: the smallest median of three seeds, because where the random layout of
# the address space puts two buffers decides whether they meet in the HAL's cache of translations.
# shellcheck disable=SC2016 # the rig expands it
measure() {
    local status=0
    tests/rig/run.sh --icount --timeout 120 --file zvmm --file guest.elf \
        --file "$out/bootfs:/bootfs" --file "$out/step-profile" -- sh -c '
            for seed in 1 2 3; do
                ./zvmm guest.elf --memory 256M --seed $seed --bootfs /bootfs -- "$@" || exit
            done
            step-profile guest.elf /bootfs PageFault/Fresh' sh zbench --ticks --samples 21 --warm-up 5 --limit-ms 100 "${selection[@]}" \
        >"$out/budget.out" 2>&1 || status=$?
    awk '$1 == "row" && !($2 in least) { order[++n] = $2; least[$2] = $6 }
         $1 == "row" && $6 < least[$2] { least[$2] = $6 }
         $5 == "kernel," { sub(":", ".kernel", $1); order[++n] = $1; least[$1] = $4 }
         END { for (i = 1; i <= n; i++) printf "%s %d\n", order[i], least[order[i]] }' \
        "$out/budget.out"
    return $status
}

write_budget() {
    if ! measure >"$out/budget.1" || ! measure >"$out/budget.2"; then
        echo "budget.sh: the rig failed: $(tail -1 "$out/budget.out")" >&2
        exit 1
    fi
    {
        echo 'row,instructions,budget'
        awk '
            NR == FNR { first[$1] = $2; next }
            { difference = $2 > first[$1] ? $2 - first[$1] : first[$1] - $2 }
            $2 > 0 && difference * 100 <= $2 { printf "%s,%d,%d\n", $1, $2, ($2 * 102 + 99) / 100 }
            ' "$out/budget.1" "$out/budget.2"
    } >"$out/budget.csv"
    cp "$out/budget.csv" $csv
    echo "$csv: $(($(wc -l <$csv) - 1)) rows of $(wc -l <"$out/budget.1")"
}

check_budget() {
    measure >"$out/budget.1"
    local status=$?
    if [ $status = 77 ]; then
        echo "1..0 # SKIP $(tail -1 "$out/budget.out")"
        exit 0
    fi
    if [ $status != 0 ]; then
        echo "not ok 1 - the rig measures (status $status)"
        sed 's/^/# /' "$out/budget.out" | grep -v '^# row' | head -20
        echo 1..1
        exit 1
    fi
    awk -F '[ ,]' '
        NR == FNR { count[$1] = $2; next }
        $1 == "row" { next }
        {
            n++
            limit = int($3 * 102 / 100)
            if ($1 in count && count[$1] <= limit)
                printf "ok %d - %s: %d instructions, budget %d\n", n, $1, count[$1], $3
            else {
                printf "not ok %d - %s: %s instructions, budget %d\n", n, $1,
                    $1 in count ? count[$1] : "no", $3
                failed = 1
            }
        }
        END { printf "1..%d\n", n; exit failed }' "$out/budget.1" $csv
}

case ${1:-} in
write) write_budget ;;
check) check_budget ;;
*)
    echo 'usage: budget.sh write|check' >&2
    exit 2
    ;;
esac
