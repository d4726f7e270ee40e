# The kernel's dm-crypt on volumes that are also read and written by Sear. For both sector sizes SIZE, /share has
#   SIZE.disk        a volume of Sear that holds SIZE.plain
#   SIZE.theirs      other plaintext of the same length
#   SIZE.key         the volume's exported key
#   passphrase       a passphrase of the volume with sectors of 4096 bytes (one, because Argon2 takes its time here)
# and gets
#   SIZE.written     the same volume, after dm-crypt wrote SIZE.theirs
#   SIZE.formatted   a volume that cryptsetup made with `passphrase`, and dm-crypt filled with SIZE.plain
modprobe -a loop dm_crypt aesni_intel

open() {
    cryptsetup open --type luks2 --key-file "$2" "$1" plain
    block_device /dev/mapper/plain
}
# Exactly this file is on the device, and the device is as long.
same() {
    [ "$(blockdev --getsize64 /dev/mapper/plain)" = "$(stat --format=%s "$1")" ] || fail "the device is not as long as $1"
    cmp /dev/mapper/plain "$1"
}
write() {
    dd if="$1" of=/dev/mapper/plain bs=1M oflag=direct conv=fsync,notrunc status=none
}

for size in 512 4096; do
    heading "sectors of $size bytes: dm-crypt reads what Sear wrote"
    cp /share/$size.disk /run/disk
    open /run/disk /share/$size.key
    table=$(dmsetup table plain)
    case $table in
        *" crypt aes-xts-plain64 "*) ;;
        *) fail "another cipher than AES-XTS: $table" ;;
    esac
    [ "$(blockdev --getss /dev/mapper/plain)" = $size ] || fail "sectors of $(blockdev --getss /dev/mapper/plain)"
    same /share/$size.plain
    cryptsetup close plain

    key=/share/$size.key
    [ $size = 512 ] || key=/share/passphrase
    heading "sectors of $size bytes: dm-crypt writes, opened by $key"
    open /run/disk $key
    write /share/$size.theirs
    same /share/$size.theirs
    cryptsetup close plain
    cp /run/disk /share/$size.written
    rm /run/disk

    heading "sectors of $size bytes: cryptsetup formats, dm-crypt writes"
    truncate --size $((16 * 1024 * 1024 + $(stat --format=%s /share/$size.plain))) /run/disk
    cryptsetup luksFormat --batch-mode --type luks2 --cipher aes-xts-plain64 --key-size 512 --sector-size $size \
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /share/passphrase /run/disk
    open /run/disk /share/passphrase
    write /share/$size.plain
    cryptsetup close plain
    cp /run/disk /share/$size.formatted
    rm /run/disk
done
awk '/^name/ { name = $3 } /^driver/ && name == "xts(aes)" { print name, $3 }' /proc/crypto
