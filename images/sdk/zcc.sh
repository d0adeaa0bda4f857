#!/bin/sh
# zcc: compiles and links programs that run on the guest, as musl-gcc does for musl. All options are
# the compiler's own; without -c, -S, -E or -r the result is a program.
#
#     ./zcc -o demo/hi hi.c && ./zvmm guest.elf --bootfs demo -- hi
#
# ZCC_CC chooses the compiler (gcc; clang works too). The library is found beside this script.
set -eu

here=$(dirname "$(readlink -f "$0")")
built=$here/obj/images
musl=/usr/include/x86_64-linux-musl
cc=${ZCC_CC:-gcc}

for needed in "$built/lib/libzx.a" "$built/vdso/libzircon.so"; do
    if [ ! -e "$needed" ]; then
        echo "zcc: $needed is missing; run make in $here" >&2
        exit 1
    fi
done
if [ ! -d "$musl" ]; then
    echo "zcc: $musl is missing; install musl-dev" >&2
    exit 1
fi

link=yes
files=no
for argument in "$@"; do
    case $argument in
    -c | -S | -E | -r | -M | -MM | -fsyntax-only) link=no ;;
    -shared | -static)
        echo "zcc: $argument: programs are position-independent and need no libraries" >&2
        exit 1
        ;;
    -*) ;;
    *) files=yes ;;
    esac
done

set -- -nostdinc -isystem "$here/images/lib/include" -isystem "$here/shared" -isystem "$musl" \
    -isystem "$("$cc" -print-file-name=include)" -fPIE -fcf-protection=none "$@"
if [ "$link" = yes ] && [ "$files" = yes ]; then
    # An archive may need the library: it comes after everything the user named.
    set -- "$@" -pie -nostdlib -Wl,--no-dynamic-linker -Wl,-z,now -Wl,-z,norelro \
        -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
        -Wl,--hash-style=gnu -Wl,--build-id=sha1 -Wl,--gc-sections -Wl,-Bsymbolic \
        -x none "$built/lib/crt0.o" "$built/lib/libzx.a" "$built/vdso/libzircon.so" -lgcc
fi
exec "$cc" "$@"
