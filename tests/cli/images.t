#!/bin/sh
# What the boot images are made of: see images/check-images.sh.
cd "$(dirname "$0")/../.." || exit 1
exec make -s --no-print-directory check-images
