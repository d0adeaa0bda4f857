#!/usr/bin/env bash
# The kernel's conformance program on this machine's KVM; its TAP is passed on. A whole run leaves its
# log in obj/core-tests.log and ends with one case more: every suite of tests/core/suites.csv is
# complete, and docs/conformance.md claims nothing that the run does not show.
cd "$(dirname "$0")/../.." || exit 1
log=${OBJ:-obj}/core-tests.log
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    echo "1..0 # SKIP no usable /dev/kvm: ${out##*$'\n'}"
    exit 0
fi
run() { timeout -k 5 600 ./zvmm guest.elf -- core-tests "$@" </dev/null; }
if [ -n "${C:-}" ]; then
    run "$C"
    exit
fi

# The plan comes last, as it counts the case that is added.
run | tee "$log" | sed -u '/^1\.\.[0-9]/d'
status=${PIPESTATUS[0]}
cases=$(sed -n 's/^1\.\.\([0-9]*\)\r*$/\1/p' "$log")
if complaint=$(tests/core/conformance --check docs/conformance.md "$log"); then
    echo "ok $((cases + 1)) - conformance"
else
    echo "not ok $((cases + 1)) - conformance"
    sed 's/^/# /' <<<"$complaint"
    status=1
fi
echo "1..$((cases + 1))"
exit "$status"
