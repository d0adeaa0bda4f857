#!/usr/bin/env bash
# Programs in the guest, from the command line, on this machine's KVM.
set -u
cd "$(dirname "$0")/../.."
. tests/tap.sh

./zvmm --help >/dev/null || skip_all "zvmm is not built"
./zvmm guest.elf -- hello </dev/null >"$OUT" 2>"$ERR" || {
    [ -w /dev/kvm ] || skip_all "no usable /dev/kvm: $(tail -1 "$ERR")"
}

case_run hello 0 ./zvmm guest.elf -- hello
expect "hello prints its line and nothing else" output_is "Hello from user space!"
expect "hello is quiet on stderr" test ! -s "$ERR"

case_run nosuch 127 ./zvmm guest.elf -- nosuch
expect "the missing program is named" has "nosuch"

echo ps >"$TAP_DIR/in"
STDIN_FILE=$TAP_DIR/in
case_run shell_ps 0 ./zvmm guest.elf
expect "ps shows the shell" has "bin/sh"
expect "ps shows userboot" has "userboot"

printf 'echo one two\nrun hello\nhelp\nnosuch\nexit 7\n' >"$TAP_DIR/in"
case_run shell_script 7 ./zvmm guest.elf
expect "echo" has "one two"
expect "run" has "Hello from user space!"
expect "unknown program" has "sh: nosuch: not found"

printf 'exit 3' >"$TAP_DIR/in"
case_run shell_without_newline 3 ./zvmm guest.elf
STDIN_FILE=
case_run shell_no_input 0 ./zvmm guest.elf

case_run ls 0 ./zvmm guest.elf -- ls
expect "ls shows hello" has "bin/hello"
case_run mem 0 ./zvmm guest.elf -- mem
case_run memory_8g 0 ./zvmm guest.elf --memory 8G -- hello
case_run same_seed 0 ./zvmm guest.elf --seed 1 -- hello

mkdir -p "$TAP_DIR/demo"
case_run zcc 0 ./zcc -o "$TAP_DIR/demo/hi" images/sdk/examples/hi.c
case_run own_program 0 ./zvmm guest.elf --bootfs "$TAP_DIR/demo" -- hi
cat >"$TAP_DIR/crash.c" <<'C'
#include <stdio.h>
int main(int argc, char **argv)
{
    (void)argv;
    puts("before");
    *(volatile int *)(unsigned long)(argc - 1) = 1;
    puts("after");
}
C
case_run zcc_crash 0 ./zcc -o "$TAP_DIR/demo/crash" "$TAP_DIR/crash.c"
case_run fault_kills_the_program 132 ./zvmm guest.elf --bootfs "$TAP_DIR/demo" -- crash
expect "output before the fault" has "before"
expect "no output after it" bash -c "! grep -q after $OUT"
expect "the fault is logged" has "page fault at 0x0"

printf 'run crash\necho still here\n' >"$TAP_DIR/in"
STDIN_FILE=$TAP_DIR/in
case_run fault_leaves_the_rest 0 ./zvmm guest.elf --bootfs "$TAP_DIR/demo"
expect "the shell goes on" has "still here"
finish
