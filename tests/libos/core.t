#!/usr/bin/env bash
# The kernel's conformance program on zlibos; its TAP is passed on.
cd "$(dirname "$0")/../.." || exit 1
exec timeout -k 5 600 "${ZLIBOS:-./zlibos}" -- core-tests ${C:+"$C"} </dev/null
