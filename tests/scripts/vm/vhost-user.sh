# Disks by vhost-user from two servers on the host: /dev/vda, which loses its server twice while fio verifies, and
# /dev/vdb, read-only, whose content is /share/plain.
modprobe -a virtio_blk ext4
block_device /dev/vda
block_device /dev/vdb

queue() {
    cat "/sys/block/$1/queue/$2"
}

heading the limits that the kernel learned
[ "$(blockdev --getsize64 /dev/vda)" = $((192 << 20)) ] || fail "the device has $(blockdev --getsize64 /dev/vda) bytes"
[ "$(queue vda logical_block_size)" = 4096 ] || fail "logical blocks of $(queue vda logical_block_size)"
[ "$(queue vdb logical_block_size)" = 512 ] || fail "logical blocks of $(queue vdb logical_block_size)"
[ "$(queue vda write_cache)" = "write back" ] || fail "the kernel would not flush: $(queue vda write_cache)"
[ "$(queue vda discard_max_bytes)" = $((1 << 30)) ] || fail "discards of $(queue vda discard_max_bytes)"
[ "$(queue vda write_zeroes_max_bytes)" = $((64 << 20)) ] || fail "zeroes of $(queue vda write_zeroes_max_bytes)"
[ "$(queue vdb discard_max_bytes)" = 0 ] || fail "the kernel would discard on a read-only device"
[ "$(ls /sys/block/vda/mq | wc -l)" = 2 ] || fail "queues: $(ls /sys/block/vda/mq)"
serial=$(cat /sys/block/vda/serial)
[ ${#serial} = 20 ] || fail "the device calls itself $serial"

heading a read-only device
[ "$(blockdev --getro /dev/vdb)" = 1 ] || fail "the read-only device can be written"
cmp /dev/vdb /share/plain
must_fail dd if=/dev/zero of=/dev/vdb bs=4k count=1 conv=fsync status=none

heading zeroes and discards
dd if=/dev/urandom of=/dev/vda bs=1M count=8 oflag=direct status=none
blkdiscard --zeroout --offset 4096 --length $((4 << 20)) /dev/vda
cmp --bytes $((4 << 20)) --ignore-initial=4096:0 /dev/vda /dev/zero
blkdiscard /dev/vda

heading a filesystem: fio verifies while the server is killed, and while it ends in order
mkfs.ext4 -q -F -E nodiscard /dev/vda
mount /dev/vda /mnt
verify() {
    fio --name="$1" --directory=/mnt --size=16m --numjobs=2 --ioengine=libaio --direct=1 --iodepth=16 --rw=randwrite \
        --bsrange=4k-128k --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1 \
        --fsync=32 --time_based=0 --loops=2 --output-format=terse | wc -l
}
written() {
    awk '{ print $7 }' /sys/block/vda/stat
}
for event in killed ended; do
    start=$(written)
    verify $event &
    eventually eval '[ $(($(written) - start)) -gt 8192 ]'
    tell "load.$event"
    wait $! || fail "fio has failed while the server was $event"
    await "$event"
    heading "the server was $event"
done
if dmesg | grep -iE "I/O error|timed out|is not a head"; then fail "the kernel complains"; fi
rm -f /mnt/killed* /mnt/ended*
head -c 4M /dev/urandom >/mnt/kept
sha256sum </mnt/kept >/share/sum
sync -f /mnt
tell full
await measured
fstrim -v /mnt

heading the volume grows below its filesystem
has_grown() {
    [ "$(blockdev --getsize64 /dev/vda)" = $((256 << 20)) ]
}
tell small
eventually has_grown
resize2fs /dev/vda
umount /mnt
e2fsck -fn /dev/vda
