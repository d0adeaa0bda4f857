#!/usr/bin/env bash
# The unit tests under valgrind: no bad access, no decision on what was never written, no leak.
# C=GLOB picks tests by name.
cd "$(dirname "$0")/../.." || exit 1
OBJ=${OBJ:-obj}
if ! command -v valgrind >/dev/null; then
    echo '1..0 # SKIP valgrind is missing: make setup'
    exit 0
fi
n=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for test in "$OBJ"/plain/test_*; do
    name=${test##*/}
    # shellcheck disable=SC2053
    [ -x "$test" ] && [[ $name == ${C:-*} ]] || continue
    n=$((n + 1))
    if timeout -k 5 300 valgrind -q --error-exitcode=99 --leak-check=full "$test" >"$out" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        grep -v '^ok' "$out" | head -60 | sed 's/^/# /'
        failed=1
    fi
done
echo "1..$n"
exit $failed
