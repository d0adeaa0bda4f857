#!/usr/bin/env bash
# Checks object/wait.pml with Spin: the model as it is holds, and each mistake that can be made in it
# is found. If it is not, the model has come to say nothing.
cd "$(dirname "$0")/../.." || exit 1
model=$PWD/object/wait.pml
command -v spin >/dev/null || {
    echo "1..0 # SKIP spin is not installed: make setup"
    exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# Leaves the verdict in $work/out; true if the whole state space has no error.
check() { # -D OPTIONS
    rm -f pan* ./*.trail
    spin "$@" -a "$model" >out 2>&1 || return 2
    "${CC:-gcc}" -O2 -w -DSAFETY -o pan pan.c >>out 2>&1 || return 2
    ./pan -m100000 >>out 2>&1
    ! grep -q 'max search depth too small' out && grep -q 'errors: 0$' out
}

failed=0 n=0
report() { # STATUS NAME
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' out | head -30
        failed=1
    fi
}

mistakes=(LOOK_THEN_LINK GRANT_THEN_END FORGET_TIMER FORGET_FLAGS)
echo "1..$((1 + ${#mistakes[@]}))"
check
report $? "the model holds: $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1 states/p' out)"
for mistake in "${mistakes[@]}"; do
    check "-D$mistake"
    found=$?
    if [ "$found" = 1 ] && grep -q 'errors: 1$' out; then
        report 0 "$mistake is found"
    else
        report 1 "$mistake is found"
    fi
done
exit $failed
