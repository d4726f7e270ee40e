# A volume as a block device of the machine: `sear up --ublk`, on a backing with direct I/O.
modprobe -a ext4 loop aesni_intel
export SEAR_STATE_DIR=/run/state
mkdir /run/backing
truncate -s 200M /run/backing.img
mkfs.ext4 -q -F -O ^has_journal /run/backing.img
mount -o loop,discard /run/backing.img /run/backing
image=/run/backing/disk server= device= node= log=/run/sear.log

serve() {
    : >/run/ready
    sear --json up $image --ublk "$@" >/run/ready 2>>$log &
    server=$!
    eventually is_ready
    device=$(sed -E 's/.*"block_device":\{"path":"([^"]*)".*/\1/' /run/ready)
    node=${device#/dev/}
    test -b "$device" || fail "there is no $device"
}
is_ready() {
    grep -q '"event":"ready"' /run/ready || { kill -0 $server 2>/dev/null || fail "sear ended: $(cat /run/ready $log)"; false; }
}
ended() {
    ! kill -0 "$1" 2>/dev/null
}
stop() {
    kill -TERM $server
    is_removed
}
# Whether sear said of the device, since `listen`, that it is in use by somebody.
is_busy() {
    grep -q "$node is in use: $1" $log
}
listen() {
    cat $log >>/run/all.log
    : >$log
}
is_removed() {
    wait $server || fail "sear ended with $? after SIGTERM: $(cat /run/ready $log)"
    ls /dev/ublk[bc]* 2>/dev/null && fail "the device was not removed"
    return 0
}
queue() {
    cat "/sys/block/$node/queue/$1"
}
expect() {
    [ "$2" = "$3" ] || fail "$1: $2 instead of $3"
}

heading without the driver
must_fail sear up $image --size 64M --ublk 2>/run/refused
grep "modprobe ublk_drv" /run/refused
[ ! -e $image ] || fail "a volume was made all the same"
sear doctor | grep -A 3 ublk
modprobe ublk_drv
sear doctor | grep /dev/ublk-control

heading what the kernel is told
serve --size 64M --sector-size 4096 --allow-discards
expect sectors "$(cat "/sys/block/$node/size")" $((64 * 2048))
expect "logical block" "$(queue logical_block_size)" 4096
expect cache "$(queue write_cache)" "write back"
expect FUA "$(queue fua)" 1
expect queues "$(find "/sys/block/$node/mq" -mindepth 1 -maxdepth 1 | wc -l)" 2
expect "longest request" "$(queue max_hw_sectors_kb)" 256
[ "$(queue discard_max_bytes)" != 0 ] || fail "the kernel would not discard"
[ "$(queue write_zeroes_max_bytes)" != 0 ] || fail "the kernel would not write zeroes"
expect read-only "$(blockdev --getro "$device")" 0

heading a filesystem: fio verifies, fstrim gives space back
mkfs.ext4 -q -F -E nodiscard "$device"
mount "$device" /mnt
fio --name=verify --directory=/mnt --size=4m --numjobs=2 --ioengine=libaio --direct=1 --iodepth=16 --rw=randwrite \
    --bsrange=4k-512k --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1 --fsync=32 \
    --output-format=terse | wc -l
head -c 4M /dev/urandom >/mnt/kept
sum=$(sha256sum </mnt/kept)
rm -f /mnt/verify*
sync -f /mnt
allocated() {
    echo $(($(stat --format='%b' $image) / 2048))
}
before=$(allocated)
fstrim -v /mnt
after=$(allocated)
echo "allocated: $before MiB before fstrim, $after MiB after"
[ "$after" -lt $((before - 6)) ] || fail "fstrim gave nothing back"

heading asked to end while it is mounted, then while it is open
kill -TERM $server
eventually is_busy "it is mounted"
echo "still served" >/mnt/later
sync -f /mnt
exec 5<"$device"
umount /mnt
eventually is_busy "process $$ "
exec 5<&-
is_removed

heading served again: nothing was lost
serve
must_fail blkdiscard --force --offset 12M --length 2M "$device"
e2fsck -f -n "$device"
mount -o ro "$device" /mnt
expect sum "$(sha256sum </mnt/kept)" "$sum"
expect text "$(cat /mnt/later)" "still served"
umount /mnt
stop

heading zeroes and discards between neighbours that stay
serve --allow-discards
head -c 8M /dev/urandom >/run/neighbours
dd if=/run/neighbours of="$device" bs=1M seek=8 oflag=direct conv=fsync,notrunc status=none
blkdiscard --force --zeroout --offset 9M --length 1M "$device"
fallocate --zero-range --keep-size --offset 10M --length 516K "$device"
dd if=/dev/zero of=/run/neighbours bs=4K seek=256 count=385 conv=notrunc status=none
dd if="$device" bs=1M skip=8 count=8 iflag=direct status=none | cmp - /run/neighbours
before=$(allocated)
blkdiscard --force --offset 12M --length 2M "$device"
[ "$(allocated)" -lt "$before" ] || fail "the discard gave nothing back"
dd if="$device" bs=1M skip=8 count=4 iflag=direct status=none | cmp - <(head -c 4M /run/neighbours)
dd if="$device" bs=1M skip=14 count=2 iflag=direct status=none | cmp - <(tail -c 2M /run/neighbours)
dd if="$device" bs=1M skip=12 count=2 iflag=direct status=none | cmp - <(tail -c 4M /run/neighbours) >/dev/null &&
    fail "what was discarded is still there"
stop

heading killed under load, with a mounted filesystem, and taken over
serve
mkfs.ext4 -q -F "$device"
mount "$device" /mnt
reached() {
    awk -v least="$1" '{ exit $5 > least ? 0 : 1 }' "/sys/block/$node/stat" || ended $load
}
fio --name=load --directory=/mnt --size=6m --ioengine=libaio --direct=1 --iodepth=32 --rw=randwrite --bsrange=4k-32k \
    --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --loops=3 --fsync=64 >/run/fio.log 2>&1 &
load=$!
crash() {
    kill -KILL $server
    wait $server || true
}
give_up() {
    listen
    kill -TERM $server
    eventually is_busy "it is mounted"
    kill -TERM $server
    code=0
    wait $server || code=$?
    expect "exit code after a second signal" $code 143
    truncate -s +8M $image
}
for die in crash give_up; do
    eventually reached $((300 + $(awk '{ print $5 }' "/sys/block/$node/stat")))
    ended $load && fail "fio ended too early: $(cat /run/fio.log)"
    was=$device
    $die
    must_fail sear up $image --ublk --read-only 2>/run/refused
    grep "can be written to and the volume is read-only" /run/refused
    serve
    expect device "$device" "$was"
    grep -q '"recovered":true' /run/ready || fail "not taken over: $(cat /run/ready)"
done
case $(cat "/sys/block/$node/size") in
    $((64 * 2048))) grep "cannot change the length" $log ;;
    $((72 * 2048))) echo "the device has grown with its volume" ;;
    *) fail "the device has $(cat "/sys/block/$node/size") sectors" ;;
esac
wait $load || fail "fio noticed: $(cat /run/fio.log)"
grep "WRITE:" /run/fio.log
umount /mnt
e2fsck -f -n "$device"

stop

heading an end in order is not taken for a crash: a new device, read-only
serve --read-only
grep -q '"recovered":false' /run/ready || fail "taken over: $(cat /run/ready)"
expect read-only "$(blockdev --getro "$device")" 1
must_fail dd if=/dev/zero of="$device" bs=4k count=1 oflag=direct conv=notrunc
mount -o ro,noload "$device" /mnt
umount /mnt
stop

heading sectors of 512 bytes, on a backing in memory, and NBD beside it
image=/run/small
serve --size 16M --sector-size 512 --listen unix:/run/nbd.sock --name vol
expect "logical block" "$(queue logical_block_size)" 512
expect discards "$(queue discard_max_bytes)" 0
head -c 16M /dev/urandom >/run/plain
dd if=/run/plain of="$device" bs=1M conv=fsync,notrunc status=none
dd if=/run/plain of="$device" bs=512 count=3 skip=100 seek=7 oflag=direct conv=notrunc status=none
dd if=/run/plain of=/run/plain bs=512 count=3 skip=100 seek=7 conv=notrunc status=none
dd if="$device" bs=1M iflag=direct status=none | cmp - /run/plain
nbdcopy "nbd+unix:///vol?socket=/run/nbd.sock" /run/copy
cmp /run/copy /run/plain
stop

heading without root: the rules of udev are a loop here
chmod 666 /dev/ublk-control
mkdir --mode=700 /run/user
chown 1000:1000 /run/user
while :; do
    chown --quiet 1000:1000 /dev/ublk[bc]* || true
    sleep 0.05
done 2>/dev/null &
rules=$!
log=/run/user/log image=/run/user/disk
: >/run/user/ready >$log
setpriv --reuid 1000 --regid 1000 --clear-groups sear --state-dir /run/user/state --json up $image --size 16M \
    --ublk >/run/ready 2>>$log &
server=$!
eventually is_ready
device=$(sed -E 's/.*"block_device":\{"path":"([^"]*)".*/\1/' /run/ready)
node=${device#/dev/}
expect "longest request" "$(queue max_hw_sectors_kb)" 64
setpriv --reuid 1000 --regid 1000 --clear-groups dd if=/run/plain of="$device" bs=1M conv=fsync,notrunc status=none
blkdiscard --force --zeroout --offset 1M --length 1M "$device"
dd if=/dev/zero of=/run/plain bs=1M seek=1 count=1 conv=notrunc status=none
setpriv --reuid 1000 --regid 1000 --clear-groups dd if="$device" bs=1M iflag=direct status=none | cmp - /run/plain
stop
kill $rules

heading what the kernel and sear had to say
listen
cat /run/sear.log >>/run/all.log
grep -v "in use" /run/all.log || true
if grep -i panicked /run/all.log; then fail "sear panicked"; fi
if dmesg | grep -E 'BUG|WARNING|Oops|blocked for more|I/O error'; then fail "the kernel complained"; fi

heading a mount by way of ublk, whose server dies and comes back
image=/run/backing/mounted
sear mount $image /run/mounted --via ublk --size 32M --mkfs ext4
mountpoint -q /run/mounted
findmnt -no SOURCE /run/mounted | grep -q '^/dev/ublkb' || fail "mounted from $(findmnt -no SOURCE /run/mounted)"
head -c 1M /dev/urandom >/run/mounted/kept
sum=$(sha256sum </run/mounted/kept)
# Its only server now.
server=$(pgrep -f "up .*$image")
kill -KILL "$server"
eventually test ! -e "/proc/$server/exe"
must_fail sear umount /run/mounted
mountpoint -q /run/mounted
serve
[ "$(sha256sum </run/mounted/kept)" = "$sum" ] || fail "the file has changed"
sear umount /run/mounted
is_removed
mountpoint -q /run/mounted && fail "still mounted"
# By the best way there is.
sear mount $image /run/mounted
findmnt -no SOURCE /run/mounted | grep -q '^/dev/ublkb' || fail "mounted from $(findmnt -no SOURCE /run/mounted)"
[ "$(sha256sum </run/mounted/kept)" = "$sum" ] || fail "the file has changed"
sear umount /run/mounted

heading two copies of a volume, mounted by two that do not know of each other
cp $image $image.copy
cp -r $SEAR_STATE_DIR /run/other
sear mount $image /run/mounted
sear --state-dir /run/other mount $image.copy /run/second
rm /run/second/kept
sear umount /run/mounted
mountpoint -q /run/second || fail "the other copy was unmounted"
sear mount $image /run/mounted
sear --state-dir /run/other umount /run/second
mountpoint -q /run/mounted || fail "the other copy was unmounted"
[ "$(sha256sum </run/mounted/kept)" = "$sum" ] || fail "the file has changed"
sear umount /run/mounted
ls /dev/ublkb* 2>/dev/null && fail "the device was not removed"
echo done
