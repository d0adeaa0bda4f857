# determinism-cases.sh - what tests/rig/determinism.t runs on this host's KVM and inside the rig: prints a line for
# each case, its name and its digests. Needs ./zvmm, ./guest.elf, ./demo with threads, ./script; a shell that knows
# POSIX. FULL=1 as the first argument: more of core-tests.
det() { # NAME ARGS...
    name=$1
    shift
    ./zvmm --deterministic --digest --bootfs demo --input script guest.elf "$@" </dev/null 2>&1 |
        sed -n "s/^zvmm: digest/$name/p; /^not ok/p; s/^zvmm: note/$name: note/p"
}
det hello -- hello
det threads -- threads
det shell
det channel -- core-tests 'Channel.*'
det timer -- core-tests 'Timer.*' 'Clock.*' 'Time.*'
det pager -- core-tests 'Port.*' 'Pager.*' 'Event*' 'Futex.*'
# A snapshot here, one of this run taken on the other machine, and the run that goes on from each: one digest.
go_on() { # NAME SNAPSHOT
    ./zvmm restore --digest "$2" </dev/null 2>&1 | sed -n "s/^zvmm: digest/$1/p; s/^zvmm: note/$1: note/p"
}
./zvmm replay run.zlog --to 400 -o here.zsnap >/dev/null 2>&1
go_on restored here.zsnap
./zvmm snap unpack there.zst there.zsnap && go_on restored-elsewhere there.zsnap
# A program that computes until it is told to stop, preempted at exact instructions, where KVM can step.
if [ -e /sys/module/kvm_amd ] && [ "$2" = STEP ]; then
    ./zvmm --deterministic --digest --bootfs demo guest.elf -- hello 2>&1 | sed 's/^/unstepped: /'
    ./zvmm --deterministic --digest --bootfs demo --preempt step guest.elf -- hello 2>&1 | sed 's/^/stepped: /'
    ./zvmm --deterministic --digest --bootfs demo --preempt step:700 --snapshot-at event:70 -o spin.zsnap \
        guest.elf -- spin 2>&1 | sed 's/^/spin: /'
    ./zvmm restore --digest spin.zsnap 2>&1 | sed 's/^/spin again: /'
fi
[ "$1" = FULL=1 ] || exit 0
# Left out are tests whose threads spin until they are preempted, and one in which processors differ: where a jump to
# an address that is not canonical faults. docs/determinism.md
det most-of-core-tests -- core-tests '!Fpu.*' '!Suspend*' '!Thread.*Preempted' '!ThreadRegisters.*' \
    '!ThreadSingleStep.*' '!ThreadDebugRegisters.*' '!Process.Kill' '!Vmar.DestroyedWhileInUse' \
    '!SchedulerProfile.KillOfAThrottledThread' '!Fault.JumpNowhere'
