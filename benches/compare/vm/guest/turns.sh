# Runs the turns that the host asks for: `turn NUMBER DEVICE RW BLOCK DEPTH MILLISECONDS`. The host looks at its servers
# before and after each.
turn() {
    tell "begin.$1"
    await "go.$1"
    fio --name=x --filename="$2" --direct=1 --ioengine=libaio --rw="$3" --bs="$4" --iodepth="$5" --runtime="$6ms" \
        --time_based --size=100% --randrepeat=0 --norandommap --output-format=terse | grep '^3;' >"/share/fio.$1"
    tell "end.$1"
}
