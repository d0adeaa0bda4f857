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

# Should a case hang, what came before it is shown.
timeout 540 ./zvmm guest.elf -- core-tests >/all 2>&1 </dev/null
got=$?
{ grep '^# passed' /all; grep -B8 '^not ok' /all; tail -n 12 /all; } >/out
result $got "core-tests"
grep '^# passed' /all
echo "1..$n"
exit $failed
