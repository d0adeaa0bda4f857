#!/usr/bin/env bash
# The reader of snapshot files under libFuzzer for a moment; RUNS=N for longer.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
command -v clang >/dev/null || skip_all 'no clang'
program=obj/fuzz/fuzz-snapshot
mkdir -p obj/fuzz
sources=(tests/vmm/fuzz/snapshot.c vmm/snapshot/{file,write,temporary}.c vmm/{array,error}.c)
if ! clang -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=undefined -Ishared -iquote vmm -o $program "${sources[@]}" \
    -lxxhash 2>"$ERR"; then
    grep -q 'libclang_rt' "$ERR" && skip_all 'no libFuzzer: install libclang-rt-14-dev'
    sed 's/^/# /' "$ERR"
fi
case_run 'the reader withstands edited files' 0 $program -seed=1 -runs="${RUNS:-20000}" -max_len=200 \
    -verbosity=0 -artifact_prefix=obj/fuzz/
finish
