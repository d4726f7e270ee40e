# The kernel's NBD client on an export of `sear up`: a filesystem, discards, zeroes, a server that dies, a server on the
# host. Expects in /share: `host-port`, the port of the host's export `vol`; `plain`, what that export has to take.
modprobe -a nbd ext4 aesni_intel
image=/run/disk socket=/run/nbd.sock server=
export SEAR_STATE_DIR=/run/state

serve() {
    sear up $image --listen unix:$socket --name vol --allow-discards "$@" >>/run/sear.log 2>&1 &
    server=$!
    eventually test -S $socket
}
stop() {
    kill -TERM $server
    wait $server || fail "sear ended with $? after SIGTERM: $(cat /run/sear.log)"
    rm -f $socket
}
attach() {
    nbd-client -unix $socket /dev/nbd0 -name vol -block-size 4096 -connections 2
    block_device /dev/nbd0
    eventually test "$(cat /sys/block/nbd0/size)" != 0
}
queue() {
    cat "/sys/block/nbd0/queue/$1"
}
is_detached() {
    [ ! -e /sys/block/nbd0/pid ]
}
detach() {
    nbd-client -d /dev/nbd0
    eventually is_detached
}
allocated() {
    echo $(($(stat --format='%b' $image) / 2048))
}

heading the limits that the kernel learned
serve --size 96M --sector-size 4096
attach
[ "$(cat /sys/block/nbd0/size)" = $((96 * 2048)) ] || fail "the device has $(cat /sys/block/nbd0/size) sectors"
for status in /proc/$server/task/*/status; do
    # The guest's root has every capability and may lift every limit, so nothing of either is left.
    for left in CapEff CapPrm CapBnd; do
        grep -q "^$left:[[:space:]]*0000000000000000" $status || fail "$status: $(grep Cap $status)"
    done
    grep -q '^Seccomp:[[:space:]]*2' $status || fail "$status: $(grep Seccomp $status)"
done
connections=$(grep -c " 03 *[0-9]* $socket\$" /proc/net/unix)
[ "$connections" = 2 ] || fail "$connections connections instead of 2: $(cat /proc/net/unix)"
[ "$(queue logical_block_size)" = 4096 ] || fail "logical blocks of $(queue logical_block_size)"
[ "$(queue write_cache)" = "write back" ] || fail "the kernel would not flush: $(queue write_cache)"
[ "$(queue fua)" = 1 ] || fail "the kernel would not use FUA"
[ "$(queue discard_max_bytes)" != 0 ] || fail "the kernel would not discard"
[ "$(queue write_zeroes_max_bytes)" != 0 ] || fail "the kernel would not write zeroes"

heading a filesystem: fio verifies, fstrim gives space back, e2fsck finds nothing
mkfs.ext4 -q -F -E nodiscard /dev/nbd0
mount /dev/nbd0 /mnt
fio --name=verify --directory=/mnt --size=8m --numjobs=2 --ioengine=libaio --direct=1 --iodepth=16 --rw=randwrite \
    --bsrange=4k-64k --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1 --fsync=32 \
    --output-format=terse | wc -l
head -c 4M /dev/urandom >/mnt/kept
sum=$(sha256sum </mnt/kept)
rm -f /mnt/verify*
sync -f /mnt
before=$(allocated)
fstrim -v /mnt
after=$(allocated)
echo "allocated: $before MiB before fstrim, $after MiB after"
[ $after -lt $((before - 10)) ] || fail "fstrim gave nothing back"
umount /mnt
e2fsck -f -n /dev/nbd0
detach
stop

heading the same volume, served again
serve
attach
mount -o ro /dev/nbd0 /mnt
[ "$(sha256sum </mnt/kept)" = "$sum" ] || fail "the file has changed"
umount /mnt

heading write zeroes, with and without a hole, between neighbours that stay
head -c 4M /dev/urandom >/run/neighbours
dd if=/run/neighbours of=/dev/nbd0 bs=1M oflag=direct conv=fsync,notrunc status=none
blkdiscard --zeroout --offset 1M --length 1M /dev/nbd0
fallocate --zero-range --keep-size --offset 2M --length 512K /dev/nbd0
dd if=/dev/zero of=/run/neighbours bs=512K seek=2 count=3 conv=notrunc status=none
dd if=/dev/nbd0 bs=1M count=4 iflag=direct status=none | cmp - /run/neighbours
detach

heading the server is killed under load
attach
head -c 2M /dev/urandom >/run/kept
dd if=/run/kept of=/dev/nbd0 bs=1M oflag=direct conv=fsync,notrunc status=none
fio --name=load --filename=/dev/nbd0 --offset=64m --size=16m --ioengine=libaio --direct=1 --iodepth=32 --rw=randwrite \
    --bs=4k --loops=10000 >/run/fio.log 2>&1 &
load=$!
written() {
    awk '{ exit $5 > 500 ? 0 : 1 }' /sys/block/nbd0/stat
}
eventually written
kill -KILL $server
wait $server || true
rm -f $socket
ended() {
    ! kill -0 $load 2>/dev/null
}
eventually ended
if wait $load; then fail "fio noticed nothing: $(cat /run/fio.log)"; fi
grep -m 1 "Input/output error" /run/fio.log || fail "fio ended otherwise: $(cat /run/fio.log)"
must_fail dd if=/dev/nbd0 of=/dev/null bs=4k count=1 iflag=direct
must_fail dd if=/dev/zero of=/dev/nbd0 bs=4k count=1 oflag=direct conv=notrunc
detach
serve
attach
dd if=/dev/nbd0 bs=1M count=2 iflag=direct status=none | cmp - /run/kept
detach
stop
if grep -i panicked /run/sear.log; then fail "sear panicked"; fi

heading a server on the host, over TCP
nbd-client 10.0.2.2 "$(cat /share/host-port)" /dev/nbd1 -name vol -block-size 512
block_device /dev/nbd1
dd if=/share/plain of=/dev/nbd1 bs=1M oflag=direct conv=fsync,notrunc status=none
echo 3 >/proc/sys/vm/drop_caches
cmp /share/plain /dev/nbd1
nbd-client -d /dev/nbd1

heading what the kernel had to say
if dmesg | grep -E 'BUG|WARNING|Oops|blocked for more'; then fail "the kernel complained"; fi
