#!/bin/sh
# Checks that a vDSO image keeps the contract which the kernel and programs rely on (see
# shared/zircon/vdso.h), then runs its code with test-vdso. Prints TAP; fails if a case does.
#
# usage: check-vdso.sh libzircon.so test-vdso

set -u
image=$1
test_program=$2
shared=$(dirname "$0")/../../shared
count=0
failed=0

# result STATUS TEXT: one line of TAP; STATUS 0 is success.
result()
{
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=$((failed + 1))
    fi
}

# check TEXT COMMAND...: the case TEXT succeeds if the command does.
check()
{
    text=$1
    shift
    "$@"
    result $? "$text"
}

# equal FOUND EXPECTED: compares, and shows a difference as a diagnostic.
equal()
{
    [ "$1" = "$2" ] && return 0
    echo "# found:    $1" | tr '\n' ' '
    echo
    echo "# expected: $2" | tr '\n' ' '
    echo
    return 1
}

loads()
{
    readelf -lW "$image" | awk '$1 == "LOAD"'
}

# Names and addresses of the dynamic symbols: "BIND TYPE ADDRESS NAME".
dynamic_symbols()
{
    readelf -W --dyn-syms "$image" | awk '$1 ~ /^[1-9]/ { print $5, $4, $2, $8 }'
}

# The names of all entries that the table says are exported.
entries()
{
    printf '%s\n' '#define SYSCALL(number, name, ret, flags, ...) entry flags name' \
        '#define VDSO_ENTRY(name, ret, flags, ...) entry flags name' \
        '#include <zircon/syscalls.def>' |
        "${CC:-cc}" -E -P -I"$shared" -x c - | awk '$1 == "entry" && !/SC_INTERNAL/ { print $NF }'
}

segments_are_in_place()
{
    loads | {
        expected_start=0
        while read -r _ offset address _ in_file in_memory _; do
            [ $((offset)) -eq $((address)) ] && [ $((in_file)) -eq $((in_memory)) ] &&
                [ $((address)) -eq "$expected_start" ] || exit 1
            expected_start=$(((address + in_memory + 4095) & ~4095))
        done
        [ $(((address + in_memory) & 4095)) -eq 0 ]
    }
}

check "two segments are loaded, R and R E" \
    equal "$(loads | awk '{ print $7 $8 }' | tr -d '01x' | tr '\n' ' ')" "R RE "
check "segments follow each other in whole pages, in memory as in the file" segments_are_in_place
check "no relocations" equal "$(readelf -rW "$image" | grep -c 'R_X86_64')" 0
check "no undefined symbols" equal "$(nm -u "$image"; nm -D -u "$image")" ""
check "nothing is needed from other objects" \
    equal "$(readelf -dW "$image" | grep -cE '\((NEEDED|INIT|FINI|TEXTREL|JMPREL|RELA)')" 0
check "soname is libzircon.so" \
    equal "$(readelf -dW "$image" | sed -n 's/.*soname: \[\(.*\)\].*/\1/p')" "libzircon.so"
check "build id is present" \
    equal "$(readelf -nW "$image" | grep -c 'Build ID: [0-9a-f]')" 1
check "weak zx_ exports are exactly the table's" \
    equal "$(dynamic_symbols | awk '$1 == "WEAK" && $2 == "FUNC" { print $4 }' | sort)" \
    "$(entries | sed 's/^/zx_/' | sort)"
check "strong _zx_ exports are exactly the table's" \
    equal "$(dynamic_symbols | awk '$1 == "GLOBAL" && $2 == "FUNC" { print $4 }' | sort)" \
    "$(entries | sed 's/^/_zx_/' | sort)"
check "there are no other dynamic symbols" \
    equal "$(dynamic_symbols | grep -cv ' _*zx_')" 0
check "both names of an entry are one function" \
    equal "$(dynamic_symbols | sed 's/ _zx_/ zx_/' | awk '{ print $3, $4 }' | sort -u | wc -l)" \
    "$(entries | wc -l)"
check "the program entry is zx_process_exit" \
    equal "$(readelf -hW "$image" | sed -n 's/.*Entry point address: *0x//p')" \
    "$(dynamic_symbols | awk '$4 == "zx_process_exit" { sub(/^0+/, "", $3); print $3 }')"
check "DATA_CONSTANTS is a local symbol of 112 bytes" \
    equal "$(readelf -sW "$image" | awk '$8 == "DATA_CONSTANTS" { print $3, $4, $5 }')" \
    "112 OBJECT LOCAL"

# The program's lines come unnumbered; it ends in time or not at all.
output=$(timeout 60 "$test_program" "$image")
status=$?
while IFS= read -r line; do
    case $line in
    "ok - "*) result 0 "${line#ok - }" ;;
    "not ok - "*) result 1 "${line#not ok - }" ;;
    *) echo "# $line" ;;
    esac
done <<EOF
$output
EOF
result "$status" "test program ran to its end"

echo "1..$count"
[ "$failed" -eq 0 ]
