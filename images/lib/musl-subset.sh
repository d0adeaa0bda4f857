#!/bin/sh
# Which members of musl's libc.a go into libzx.a: all that make no Linux system call, do not define
# what the library defines itself, and need nothing that is left out. Checks first that the archive
# has the layouts that musl.h and thread.h rely on.
#
# usage: musl-subset.sh LIBC_A OBJECT...      prints the members' names
set -eu
LC_ALL=C
export LC_ALL
libc=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

die() {
    echo "musl-subset.sh: $libc: $*" >&2
    exit 1
}

# expect MEMBER PATTERN WHAT: the disassembly or a relocation of a member shows a layout.
expect() {
    ar p "$libc" "$1" > "$dir/member.o"
    { objdump -dr --no-show-raw-insn "$dir/member.o"; objdump -r "$dir/member.o"; } |
        grep -qE -- "$2" || die "unexpected layout: $3 (in $1)"
}
expect stdout.lo '^0*18 .*__stdio_close' 'FILE.close'
expect stdout.lo '^0*48 .*__stdout_write' 'FILE.write'
expect stdout.lo '^0*50 .*__stdio_seek' 'FILE.seek'
expect stdout.lo '^0*58 .*buf' 'FILE.buf'
expect __towrite.lo '0x60\(%rdi\),%rax' 'FILE.buf_size'
expect __towrite.lo '%rax,0x38\(%rdi\)' 'FILE.wbase'
expect puts.lo '__stdout_FILE\+0x88' 'FILE.lock'
expect __lockfile.lo '0x30\(%rcx\),%r9d' 'pthread.tid'
expect __errno_location.lo '\$0x34,%rax' 'pthread.errno'
expect uselocale.lo '0xa8\(%rcx\)' 'pthread.locale'
expect uselocale.lo '__libc\+0x34' 'libc.global_locale'
expect __lock.lo '__libc-0x1$' 'libc.need_locks'

objdump -d --no-show-raw-insn "$libc" |
    awk '/file format/ { sub(/:$/, "", $1); member = $1 }
         $2 == "syscall" { print "syscall", member }' | sort -u > "$dir/facts"
# Archives may hold two members of one name, which ar cannot tell apart.
ar t "$libc" | sort | uniq -d | sed 's/^/twice /' >> "$dir/facts"
nm -g "$@" | awk 'NF == 3 { print "ours", $3 }' >> "$dir/facts"
nm -g -A "$libc" 2> /dev/null |
    awk '{ split($1, path, ":"); member = path[2] }
         NF == 2 || $2 == "U" || $2 == "w" { if ($(NF-1) == "U") print "needs", member, $NF; next }
         { print "defines", member, $NF, $(NF-1) }' >> "$dir/facts"

awk '
    $1 == "syscall" || $1 == "twice" { out[$2] = 1 }
    $1 == "ours" { provided[$2] = 1; ours[$2] = 1 }
    $1 == "defines" {
        members[$2] = 1
        defines[++nd] = $2 " " $3
        # Of two definitions ours counts. A weak one is only a default in a member that has more to it.
        if (!($3 in ours)) other[$2] = other[$2] $4
        else if ($4 ~ /[WV]/) weak[$2] = 1
        else out[$2] = 1
    }
    $1 == "needs" { members[$2] = 1; needs[++nn] = $2 " " $3 }
    END {
        # From the linker and from libgcc.
        split("_GLOBAL_OFFSET_TABLE_ _DYNAMIC __muldc3 __mulsc3 __mulxc3", extra, " ")
        for (i in extra) provided[extra[i]] = 1
        for (m in weak) if (other[m] !~ /[^WV]/) out[m] = 1
        for (i = 1; i <= nd; i++) {
            split(defines[i], d, " ")
            if (!(d[1] in out)) count[d[2]]++
        }
        do {
            changed = 0
            for (i = 1; i <= nn; i++) {
                split(needs[i], n, " ")
                if (n[1] in out || n[2] in provided || count[n[2]] > 0) continue
                out[n[1]] = changed = 1
                why[n[1]] = n[2]
                for (j = 1; j <= nd; j++) {
                    split(defines[j], d, " ")
                    if (d[1] == n[1]) count[d[2]]--
                }
            }
        } while (changed)
        for (m in members) if (!(m in out)) print m
        if (ENVIRON["WHY"]) for (m in why) print m, why[m] > "/dev/stderr"
    }' "$dir/facts" | sort
