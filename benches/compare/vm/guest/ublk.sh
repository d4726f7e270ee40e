# Four block devices over files in memory: through Sear's ublk server with and without the cipher, and through the
# kernel's own loop driver without and with dm-crypt.
modprobe -a ublk_drv loop dm_crypt aesni_intel xts
export SEAR_STATE_DIR=/run/state
mkdir -p /run/files
for name in sear plain loop crypt; do
    fallocate -l 64M "/run/files/$name"
done
rm /run/files/sear
mkfifo /run/hold
sear --json up /run/files/sear --size 64M --ublk >/run/sear.ready 2>/run/sear.log &
ublk_serve /run/files/plain <>/run/hold >/run/plain.ready 2>/run/plain.log &
served() {
    grep -m 1 -oE '/dev/ublkb[0-9]+' "$1" 2>/dev/null | head -n 1
}
is_served() {
    [ -n "$(served "$1")" ]
}
trap 'cat /run/*.log' EXIT
for name in sear plain; do
    eventually is_served /run/$name.ready
    block_device "$(served /run/$name.ready)"
    ln -s "$(served /run/$name.ready)" /dev/race-$name
done
ln -s "$(losetup --find --show --direct-io=on --sector-size 4096 /run/files/loop)" /dev/race-loop
under=$(losetup --find --show --direct-io=on --sector-size 4096 /run/files/crypt)
head -c 64 /dev/urandom >/run/key
cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 --sector-size 4096 --key-file /run/key "$under" crypt
ln -s /dev/mapper/crypt /dev/race-crypt
for name in sear plain loop crypt; do
    dd if=/dev/urandom of="/dev/race-$name" bs=1M count=64 oflag=direct status=none
done
