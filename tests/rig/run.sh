#!/bin/bash
# Runs a command on a hardware-style KVM: QEMU's TCG emulates an AMD processor with SVM, Debian's kernel boots on it,
# kvm-amd.ko gives /dev/kvm, and the command runs there as root. No /dev/kvm of the host is used.
#
#   tests/rig/run.sh [options] -- COMMAND [ARGUMENT...]
#   tests/rig/run.sh [options] --script FILE [-- ARGUMENT...]
#
#   --file HOST[:GUEST]  copies a file or folder into the guest (default /BASENAME); may be repeated
#   --script FILE        runs FILE by the guest's busybox sh instead of a command: many cases, one boot
#   --stdin FILE         the command's standard input (default: empty)
#   --icount             virtual time counts instructions: one nanosecond is one executed instruction
#   --timeout SECONDS    ends the run after that long with status 124 (default 180)
#   --memory MB          the guest's memory (default 1024)
#   --verbose            shows the guest's kernel console on standard error
#
# Prints the command's stdout and stderr on stdout, byte for byte, and exits with its status; 124 is the timeout,
# 125 a failure of the rig itself, 77 (skip) something missing, each with one line on stderr.
#
# The machine boots once for each memory size and time mode: run.sh saves it when the modules are loaded (a
# "template" in obj/rig/ or $RIG_CACHE) and restores it for each run, which takes about half a second instead of 3 to 7.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RIG_CACHE:-$top/obj/rig}
disk_size=1G
append='console=ttyS0 panic=-1 reboot=t nokaslr norandmaps mitigations=off tsc=reliable no_timer_check'
append+=' cryptomgr.notests 8250.nr_uarts=3'

fail() { echo "rig: $*" >&2; exit 125; }
skip() { echo "rig: $*" >&2; exit 77; }

parse_options() {
    files=() script='' stdin='' icount='' limit=180 memory=1024 verbose=''
    while [ $# -gt 0 ]; do
        case $1 in
        --icount) icount=yes; shift; continue ;;
        --verbose) verbose=yes; shift; continue ;;
        --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit 0 ;;
        --) shift; break ;;
        --file | --script | --stdin | --timeout | --memory)
            [ $# -ge 2 ] || fail "$1 needs a value: see the first lines of $0" ;;
        *) fail "unknown option $1: put -- before the command" ;;
        esac
        case $1 in
        --file) files+=("$2") ;;
        --script) script=$2 ;;
        --stdin) stdin=$2 ;;
        --timeout) limit=$2 ;;
        --memory) memory=$2 ;;
        esac
        shift 2
    done
    command=("$@")
    [ -n "$script" ] || [ $# -gt 0 ] || fail "there is no command to run: $0 [options] -- COMMAND [ARGUMENT...]"
    [[ $limit =~ ^[1-9][0-9]*$ ]] || fail "--timeout $limit is not a number of seconds: give one of 1 or more"
    [[ $memory =~ ^[1-9][0-9]*$ ]] || fail "--memory $memory is not a number of megabytes: give one, such as 1024"
}

check_tools() {
    local tool
    for tool in qemu-system-x86_64 busybox cpio; do
        command -v $tool > /dev/null ||
            skip "$tool is missing: apt-get install qemu-system-x86 busybox-static cpio"
    done
    busybox=$(command -v busybox)
    ! head -c 4096 "$busybox" | grep -aq ld-linux ||
        skip "$busybox is not static and cannot run in the guest: apt-get install busybox-static"
    [ -s "$cache/modules/order" ] || skip "there is no kernel in $cache: tests/rig/setup.sh"
}

# Packs folder $1 into cpio archive $2. Owned by root, whoever packs it.
pack() { (cd "$1" && find . -print0 | cpio --null --quiet -o -H newc -R +0:+0) > "$2"; }

# The initramfs of the template: busybox with its links, the modules, init.
make_initramfs() {
    local root=$1/root name
    mkdir -p "$root"/{bin,dev,lib,proc,sys,tmp}
    cp "$busybox" "$root/bin/busybox"
    for name in $("$busybox" --list); do
        [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
    done
    cp -r "$cache/modules" "$root/lib/"
    cp "$here/init" "$root/init"
    chmod 755 "$root/init"
    pack "$root" "$1/initramfs"
    rm -rf "$root"
}

# Sets $machine: QEMU's arguments that must be the same when the template is saved and when it is restored.
# $1 is the folder that holds the initramfs.
set_machine() {
    # shellcheck disable=SC2054 # QEMU's commas
    machine=(-accel tcg -cpu EPYC,+svm -M pc,hpet=off -m "$memory" -rtc base=2020-01-01,clock=vm -seed 1
        -display none -nodefaults -no-reboot -kernel "$cache/vmlinux" -initrd "$1/initramfs")
    if [ -n "$icount" ]; then
        machine+=(-append "$append" -icount 'shift=0,sleep=off')
    else
        machine+=(-append "$append heartbeat=yes")
    fi
}

# The disk whose contents are file $1 and whose serial number is $2 (it tells init which life it is in).
set_disk() {
    disk=(-drive "id=run,if=none,format=raw,read-only=on,file.locking=off,file=$1"
        -device "virtio-blk-pci,drive=run,serial=$2")
}

# What the template depends on: when any of it changes, the template is made anew. The processor is in it because
# without --icount the guest's time stamp counter runs at the host's rate, which the kernel measured when it booted.
template_key() {
    {
        qemu-system-x86_64 --version
        echo "$append"
        grep -m 1 'model name' /proc/cpuinfo || :
        cat "$here/init" "$0" "$busybox" "$cache/modules/order"
        stat -c '%s %Y' "$cache/vmlinux"
    } | sha256sum
}

# QEMU's monitor commands that save the machine in folder $1 once init says "ready". The empty lines are harmless to
# the monitor, and end this function by SIGPIPE should QEMU be gone.
save_when_ready() {
    until grep -qs . "$1/status"; do
        sleep 0.1
        echo
    done
    printf '%s\n' "migrate \"exec:cat >'$1/state'\"" 'info migrate' quit
}

make_template() {
    echo "rig: booting the guest once, to restore it from now on (${memory} MB${icount:+, icount})" >&2
    rm -rf "$cache"/new.*
    new=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    make_initramfs "$new"
    set_machine "$new"
    truncate -s $disk_size "$new/disk"
    set_disk "$new/disk" template
    save_when_ready "$new" 2> /dev/null |
        timeout -k 5 120 qemu-system-x86_64 "${machine[@]}" "${disk[@]}" -monitor stdio -serial "file:$new/console" \
            -serial null -serial "file:$new/status" > "$new/monitor" 2> "$new/errors" || :
    if ! grep -q 'Migration status: completed' "$new/monitor"; then
        tail -n 20 "$new/errors" "$new/console" >&2 || :
        fail "the guest did not boot ($(cat "$new/status" 2> /dev/null)), its console is above:" \
            "try again, or delete $cache and run tests/rig/setup.sh"
    fi
    rm -rf "$new/disk" "$template"
    template_key > "$new/key"
    mv "$new" "$template"
    trap - EXIT
}

# Makes the template unless it is there. Several runs may come here together: one makes it, the others wait.
ensure_template() {
    template=$cache/template-$memory${icount:+-icount}
    exec 9> "$cache/lock"
    flock 9
    if [ "$(cat "$template/key" 2> /dev/null)" != "$(template_key)" ]; then make_template; fi
    exec 9>&-
}

# A word as the guest's shell reads it.
quote() { printf " '%s'" "${1//\'/\'\\\'\'}"; }

# Puts everything that run needs into archive $run/disk.
make_disk() {
    local file host guest word root=$run/root
    mkdir -p "$root/rig"
    for file in ${files[@]+"${files[@]}"}; do
        host=${file%%:*}
        guest=/$(basename "$host")
        [ "$host" = "$file" ] || guest=${file#*:}
        [ -r "$host" ] || fail "--file $host cannot be read: give an existing file or folder"
        mkdir -p "$(dirname "$root/$guest")"
        cp -rL --preserve=mode,timestamps "$host" "$root/$guest"
    done
    cp -- "${stdin:-/dev/null}" "$root/rig/stdin" || fail "--stdin $stdin cannot be read: give an existing file"
    [ -z "$verbose" ] || : > "$root/rig/verbose"
    {
        printf exec
        if [ -n "$script" ]; then
            cp -- "$script" "$root/rig/script" || fail "--script $script cannot be read: give an existing file"
            printf ' sh /rig/script'
        fi
        for word in ${command[@]+"${command[@]}"}; do quote "$word"; done
        echo
    } > "$root/rig/command"
    pack "$root" "$run/disk"
    [ "$(stat -c %s "$run/disk")" -le $((1 << 30)) ] || fail "the run's files exceed 1 GiB: give fewer with --file"
    truncate -s $disk_size "$run/disk"
    rm -rf "$root"
}

# Restores the template with the run's disk; sets $ended to QEMU's (or timeout's) exit status.
run_guest() {
    set_machine "$template"
    set_disk "$run/disk" run
    : > "$run/console"
    mkfifo "$run/output"
    cat "$run/output" &             # QEMU makes its own stdout non-blocking: it must not be the caller's
    timeout --foreground -k 5 "$limit" qemu-system-x86_64 "${machine[@]}" "${disk[@]}" \
        -incoming "exec:cat '$template/state'" -serial "file:$run/console" \
        -chardev stdio,id=output,signal=off -serial chardev:output -serial "file:$run/status" \
        < /dev/null > "$run/output" 2> "$run/errors" &
    qemu=$!
    if [ -n "$verbose" ]; then
        cat "$template/console" >&2
        tail -n +1 -f -s 0.1 --pid=$qemu "$run/console" >&2 &
    fi
    ended=0
    wait $qemu || ended=$?
    qemu=''
    wait            # for all of the output
}

# shellcheck disable=SC2317 # called by a trap
cleanup() {
    [ -z "${qemu-}" ] || kill "$qemu" 2> /dev/null || :
    rm -rf "$run"
}

report() {
    local line
    line=$(cat "$run/status" 2> /dev/null) || :
    case $line in
    'exit '*) exit "${line#exit }" ;;
    esac
    [ -n "$verbose" ] || tail -n 15 "$run/console" >&2
    if [ "$ended" = 124 ]; then
        echo "rig: the command did not end within $limit s: give it more with --timeout SECONDS" >&2
        exit 124
    fi
    grep -v 'warning: TCG doesn' "$run/errors" >&2 || :
    fail "the guest ended without an exit status ($line): its console is above; see all of it with --verbose"
}

parse_options "$@"
check_tools
ensure_template
run=$(mktemp -d)
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
make_disk
run_guest
report
