# The kernel's dm-crypt on volumes that are also read and written by Sear. For both sector sizes SIZE, in this order, there
# are two disks,
#   ours        a volume of Sear that holds SIZE.plain; it is left with SIZE.theirs in it, written by dm-crypt
#   empty       as many zeroes; it is left as a volume that cryptsetup made and dm-crypt filled with SIZE.plain
# and in /share
#   SIZE.key    the exported key of the volume of Sear
#   passphrase  opens all of them
modprobe -a virtio_blk dm_crypt aesni_intel

# open VOLUME KEY-FILE
open() {
    cryptsetup open --type luks2 --key-file "$2" "$1" plain
    block_device /dev/mapper/plain
}
# same FILE: exactly this is on the device, and the device is as long.
same() {
    [ "$(blockdev --getsize64 /dev/mapper/plain)" = "$(stat --format=%s "$1")" ] || fail "the device is not as long as $1"
    cmp /dev/mapper/plain "$1"
}
write() {
    dd if="$1" of=/dev/mapper/plain bs=1M oflag=direct conv=fsync,notrunc status=none
}

# check SECTOR-SIZE OUR-DISK EMPTY-DISK
check() {
    local size=$1 ours=$2 empty=$3 table
    block_device $ours
    block_device $empty

    heading "sectors of $size bytes: dm-crypt reads what Sear wrote"
    open $ours /share/$size.key
    table=$(dmsetup table plain)
    case $table in
        *" crypt aes-xts-plain64 "*) ;;
        *) fail "another cipher than AES-XTS: $table" ;;
    esac
    [ "$(blockdev --getss /dev/mapper/plain)" = $size ] || fail "sectors of $(blockdev --getss /dev/mapper/plain)"
    same /share/$size.plain
    cryptsetup close plain

    heading "sectors of $size bytes: dm-crypt writes, opened by the passphrase"
    open $ours /share/passphrase
    write /share/$size.theirs
    same /share/$size.theirs
    cryptsetup close plain

    heading "sectors of $size bytes: cryptsetup formats, dm-crypt writes"
    cryptsetup luksFormat --batch-mode --type luks2 --cipher aes-xts-plain64 --key-size 512 --sector-size $size \
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /share/passphrase $empty
    open $empty /share/passphrase
    write /share/$size.plain
    cryptsetup close plain
}

check 512 /dev/vda /dev/vdb
check 4096 /dev/vdc /dev/vdd
awk '/^name/ { name = $3 } /^driver/ && name == "xts(aes)" { print name, $3 }' /proc/crypto
