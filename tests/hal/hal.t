#!/bin/bash
# Runs the HAL's tests (hal-test.c) under zvmm: on this machine's KVM, and on the nested rig, which
# is hardware-style KVM. Prints TAP. HAL_TEST_ON=kvm or rig runs one of them only.
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

number=0
report() { # STATUS NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# Passes the guest's TAP on under our own numbers.
relay() { # FILE PREFIX
    local line name
    while IFS= read -r line; do
        case $line in
        ok\ *) name=${line#ok * - }; report 0 "$2: $name" ;;
        not\ ok\ *) name=${line#not ok * - }; report 1 "$2: $name" ;;
        "# "*) printf '%s\n' "$line" ;;
        esac
    done < <(tr -d '\r' < "$1")
}

# The cases: a shell script, so that the rig runs all in one boot. Each leaves NAME.out and .status.
cat > "$work/cases" <<'END'
zvmm=$1 elf=$2 out=$3 kind=$4
seed=0x0000000000000000000000000000000000000000000000000000000000000000
case_() { # NAME ARGUMENT...
    name=$1
    shift
    timeout 60 "$zvmm" "$@" "$elf" > "$out/$name.out" 2> "$out/$name.err" < "$out/input"
    echo $? > "$out/$name.status"
}
printf 'line one\nand the second, without an end' > "$out/input"
case_ all --cmdline "$kind" --stats
case_ small --cmdline "test=exhaustion $kind" --memory 16M
case_ large --cmdline "test=nothing $kind" --memory 64G --stats
case_ input --cmdline "test=input $kind"
case_ flush --cmdline "test=flush $kind"
case_ entropy --cmdline "test=entropy $kind" --seed $seed
case_ entropy2 --cmdline "test=entropy $kind" --seed $seed
case_ exit --cmdline "test=exit"
for name in panic fault overflow gp doublefree; do
    case_ $name --cmdline "test=$name"
done
case_ measure --cmdline "test=measure $kind" --stats
END

check_status() { # NAME STATUS PREFIX
    [ "$(cat "$work/out/$1.status" 2> /dev/null)" = "$2" ]
    report $? "$3: $1 ends with status $2"
}

says() { # NAME TEXT PREFIX
    grep -qF -- "$2" "$work/out/$1.out" "$work/out/$1.err" 2> /dev/null
    report $? "$3: $1 says: $2"
}

judge() { # PREFIX
    local name
    for name in all small input flush entropy; do
        relay "$work/out/$name.out" "$1"
        check_status $name 0 "$1"
    done
    check_status large 0 "$1"
    says input 'and the second, without an end' "$1"
    says flush 'this line is here while the loop runs' "$1"
    cmp -s "$work/out/entropy.out" "$work/out/entropy2.out"
    report $? "$1: the same seed gives the same bytes"
    says entropy 76b8e0ada0f13d90405d6ae55386bd28 "$1" # RFC 8439, A.1, test vector 1
    check_status exit 42 "$1"
    for name in panic fault overflow gp doublefree; do
        check_status $name 126 "$1"
    done
    says panic 'this panic is a test' "$1"
    says fault 'page fault, write to 0x123456 (not mapped)' "$1"
    says overflow 'kernel stack overflow?' "$1"
    says gp 'fault, error code 0x0' "$1" # a real processor says #GP, an emulated one may say #SS
    says doublefree 'free already' "$1"
    sed -n 's/^# /#   /p' "$work/out/measure.out"
}

software=
[ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ] || software=software

if ! make -s -f Makefile -f tests/hal/Makefile.inc zvmm obj/hal-test.elf > "$work/make" 2>&1; then
    sed 's/^/# /' "$work/make"
    report 1 build
fi

if [ "${HAL_TEST_ON:-kvm}" = kvm ]; then
    if [ -w /dev/kvm ]; then
        mkdir "$work/out"
        sh "$work/cases" ./zvmm obj/hal-test.elf "$work/out" "$software"
        judge kvm
        rm -r "$work/out"
    else
        report 0 "kvm # SKIP no /dev/kvm"
    fi
fi

if [ "${HAL_TEST_ON:-rig}" = rig ]; then
    # The rig's guest prints everything on its one output: an archive that we unpack here.
    cat > "$work/in-rig" <<'END'
mkdir /tmp/out
sh /cases /zvmm /hal-test.elf /tmp/out tcg
cd /tmp && tar -cf - out
END
    tests/rig/run.sh --icount --timeout 170 --file zvmm --file obj/hal-test.elf \
        --file "$work/cases:/cases" --script "$work/in-rig" > "$work/tar" 2> "$work/rig.err"
    status=$?
    if [ $status = 77 ]; then
        report 0 "rig # SKIP $(head -1 "$work/rig.err")"
    elif [ $status != 0 ] || ! tar -xf "$work/tar" -C "$work"; then
        sed 's/^/# /' "$work/rig.err"
        report 1 "the rig ran (status $status)"
    else
        judge rig
    fi
fi
echo "1..$number"
