#!/bin/sh
# waits.sh ZVMM GUEST BOOTFS FOLDER - snapshots of tests/vmm/waits.c, for any sh (the rig's is
# busybox's). A line "same NAME" or "differs NAME ..." tells of each.
zvmm=$1 guest=$2 bootfs=$3 dir=$4

is_rest() { tail -c "$(stat -c %s "$dir/rest")" "$dir/whole" | cmp -s - "$dir/rest"; }
is_right() { tail -n 1 "$dir/$1" | grep -qx '0 wrong'; }

# Input for a thread that waits for it in the snapshot.
type_when_taken() {
    timeout 100 sh -c "until [ -e '$dir/waits.zsnap' ]; do sleep 0.05; done"
    echo xyz
}

compare() { # NAME INPUT-OF-THE-RESTORED-RUN
    printf '%s' "$2" | timeout 100 "$zvmm" restore "$dir/waits.zsnap" >"$dir/rest" 2>&1
    status=$?
    if [ $status = 0 ] && is_right whole && is_right rest && is_rest && ! grep -q before "$dir/rest"; then
        echo "same $1"
    else
        echo "differs $1: $status"
        sed 's/^/# whole: /' "$dir/whole"
        sed 's/^/# rest: /' "$dir/rest"
    fi
    rm -f "$dir/waits.zsnap"
}

type_when_taken | timeout 100 "$zvmm" --snapshot-at marker:waits -o "$dir/waits.zsnap" \
    --bootfs "$bootfs" "$guest" -- waits >"$dir/whole" 2>&1
compare 'every kind of wait' 'xyz
'
echo abc | timeout 100 "$zvmm" --snapshot-at marker:waits -o "$dir/waits.zsnap" \
    --bootfs "$bootfs" "$guest" -- waits half >"$dir/whole" 2>&1
compare 'console input half read' ''
