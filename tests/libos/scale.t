#!/usr/bin/env bash
# The conformance program's tests of large numbers, on a zlibos of 1 GiB.
cd "$(dirname "$0")/../.." || exit 1
exec timeout -k 5 300 "${ZLIBOS:-./zlibos}" --memory 1G -- core-tests 'Scale.*' </dev/null
