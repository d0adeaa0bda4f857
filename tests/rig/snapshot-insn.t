#!/usr/bin/env bash
# Instructions that snapshots take, on the nested rig under --icount, against tests/bench/snapshot-budget.csv.
cd "$(dirname "$0")/../.." || exit 1
exec tests/bench/snapshot/run.sh check
