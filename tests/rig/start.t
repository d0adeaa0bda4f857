#!/usr/bin/env bash
# zvmm's own part of a run, from its process's start to the end of a hello guest, in instructions on
# the nested rig: at most 1.5 million. And how often the real kernel leaves KVM_RUN for a hello.
cd "$(dirname "$0")/../.." || exit 1
out=$(tests/bench/start.sh --rig 2>&1)
status=$?
if [ $status = 77 ]; then
    echo "1..0 # SKIP ${out##*$'\n'}"
    exit 0
fi
printf '%s\n' "$out" | sed 's/^/# /'
number() { # LABEL KEY: the smallest median
    printf '%s\n' "$out" | sed -n "s/^$1:.*$2 median=\([0-9]*\).*/\1/p" | sort -n | head -1
}
zvmm=$(number zvmm cpu_us)
rss=$(printf '%s\n' "$out" | sed -n 's/^zvmm:.*max_rss_kib=\([0-9]*\).*/\1/p' | sort -n | tail -1)
stat() { # START KEY: of the line of --stats that begins so
    printf '%s\n' "$out" | sed -n "s/^$1stats: .*\b$2=\([0-9]*\).*/\1/p"
}
n=0
failed=0
check() { # VALUE LIMIT NAME
    n=$((n + 1))
    if [ -n "$1" ] && [ "$1" -le "$2" ]; then
        echo "ok $n - $3: $1, at most $2"
    else
        echo "not ok $n - $3: ${1:-nothing}, at most $2"
        failed=1
    fi
}
check "$zvmm" 1500 "thousand instructions of zvmm"
check "$rss" 3072 "KiB of zvmm in memory"
check "$(stat 'zvmm: ' runs)" 2 "KVM_RUN calls"
check "$(stat 'hello: zvmm: ' runs)" 25 "KVM_RUN calls of a whole hello"
check "$(stat 'hello: zvmm: ' own_rss_kib)" 3072 "KiB of its zvmm without guest pages"
echo "1..$n"
exit $failed
