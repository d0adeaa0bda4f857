#!/usr/bin/env bash
# The conformance program's tests of memory that runs out, on a zlibos that has little.
cd "$(dirname "$0")/../.." || exit 1
exec timeout -k 5 300 "${ZLIBOS:-./zlibos}" --memory 16M -- core-tests 'MemoryPressure.*' </dev/null
