#!/bin/bash
# The fuzzer's inputs that are checked in, run without a fuzzer: what reaches all of the kernel
# (corpus) and what once broke it (regressions). `V=1` names each input before it is run.
cd "$(dirname "$0")/../.." || exit 1
program=${FUZZ_REPLAY:-obj/fuzz/replay}
if [ ! -x "$program" ]; then
    make -s fuzz-replay >&2 || exit 1
fi
shopt -s nullglob
exec "$program" tests/fuzz/corpus tests/fuzz/regressions/*
