#!/bin/sh
# The vDSO image keeps its contract.
cd "$(dirname "$0")/../.." || exit 1
exec images/vdso/check-vdso.sh obj/images/vdso/libzircon.so obj/images/vdso/test-vdso
