# guest-cases.sh - what tests/rig/guest.t runs inside the rig, in one boot; prints TAP.
n=0
failed=0
result() { # STATUS-OF-A-TEST NAME
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' /out
        failed=1
    fi
}
run() { # NAME EXPECTED-STATUS ARGS...
    name=$1 want=$2
    shift 2
    ./zvmm "$@" >/out 2>&1
    got=$?
    test $got = "$want"
    result $? "$name: exit status $got"
}

run hello 0 guest.elf -- hello </dev/null
grep -qx "Hello from user space!" /out
result $? "hello prints its line"

echo ps >/in
run shell 0 guest.elf </in
grep -q userboot /out && grep -q bin/sh /out
result $? "ps shows userboot and the shell"

run nosuch 127 guest.elf -- nosuch </dev/null
run large 0 guest.elf --memory 512M -- hello </dev/null
run no_lapic_features 0 guest.elf --verbose -- hello </dev/null

run sandbox 0 --sandbox guest.elf -- hello </dev/null
run memory_pressure 0 --memory 16M guest.elf -- core-tests 'MemoryPressure.*' </dev/null
grep -q ' failed 0 skipped 0' /out
result $? "memory_pressure: all cases ran"

run scale 0 --memory 1G guest.elf -- core-tests 'Scale.*' </dev/null

# Started from a kept snapshot, and put back to one: with the in-kernel interrupt controller.
export XDG_CACHE_HOME=/cache
mkdir -p /cache
run cold 0 guest.elf -- core-tests 'EventPair.*' </dev/null
cp /out /cold
run warm_first 0 --warm guest.elf -- core-tests 'EventPair.*' </dev/null
cmp /cold /out >/difference
result $? "the first warm start prints what a cold one does"
run warm_again 0 --warm guest.elf -- core-tests 'EventPair.*' </dev/null
cmp /cold /out >/difference
result $? "and so does the second"
run warm_status 127 --warm guest.elf -- nosuch </dev/null
run test_fork_at 0 test --fork-at ready guest.elf -- core-tests 'Event*' 'Timer.*' 'Futex.*' </dev/null
tail -1 /out | grep -q '^# passed [1-9][0-9]* failed 0$'
result $? "every test passes from the kept state"

# Should a case hang, what came before it is shown.
timeout 540 ./zvmm guest.elf -- core-tests >/all 2>&1 </dev/null
got=$?
{ grep '^# passed' /all; grep -B8 '^not ok' /all; tail -n 12 /all; } >/out
result $got "core-tests"
grep '^# passed' /all
echo "1..$n"
exit $failed
