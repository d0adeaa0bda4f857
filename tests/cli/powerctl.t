#!/usr/bin/env bash
# zx_system_powerctl ends the machine, in the guest on this machine's KVM and in the LibOS.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

./zvmm guest.elf -- hello </dev/null >"$OUT" 2>"$ERR" || {
    [ -w /dev/kvm ] || skip_all "no usable /dev/kvm: $(tail -1 "$ERR")"
}
cat >"$TAP_DIR/power.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/zircon.h>

int main(int argc, char **argv)
{
    zx_handle_t root = zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));
    unsigned command = argc > 1 && strcmp(argv[1], "reboot") == 0 ? ZX_SYSTEM_POWERCTL_REBOOT
                                                                  : ZX_SYSTEM_POWERCTL_SHUTDOWN;

    puts("before");
    zx_system_powerctl(root, command, NULL);
    puts("after");
    return 3;
}
C
mkdir "$TAP_DIR/boot"
case_run zcc 0 ./zcc -o "$TAP_DIR/boot/power" "$TAP_DIR/power.c"
for command in shutdown reboot; do
    case_run "kvm-$command" 0 ./zvmm guest.elf --bootfs "$TAP_DIR/boot" -- power $command
    expect "kvm-$command: nothing runs after it" output_is before
    case_run "libos-$command" 0 ./zlibos --bootfs "$TAP_DIR/boot" -- power $command
    expect "libos-$command: nothing runs after it" output_is before
done
finish
