#!/bin/bash
# Fetches the kernel of the nested rig: Debian's ordinary amd64 kernel image, downloaded but not installed.
#
#   tests/rig/setup.sh            fills obj/rig/ (or $RIG_CACHE); does nothing when it is already filled
#
# Leaves there: vmlinux, modules/*.ko and modules/order (their names, in the order in which insmod wants them).
# Needs the packages apt, dpkg and xz-utils, and package lists (apt-get update); root is not needed.
# To take a newer kernel, delete the folder and run this again.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${RIG_CACHE:-$top/obj/rig}
wanted='kvm-amd virtio_pci virtio_blk'      # what is under test, and the disk that carries a run's files

fail() { echo "rig: $*" >&2; exit 1; }

# The package that linux-image-amd64 stands for today, as linux-image-6.1.0-56-amd64.
kernel_package() {
    apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *|*Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

# Prints the uncompressed kernel inside bzImage $1: its header holds the number of set-up sectors, and where after
# them the payload begins and how long it is (the last four bytes of which are the unpacked size).
kernel_payload() {
    local sectors offset length
    sectors=$(od -An -tu1 -j497 -N1 "$1")
    offset=$(od -An -tu4 -j584 -N4 "$1")
    length=$(od -An -tu4 -j588 -N4 "$1")
    tail -c +$(((sectors + 1) * 512 + offset + 1)) "$1" | head -c $((length - 4)) | xz -dc
}

# Puts module $1 of the unpacked package and, before it, every module it depends on into modules/ and modules/order.
# The dependencies are read from the module itself, so that modinfo is not needed.
add_module() {
    local file needed name=$1
    ! grep -qxF "$name" modules/order || return 0
    file=$(find unpacked -name "${name//[-_]/[-_]}.ko*" | head -n 1)
    [ -n "$file" ] || fail "$package has no module $name: it is not the kernel this rig was written for"
    case $file in
    *.xz) xz -dc "$file" > "modules/$name.ko" ;;
    *) cp "$file" "modules/$name.ko" ;;
    esac
    for needed in $(tr '\0' '\n' < "modules/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
        add_module "$needed"
    done
    echo "$name" >> modules/order
}

[ ! -s "$cache/modules/order" ] || exit 0

for tool in apt-get apt-cache dpkg xz; do
    command -v $tool > /dev/null || fail "$tool is missing: apt-get install apt dpkg xz-utils"
done
package=$(kernel_package)
[ -n "$package" ] || fail 'apt does not know linux-image-amd64, its package lists are missing: apt-get update'

# Everything is made in a folder beside the cache and moved into place at the end, so that a cache is whole or absent.
mkdir -p "$(dirname "$cache")"
work=$(mktemp -d "$cache.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
sandbox=
[ "$(id -u)" != 0 ] || sandbox='-o APT::Sandbox::User=root'     # apt's own user cannot write into this folder
# shellcheck disable=SC2086 # two words or none
apt-get -qq $sandbox download "$package" ||
    fail "$package could not be downloaded, the package lists may be old: apt-get update"
dpkg -x "$package"_*.deb unpacked
mkdir modules
: > modules/order
for module in $wanted; do add_module "$module"; done
kernel_payload unpacked/boot/vmlinuz-* > vmlinux || cp unpacked/boot/vmlinuz-* vmlinux    # boots too, 4 s slower
rm -rf unpacked ./*.deb
rm -rf "$cache"
mv "$work" "$cache"
echo "rig: $package is ready in $cache"
