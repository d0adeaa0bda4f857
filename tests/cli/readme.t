#!/usr/bin/env bash
# The commands that README.md shows work as printed, one after the other, in a folder of their own.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
if ! out=$(./zvmm guest.elf -- hello 2>&1 </dev/null) && [ ! -w /dev/kvm ]; then
    skip_all "no usable /dev/kvm: ${out##*$'\n'}"
fi
top=$PWD
cd "$TAP_DIR" || exit 1
ln -s "$top"/{zvmm,guest.elf,guest-gdb.py,zcc,images} .
export XDG_CACHE_HOME=$PWD/cache
mkdir -p cache

# Indented lines are commands, up to the comment. What builds or waits for somebody is not run here.
while IFS= read -r line; do
    command=$(sed -E 's/^    //; s/[[:space:]]+# .*//' <<<"$line")
    case $command in
    make* | '$'* | *--gdb* | ... | '') continue ;;
    *'&& gdb '*) command="$command -batch" ;;
    esac
    case_run "$command" 0 bash -o pipefail -c "$command"
done < <(grep '^    ' "$top/README.md")
expect 'the last one says hello' has 'Hello from user space'
finish
