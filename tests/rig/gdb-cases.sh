# Runs on the rig: gdb-client on a machine of hardware-style KVM. $1 and $2 are its addresses.
/zvmm --gdb=unix:/tmp/gdb /guest.elf -- hello </dev/null >/tmp/log 2>&1 &
zvmm=$!
until [ -S /tmp/gdb ] || ! kill -0 $zvmm; do sleep 0.05; done
/gdb-client /tmp/gdb "$1" "$2"
status=$?
[ $status = 0 ] || kill $zvmm
wait $zvmm
echo "# zvmm ended with status $?"
sed 's/^/# /' /tmp/log
exit $status
