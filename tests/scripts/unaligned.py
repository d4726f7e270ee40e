"""Clients that ignore block sizes: served byte by byte, and neighbours keep their data, also at the same time."""

import random

import nbd
from sear_nbd import connect

handle = connect()
assert handle.get_block_size(nbd.SIZE_MINIMUM) == 1
random.seed(1)
model = bytearray(random.randbytes(256 * 1024))
handle.pwrite(model, 0)

for _ in range(400):
    offset = random.randrange(len(model))
    count = min(random.choice([1, 7, 511, 512, 513, 4095, 4096, 4097, 20000]), len(model) - offset)
    kind = random.choice(["write", "zero", "read"])
    if kind == "write":
        data = random.randbytes(count)
        handle.pwrite(data, offset, random.choice([0, nbd.CMD_FLAG_FUA]))
        model[offset : offset + count] = data
    elif kind == "zero":
        handle.zero(count, offset)
        model[offset : offset + count] = bytes(count)
    else:
        assert handle.pread(count, offset) == model[offset : offset + count], (offset, count)
assert handle.pread(len(model), 0) == model

# many small writes into the same sectors, all in flight at once: each must survive its neighbours
pieces = [(i * 64, bytes([i % 251 + 1]) * 64) for i in range(1024)]
random.shuffle(pieces)
cookies = [handle.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data)), offset) for offset, data in pieces]
for cookie in cookies:
    while not handle.aio_command_completed(cookie):
        handle.poll(-1)
for offset, data in pieces:
    model[offset : offset + len(data)] = data
assert handle.pread(len(model), 0) == model
handle.shutdown()
