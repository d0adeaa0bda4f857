#!/usr/bin/env bash
# Instructions a kernel call takes, on the nested rig under --icount, against tests/bench/insn-budget.csv.
cd "$(dirname "$0")/../.." || exit 1
exec tests/bench/budget.sh check
