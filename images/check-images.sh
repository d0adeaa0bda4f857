#!/bin/sh
# Checks what the images are made of: userboot has the shape the kernel maps, no program can make a
# system call but through the vDSO, the boot image has its boot file system where userboot clones it.
# Prints TAP; fails if a case does.
#
# usage: check-images.sh USERBOOT BOOT_IMAGE PROGRAM...

set -u
userboot=$1
boot_image=$2
shift 2
count=0
failed=0

# check TEXT COMMAND...: the case TEXT succeeds if the command does.
check() {
    text=$1
    shift
    count=$((count + 1))
    if "$@"; then
        echo "ok $count - $text"
    else
        echo "not ok $count - $text"
        failed=$((failed + 1))
    fi
}

no_syscall_instruction() {
    ! objdump -d --no-show-raw-insn "$1" | grep -E '[[:space:]](syscall|sysenter|int[[:space:]]+\$0x80)'
}

# The flags of the loaded segments, one word each.
segments() {
    readelf -lW "$1" | awk '$1 == "LOAD" { f = ""; for (i = 7; i < NF; i++) f = f $i; print f }'
}

two_segments() { [ "$(segments "$userboot" | tr '\n' ' ')" = "R RE " ]; }
no_relocations() { readelf -rW "$1" | grep -q 'There are no relocations'; }
no_interpreter() { ! readelf -lW "$1" | grep -q INTERP; }
position_independent() { readelf -hW "$1" | grep -q 'Type:.*DYN'; }

# File offset = address, at page boundaries.
segments_in_place() {
    readelf -lW "$userboot" | awk '$1 == "LOAD" && ($2 != substr($3, 1, 2) substr($3, 13) ||
                                                    $2 !~ /000$/) { exit 1 }'
}

# Only functions of the vDSO may be undefined.
only_vdso_functions() {
    ! readelf --dyn-syms -W "$1" | awk '$7 == "UND" && $8 != "" { print $8 }' | grep -v '^_\?zx_'
}

# word OFFSET: a little-endian 32-bit word of the boot image, in hexadecimal.
word() { od -A n -t x4 -j "$1" -N 4 "$boot_image" | tr -d ' '; }
bootfs_in_place() {
    [ "$(word 0)" = 544f4f42 ] && [ "$(word 8)" = 868cf7e6 ] && [ "$(word 4064)" = 42534642 ] &&
        [ "$(word 4096)" = a56d3ff9 ] &&
        [ "$(stat -c %s "$boot_image")" = $((0x$(word 4) + 32)) ]
}

check "userboot: a read-only and a code segment" two_segments
check "userboot: file offsets are addresses" segments_in_place
check "userboot: no relocations" no_relocations "$userboot"
check "userboot: no system call instruction" no_syscall_instruction "$userboot"
check "boot image: BOOTFS at the second page" bootfs_in_place
for program; do
    name=$(basename "$program")
    check "$name: position-independent" position_independent "$program"
    check "$name: no interpreter" no_interpreter "$program"
    # core-tests has one, to see that it does not work.
    [ "$name" = core-tests ] ||
        check "$name: no system call instruction" no_syscall_instruction "$program"
    check "$name: nothing undefined but the vDSO's functions" only_vdso_functions "$program"
done
echo "1..$count"
exit "$((failed > 0))"
